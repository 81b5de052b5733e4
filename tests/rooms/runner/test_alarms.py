"""Holds alarms to telling whom they are to tell, in bounded time, and to saying what they could not tell."""

import http.server
import json
import socket
import tempfile
import threading
import time
from pathlib import Path

import pytest

from ignrun.protocol.calls import Answer, Call, Failed, PeerRequest
from ignrun.protocol.frames import Unframer, frame
from ignrun.runner import alarms as alarms_file
from ignrun.runner.alarms import Alarms, Notice

NOTICE = Notice("line-4", "big", "firing", "critical", "web@gateway", "memory is high", "2026-05-04T12:00:00+00:00")


def until(condition) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def hook():
    """A server that keeps what is posted; its path says with which code it answers."""
    got: list[tuple[str, dict]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.path, json.loads(body)))
            self.send_response(int(self.path[1:]))
            self.send_header("Location", "/200")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", got
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_webhook_gets_the_notice_as_json(hook, tmp_path) -> None:
    url, got = hook
    said: list[str] = []
    Alarms(str(tmp_path), said.append).tell(("log", {"webhook": f"{url}/204"}), NOTICE)
    until(lambda: got)
    assert got[0][1]["address"] == "web@gateway" and got[0][1]["state"] == "firing"
    assert said == []


@pytest.mark.parametrize(("code", "trouble"), [(500, "answered 500"), (302, "answered 302")])
def test_a_webhook_that_refuses_is_said_and_a_redirect_is_not_followed(hook, tmp_path, code, trouble) -> None:
    url, got = hook
    said: list[str] = []
    Alarms(str(tmp_path), said.append).tell(({"webhook": f"{url}/{code}"},), NOTICE)
    until(lambda: said)
    assert said == [f"alert big: the webhook at {url} {trouble}"] and len(got) == 1


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_only_http_is_spoken(tmp_path, url) -> None:
    said: list[str] = []
    Alarms(str(tmp_path), said.append).tell(({"webhook": url},), NOTICE)
    until(lambda: said)
    assert said[0].endswith("is no http or https address")


def test_what_a_url_carries_beside_its_host_is_not_said(tmp_path) -> None:
    said: list[str] = []
    Alarms(str(tmp_path), said.append).tell(({"webhook": "http://me:hunter2@127.0.0.1:1/hook?token=hunter2"},), NOTICE)
    until(lambda: said)
    assert "hunter2" not in said[0] and said[0].startswith("alert big: the webhook at http://127.0.0.1:1 could not be")


def test_a_command_gets_the_notice_on_its_standard_input(tmp_path) -> None:
    said: list[str] = []
    Alarms(str(tmp_path), said.append).tell(
        ({"exec": ["sh", "-c", "cat > got.json.new && mv got.json.new got.json"]},), NOTICE
    )
    until((tmp_path / "got.json").exists)
    assert json.loads((tmp_path / "got.json").read_text())["alert"] == "big"
    assert said == []


@pytest.mark.parametrize(
    ("words", "trouble"),
    [(["false"], "ended with exit code 1"), (["no-such-program"], "could not be started: No such file or directory")],
)
def test_a_command_that_fails_is_said(tmp_path, words, trouble) -> None:
    said: list[str] = []
    Alarms(str(tmp_path), said.append).tell(({"exec": words},), NOTICE)
    until(lambda: said)
    assert said == [f"alert big: the command `{words[0]}` {trouble}"]


def test_a_command_without_end_is_ended_with_all_that_it_started(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(alarms_file, "PATIENCE", 0.3)
    said: list[str] = []
    Alarms(str(tmp_path), said.append).tell(({"exec": ["sh", "-c", "sleep 600 & sleep 600"]},), NOTICE)
    until(lambda: said)
    assert said == ["alert big: the command `sh` was ended after 0.3 s"]


def test_a_storm_of_alerts_does_not_start_programs_without_bound(tmp_path) -> None:
    said: list[str] = []
    alarms = Alarms(str(tmp_path), said.append)
    for _ in range(alarms_file.AT_ONCE + 5):
        alarms.tell(({"exec": ["sleep", "1"]},), NOTICE)
    assert len(said) == 5 and "too many are being told already" in said[0]
    until(lambda: alarms._room._value == alarms_file.AT_ONCE)


def _answering(folder, reply) -> str:
    """Be the door of a host that answers one call with what `reply` makes of it."""
    path = str(folder / "peers")
    door = socket.socket(socket.AF_UNIX)
    door.bind(path)
    door.listen()

    def serve() -> None:
        line, _ = door.accept()
        with door, line:
            calls: Unframer[PeerRequest] = Unframer(PeerRequest)
            for call in calls.feed(line.recv(65536)):
                line.sendall(frame(reply(call)))

    threading.Thread(target=serve, daemon=True).start()
    return path


def _told(then: dict, **doors) -> list[str]:
    said: list[str] = []
    alarms = Alarms("/", said.append, **doors)
    alarms.tell((then,), NOTICE)
    until(lambda: alarms._room._value == 8)
    return said


CALL = {"call": {"module": "horn", "method": "alarm"}}


def test_a_module_is_called_with_the_notice() -> None:
    got: list[Call] = []

    def answer(call: Call) -> Answer:
        got.append(call)
        return Answer(call.id, None)

    with tempfile.TemporaryDirectory() as folder:
        path = _answering(Path(folder), answer)
        assert _told(CALL, door_of=lambda module: (path, f"{module}@gateway")) == []
    (call,) = got
    assert (call.provider, call.method) == ("horn@gateway", "alarm")
    assert call.args[0]["alert"] == "big"


def test_a_call_that_fails_is_said() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = _answering(Path(folder), lambda call: Failed(call.id, "failed", "ValueError: no horn"))
        said = _told(CALL, door_of=lambda _: (path, "horn@gateway"))
    assert said == ["alert big: `horn.alarm` failed: ValueError: no horn"]


def test_a_module_that_does_not_run_is_not_called() -> None:
    assert _told(CALL) == ["alert big: `horn.alarm` does not run now"]


def test_a_door_that_nobody_opens_is_said() -> None:
    with tempfile.TemporaryDirectory() as folder:
        said = _told(CALL, door_of=lambda _: (f"{folder}/none", "horn@gateway"))
    assert said == ["alert big: `horn.alarm` could not be called: No such file or directory"]
