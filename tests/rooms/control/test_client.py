"""Holds the client and the server together: what one asks, the other answers, and nobody hangs."""

import asyncio
import os
import socket
import stat
import threading

import msgspec
import pytest

from ignrun.control.client import Client
from ignrun.control.server import ControlServer
from ignrun.control.wire import ApplyRequest
from ignrun.terms.failure import LockHeld, NoRunner, RunnerRefused, StateFolderFailure, WaitTimedOut
from tests.rooms.control.scripted import DIAGNOSIS, OUTCOME, PLAN, event

REQUEST = ApplyRequest("/srv/plant.yaml", "/srv", environment={"DB_PW": "canary"}, vars={"a": "1"}, by="ann")


async def until(condition) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the other end is a thread
            await asyncio.sleep(0.001)


async def test_status_comes_back_as_it_was_given(client, runner, off_loop) -> None:
    assert await off_loop(client.status) == runner.status()


async def test_a_module_is_found_by_address_and_where_it_is_unique_by_name(client, off_loop) -> None:
    assert (await off_loop(client.module, "web@client")).address == "web@client"
    assert (await off_loop(client.module, "tags")).address == "tags@gateway"


NO_MODULES = [
    ("tag", 404, "there is no module `tag`", "did you mean `tags`?"),
    ("zzz", 404, "there is no module `zzz`", "`ignrun status` lists them"),
    ("../status", 404, "there is nothing at this path", ""),
    ("web", 409, "`web` runs in several scopes", "name one of `web@gateway`, `web@client`"),
]


async def test_a_module_that_cannot_be_named_so_is_refused_with_a_hint(client, off_loop) -> None:
    for name, status, summary, hint in NO_MODULES:
        with pytest.raises(RunnerRefused) as caught:
            await off_loop(client.module, name)
        assert (caught.value.status, caught.value.summary, caught.value.hint) == (status, summary, hint)


async def test_a_restart_names_the_instance_and_who_asked(client, runner, off_loop) -> None:
    reply = await off_loop(client.ask, "restart", "tags", "ann")
    assert (reply.address, reply.verb) == ("tags@gateway", "restart")
    assert runner.asked == [("restart", "tags@gateway", "ann")]


async def test_a_refusal_keeps_the_runners_words(client, runner, off_loop) -> None:
    runner.refusal = "an apply is under way"
    with pytest.raises(RunnerRefused, match="an apply is under way"):
        await off_loop(client.ask, "restart", "tags")


async def test_a_plan_or_what_is_wrong_comes_back(client, runner, off_loop) -> None:
    assert await off_loop(client.plan, REQUEST) == PLAN
    runner.plan_report = DIAGNOSIS
    assert await off_loop(client.plan, REQUEST) == DIAGNOSIS


async def test_down_returns_at_once(client, runner, off_loop) -> None:
    await off_loop(client.down, "ann")
    assert runner.asked == [("down", "ann")]


async def test_readiness_says_why_not(client, runner, off_loop) -> None:
    assert await off_loop(client.ready) == ""
    runner.reason = "in error: tags@gateway"
    assert await off_loop(client.ready) == "in error: tags@gateway"


# --- apply -----------------------------------------------------------------------------------------------------------


async def test_an_apply_streams_what_happens_and_ends_with_its_outcome(client, runner, off_loop) -> None:
    runner.happen(3)  # before: not of interest
    heard: list[int] = []
    call = asyncio.create_task(off_loop(client.apply, REQUEST, lambda one: heard.append(one.seq)))
    await until(lambda: runner.asked)
    runner.happen(2)
    await until(lambda: heard == [4, 5])
    runner.happen(1)
    runner.go.set()
    assert await call == OUTCOME
    assert heard == [4, 5, 6]
    assert runner.asked == [REQUEST]


async def test_an_apply_that_fails_gives_the_failure_by_its_kind(client, runner, off_loop) -> None:
    runner.failure = LockHeld("the plant", "process 5", "wait")
    runner.go.set()
    with pytest.raises(RunnerRefused) as caught:
        await off_loop(client.apply, REQUEST)
    assert (caught.value.summary, caught.value.hint, caught.value.kind) == (
        "the plant is held by process 5",
        "wait",
        "LockHeld",
    )


async def test_an_apply_goes_on_when_its_client_goes_away(client, runner, path) -> None:
    body = msgspec.json.encode(REQUEST)
    head = f"POST /v1/apply HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(head + body)
    await until(lambda: runner.asked)
    writer.close()
    await writer.wait_closed()
    del reader
    runner.happen(5)
    runner.go.set()
    async with asyncio.timeout(10):
        await runner.finished.wait()


