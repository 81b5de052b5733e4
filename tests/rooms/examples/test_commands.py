"""Holds the two example commands to their config, their exit codes and what they serve."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from ignrun.examples.historian.store import Store, create
from ignrun.examples.web.page import line, page

TOKEN = "canary-5d1f"


def run(program: str, config: object, folder: Path) -> subprocess.Popen[str]:
    """Start an example command as an engine would: its config in a file named by the environment."""
    file = folder / "config.json"
    file.write_text(config if isinstance(config, str) else json.dumps(config))
    environment = {**os.environ, "IGNRUN_CONFIG": str(file)}
    command = [sys.executable, "-m", f"ignrun.examples.{program}"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=20)
    return process.returncode, out, err


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(folder: Path, database: Path):
    port = free_port()
    process = run("web", {"port": port, "database": str(database), "token": TOKEN, "title": "<Line & 4>"}, folder)
    try:
        assert process.stdout is not None and "serving" in process.stdout.readline()
        yield port, process
    finally:
        process.kill()
        process.communicate()


def get(port: int, path: str, **headers: str) -> tuple[int, str, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    found = answer.status, answer.read().decode(), answer.headers
    connection.close()
    return found


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "history.sqlite"
    create(path)
    store = Store(path)
    store.add([{"tag": "<b>cpu</b>", "value": value, "quality": "good", "at": "2026-01-01"} for value in (1, 2)])
    store.close()
    return path


def test_the_schema_command_creates_the_file_and_ends_well(tmp_path) -> None:
    path = tmp_path / "data" / "h.sqlite"
    assert ended(run("schema", {"path": str(path)}, tmp_path)) == (0, f"`{path}` is ready\n", "")
    Store(path).close()


def test_the_schema_command_says_why_a_file_cannot_be_created(tmp_path) -> None:
    (tmp_path / "taken").write_text("a file, no folder")
    code, out, err = ended(run("schema", {"path": f"{tmp_path}/taken/h.sqlite"}, tmp_path))
    assert (code, out) == (1, "") and err.count("\n") == 1 and "cannot be created" in err


@pytest.mark.parametrize("program", ["schema", "web"])
@pytest.mark.parametrize("config", ["", "[]", '{"port": "eighty"}'])
def test_a_command_without_its_config_says_so_in_one_line(program, config, tmp_path) -> None:
    code, _, err = ended(run(program, config, tmp_path))
    assert code == 2 and err.count("\n") == 1 and "IGNRUN_CONFIG" in err


def test_the_page_shows_what_was_stored_and_every_text_escaped(tmp_path, database) -> None:
    with serving(tmp_path, database) as (port, _):
        status, body, headers = get(port, "/")
    assert status == 200 and "&lt;b&gt;cpu&lt;/b&gt;" in body and "<b>cpu" not in body
    assert "<h1>&lt;Line &amp; 4&gt;</h1>" in body and TOKEN not in body
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_the_page_is_ready_when_there_is_a_history_and_not_when_there_is_none(tmp_path, database) -> None:
    with serving(tmp_path, database) as (port, _):
        assert get(port, "/healthz")[:2] == (200, "2 changes\n")
        database.unlink()
        assert get(port, "/healthz")[0] == 503
        assert get(port, "/nothing")[0] == 503


def test_the_whole_history_is_for_who_has_the_token(tmp_path, database) -> None:
    with serving(tmp_path, database) as (port, _):
        assert get(port, "/export.json")[0] == 401
        assert get(port, "/export.json", Authorization="Bearer wrong")[0] == 401
        status, body, _ = get(port, "/export.json", Authorization=f"Bearer {TOKEN}")
        assert status == 200 and [row["value"] for row in json.loads(body)] == [1, 2]
        assert get(port, "/nothing")[0] == 404


def test_a_taken_port_is_one_clear_line(tmp_path, database) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code, _, err = ended(run("web", {"port": port, "database": str(database), "token": TOKEN}, tmp_path))
    assert (code, err) == (1, f"port {port} cannot be served: Address already in use\n")


def test_the_page_ends_well_when_it_is_told_to(tmp_path, database) -> None:
    with serving(tmp_path, database) as (_, process):
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0 and time.monotonic() - began < 5


def test_a_line_spans_the_whole_height_and_needs_two_ends() -> None:
    assert line([1]) == "" and line([0, 1]) == "0.0,24.0 160.0,0.0" and line([3, 3]) == "0.0,24.0 160.0,24.0"


def test_a_bad_value_is_shown_as_missing() -> None:
    shown = page("t", [{"tag": "a", "value": None, "quality": "bad", "at": "now"}], {})
    assert '<td class="value">–</td>' in shown  # noqa: RUF001
