"""Holds the door shut against browsers, foreign users and bodies that are not what they should be."""

import asyncio
import http.client
import subprocess
import sys
from itertools import product

import msgspec
import pytest

from ignrun.control import server as server_module
from ignrun.control.guard import refused
from ignrun.control.routes import Door
from ignrun.control.streams import Streams
from ignrun.control.wire import BODY_LIMIT
from tests.rooms.control.scripted import ScriptedRunner
from tests.rooms.control.unix_http import UnixConnection

PATHS = [
    route.path.replace("{address}", "tags")
    for route in Door(ScriptedRunner.__new__(ScriptedRunner), Streams()).routes()
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"]
BODY = b'{"manifest": "/m", "root": "/"}'


def ask(
    path, method: str, target: str, headers: dict[str, str], body: bytes | None = None
) -> tuple[int, bytes, dict[str, str]]:
    """Send exactly these headers, Host included."""
    connection = UnixConnection(str(path), 5.0)
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        return response.status, response.read(), dict(response.getheaders())
    finally:
        connection.close()


async def test_a_foreign_host_is_refused_on_every_route_and_method(server, runner, path, off_loop) -> None:
    for target, method in product([*PATHS, "/nowhere", "/"], METHODS):
        status, body, _ = await off_loop(ask, path, method, target, {"Host": "evil.example"}, BODY)
        assert status == 403, (method, target)
        assert method == "HEAD" or b"the Host of a request must be" in body
    assert runner.asked == []


async def test_what_a_web_page_sends_changes_nothing(server, runner, path, off_loop) -> None:
    of_pages = ({"Origin": "http://localhost"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"})
    for target, method, headers in product([*PATHS, "/nowhere"], METHODS[2:], of_pages):
        status, _, _ = await off_loop(ask, path, method, target, {"Host": "localhost", **headers}, BODY)
        assert status == 403, (method, target, headers)
    assert runner.asked == []


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:65535", "[::1]", "[::1]:8080"])
def test_our_own_names_are_let_in_with_any_port(host) -> None:
    assert refused(request(host)) == ""


@pytest.mark.parametrize(
    "host",
    [
        "localhost.", "localhost.evil.example", "evil.example:80", "127.0.0.1.evil.example", "127.0.0.2", "::1", "",
        "localhost:", "localhost:80:80", "localhost:x", "user@localhost", "localhost\n", "0.0.0.0", "[::]",
    ],
)  # fmt: skip
def test_names_that_look_alike_are_not(host) -> None:
    assert refused(request(host)) != ""


def test_no_host_and_two_hosts_are_refused() -> None:
    assert refused({"method": "GET", "headers": []}) != ""
    assert refused({"method": "GET", "headers": [(b"host", b"localhost"), (b"host", b"localhost")]}) != ""


def request(host: str) -> dict[str, object]:
    return {"method": "GET", "headers": [(b"host", host.encode())]}


async def test_another_user_is_hung_up_on(server, path, off_loop, monkeypatch) -> None:
    monkeypatch.setattr(server_module, "may_enter", lambda _: False)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        await off_loop(ask, path, "GET", "/v1/status", {"Host": "localhost"})


# --- bodies ----------------------------------------------------------------------------------------------------------


BODIES = [
    (b"{", 400, "the body is not what is wanted here: Input data was truncated"),
    (b"[]", 400, "Expected `object`, got `array`"),
    (b"{}", 400, "missing required field `manifest`"),
    (b'{"manifest": "/m", "root": "/", "state_dir": "/x"}', 400, "unknown field `state_dir`"),
    (b'{"manifest": 1, "root": "/"}', 400, "Expected `str`, got `int` - at `$.manifest`"),
    (b"[" * 100_000, 400, "the body is not what is wanted here"),
    (b"\xff", 400, "the body is not what is wanted here"),
    (b" " * (BODY_LIMIT + 1), 413, "a request may have 1048576 bytes"),
]


async def test_a_body_that_is_not_wanted_is_refused_with_its_reason(server, runner, path, off_loop) -> None:
    for target, (body, status, words) in product(["/v1/apply", "/v1/plan"], BODIES):
        got, text, headers = await off_loop(ask, path, "POST", target, {"Host": "localhost"}, body)
        assert got == status, body[:50]
        assert headers["content-type"] == "application/json"
        assert words in msgspec.json.decode(text)["summary"]
    assert runner.asked == []


async def test_a_form_is_no_body(server, runner, path, off_loop) -> None:
    headers = {"Host": "localhost", "Content-Type": "application/x-www-form-urlencoded"}
    status, _, _ = await off_loop(ask, path, "POST", "/v1/down", headers, b"by=x")
    assert (status, runner.asked) == (415, [])


ANSWERS = [
    ("GET", "/v1/nothing", 404),
    ("GET", "/v1/status/", 404),
    ("DELETE", "/v1/status", 405),
    ("GET", "/v1/apply", 405),
    ("GET", "/v1/down", 405),
    ("POST", "/v1/modules/tags/explode", 404),
    ("GET", "/v1/events?after=x", 400),
    ("GET", "/v1/events?after=--1", 400),
    ("GET", "/v1/events?follow=maybe", 400),
    ("GET", "/healthz", 200),
    ("HEAD", "/v1/events", 200),
]


async def test_only_what_is_listed_is_answered(server, path, off_loop) -> None:
    for method, target, status in ANSWERS:
        assert (await off_loop(ask, path, method, target, {"Host": "localhost"}))[0] == status, target


async def test_a_bug_is_a_500_without_its_traceback(server, runner, path, off_loop, caplog) -> None:
    runner.bug = ValueError("canary")
    status, text, _ = await off_loop(ask, path, "GET", "/v1/status", {"Host": "localhost"})
    assert status == 500
    assert b"canary" not in text
    assert "ValueError: canary" in caplog.text  # the log has it


# --- a slow follower -------------------------------------------------------------------------------------------------


async def test_a_follower_that_does_not_read_costs_no_memory_and_misses_nothing(server, runner, path) -> None:
    runner.happen(10)
    reader, writer = await asyncio.open_unix_connection(str(path), limit=4096)
    writer.write(b"GET /v1/events?after=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    async with asyncio.timeout(20):
        while len(runner.stored) < 50_000:
            runner.happen(1000)
            await asyncio.sleep(0)
        (connection,) = server._servers[0].server_state.connections
        assert connection.transport.get_write_buffer_size() < 256 * 1024
        seen: list[int] = []
        while not seen or seen[-1] < 50_000:
            line = await reader.readline()
            if line.startswith(b"id: "):
                seen.append(int(line[4:]))
    assert seen == list(range(1, 50_001))
    assert runner.reads  # the old ones came from the journal
    writer.close()


async def test_a_follower_resumes_by_the_number_it_had(server, runner, path, off_loop) -> None:
    runner.happen(9)
    headers = {"Host": "localhost", "Last-Event-ID": "7"}
    _, text, _ = await off_loop(ask, path, "GET", "/v1/events?after=2&follow=false", headers)
    assert [line for line in text.split(b"\n") if line.startswith(b"id")] == [b"id: 8", b"id: 9"]


# --- weight ----------------------------------------------------------------------------------------------------------


def test_a_client_does_not_carry_the_server() -> None:
    script = (
        "import sys, ignrun.control.client\n"
        "heavy = {'starlette', 'uvicorn', 'anyio', 'asyncio', 'rich', 'yaml', 'sqlite3'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