async def test_what_a_listener_raises_is_not_taken_for_a_lost_runner(client, runner, off_loop) -> None:
    def broken(_: object) -> None:
        raise BrokenPipeError(32, "stdout is gone")

    call = asyncio.create_task(off_loop(client.apply, REQUEST, broken))
    await until(lambda: runner.asked)
    runner.happen(1)
    with pytest.raises(BrokenPipeError):
        await call
    runner.go.set()


async def test_variables_that_are_no_text_are_left_out(client, runner, off_loop) -> None:
    runner.go.set()
    environment = {"GOOD": "x", "BAD": os.fsdecode(b"\xff")}
    await off_loop(client.apply, msgspec.structs.replace(REQUEST, environment=environment))
    assert runner.asked[0].environment == {"GOOD": "x"}


def test_a_request_does_not_show_the_environment() -> None:
    assert "canary" not in repr(REQUEST)


# --- events ----------------------------------------------------------------------------------------------------------


async def test_events_are_given_from_any_number_and_from_the_end(client, runner, off_loop) -> None:
    runner.happen(600)
    numbers = [one.seq for one in await off_loop(lambda: list(client.events(10)))]
    assert numbers == list(range(11, 601))
    assert await off_loop(lambda: list(client.events(-2))) == [event(599), event(600)]
    assert await off_loop(lambda: list(client.events(600))) == []


async def test_following_goes_on_until_the_runner_ends(server, client, runner, off_loop) -> None:
    runner.happen(2)
    heard: list[int] = []

    def count() -> None:
        for one in client.events(1, follow=True):
            heard.append(one.seq)

    call = asyncio.create_task(off_loop(count))
    await until(lambda: heard == [2])
    runner.happen(2)
    await until(lambda: heard == [2, 3, 4])
    await server.close()
    await call


# --- when nobody answers ---------------------------------------------------------------------------------------------


def test_without_a_socket_there_is_no_runner(tmp_path) -> None:
    with pytest.raises(NoRunner, match="no runner answers"):
        Client(str(tmp_path / "none.sock")).status()


def test_a_socket_that_a_dead_runner_left_is_no_runner(path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    with pytest.raises(NoRunner, match="no runner answers"):
        Client(str(path)).status()


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", b"nonsense\r\n\r\n"])
def test_a_runner_that_ends_midway_is_said_to_have_ended(path, said) -> None:
    with answering(path, said), pytest.raises(NoRunner, match="ended before it had answered"):
        Client(str(path)).status()


def test_an_apply_whose_runner_ends_has_no_outcome(path) -> None:
    said = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with answering(path, said), pytest.raises(NoRunner, match="the runner ended before the apply did"):
        Client(str(path)).apply(REQUEST)


def test_a_runner_that_does_not_answer_is_waited_for_only_so_long(path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        with pytest.raises(WaitTimedOut, match="has not answered in time"):
            Client(str(path), patience=0.05).status()


class answering:  # noqa: N801 - reads as a word
    """Somebody at a socket who says the same whatever is asked, and hangs up."""

    def __init__(self, path, said: bytes) -> None:
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(path))
        self._listening.listen()
        self._said = said
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._listening.close()

    def _serve(self) -> None:
        connection, _ = self._listening.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(self._said)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):  # what is left unread would cut the answer off
                pass


# --- the socket ------------------------------------------------------------------------------------------------------


async def test_the_socket_is_private_and_goes_with_the_server(path, runner) -> None:
    server = await ControlServer.open(path, runner)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await server.close()
    assert not path.exists()


async def test_the_socket_of_a_dead_runner_is_replaced(path, runner, off_loop) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    server = await ControlServer.open(path, runner)
    assert (await off_loop(Client(str(path)).status)).plant.name == "demo"
    await server.close()


async def test_a_file_in_the_place_of_the_socket_is_not_removed(path, runner) -> None:
    path.write_text("mine")
    with pytest.raises(StateFolderFailure, match="cannot be bound"):
        await ControlServer.open(path, runner)
    assert path.read_text() == "mine"


async def test_maintenance_and_its_end_are_one_route(server, runner, path, off_loop) -> None:
    client = Client(str(path))
    assert (await off_loop(client.ask, "maintenance", "tags", "anna")).verb == "maintenance"
    assert (await off_loop(client.ask, "resume", "tags", "anna")).verb == "resume"
    assert runner.asked == [("maintenance", "tags@gateway", "anna"), ("resume", "tags@gateway", "anna")]


async def test_a_server_that_is_asked_nothing_sleeps(client, off_loop) -> None:
    await off_loop(client.status)
    loop = asyncio.get_running_loop()

    def is_at_rest() -> bool:
        return not [one for one in loop._scheduled if not one.cancelled() and one.when() < loop.time() + 1]  # type: ignore[attr-defined]

    await until(is_at_rest)
    for _ in range(100):
        await asyncio.sleep(0)
        assert is_at_rest()
