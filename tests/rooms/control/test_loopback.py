"""Holds the loopback address shut for whoever has not the token, whatever he asks for and whoever sends him."""

import asyncio
import http.client
import stat
from itertools import product

import msgspec
import pytest

from ignrun.control import server as server_module
from ignrun.control.client import Client
from ignrun.control.peer import bind_loopback
from ignrun.control.server import ControlServer
from ignrun.control.token import Listening, access_token, listening_at
from ignrun.terms.failure import Failure, RunnerRefused
from tests.rooms.control.test_door import BODY, METHODS, PATHS

TOKEN = "t" * 43


@pytest.fixture
async def listening(server: ControlServer) -> Listening:
    bound = bind_loopback(Listening("127.0.0.1", 0), TOKEN)
    server.listen(bound)
    return bound.listening


def ask(where: Listening, method: str, target: str, headers: dict[str, str]) -> tuple[int, bytes]:
    """Send exactly these headers, Host included."""
    connection = http.client.HTTPConnection("127.0.0.1", where.port, timeout=10)
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(BODY)))
        connection.endheaders(BODY)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


SHOWN = {"Authorization": f"Bearer {TOKEN}"}
FOREIGN = [
    {"Host": "evil.example"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": "localhost", "Origin": "http://evil.example"},
    {"Host": "localhost", "Origin": "null"},
    {"Host": "localhost", "Origin": "http://localhost:3000"},
    {"Host": "localhost", "Sec-Fetch-Site": "cross-site"},
    {"Host": "localhost", "Origin": "http://localhost", "Sec-Fetch-Site": "same-site"},
]


async def test_no_route_and_method_accepts_a_foreign_host_or_page_even_with_the_token(
    listening, runner, off_loop
) -> None:
    asked = 0
    for target, method, headers in product([*PATHS, "/nowhere", "/"], METHODS, FOREIGN):
        if method in {"GET", "HEAD"} and headers["Host"] == "localhost":
            continue  # a page may fetch what it then cannot read: nothing allows it to
        asked += 1
        status, _ = await off_loop(ask, listening, method, target, headers | SHOWN)
        assert status == 403, (method, target, headers)
    assert (runner.asked, asked > 600) == ([], True)


BAD_TOKENS = [
    {},
    {"Authorization": ""},
    {"Authorization": "Bearer "},
    {"Authorization": f"Bearer {TOKEN}x"},
    {"Authorization": f"bearer {TOKEN}"},
    {"Authorization": f"Basic {TOKEN}"},
    {"Authorization": TOKEN},
]


async def test_without_the_token_nothing_is_said_on_any_route(listening, runner, off_loop) -> None:
    for target, method in product([*PATHS, "/nowhere"], METHODS):
        status, text = await off_loop(ask, listening, method, target, {"Host": "localhost"})
        assert (status, method == "HEAD" or b"token" in text) == (401, True), (method, target)
    for headers in BAD_TOKENS:
        assert (await off_loop(ask, listening, "GET", "/v1/status", {"Host": "localhost", **headers}))[0] == 401
    assert runner.asked == []


async def test_who_is_foreign_is_refused_before_his_token_is_looked_at(listening, off_loop) -> None:
    assert (await off_loop(ask, listening, "GET", "/v1/status", {"Host": "evil.example"}))[0] == 403


async def test_a_page_of_the_runners_own_may_change_something(listening, runner, off_loop) -> None:
    host = f"127.0.0.1:{listening.port}"
    headers = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin", **SHOWN}
    status, _ = await off_loop(
        ask, listening, "POST", "/v1/modules/tags/restart?x", {**headers, "Content-Type": "text/plain"}
    )
    assert (status, runner.asked) == (415, [])
    await off_loop(Client.at(listening.url, TOKEN).ask, "restart", "tags", "ann")
    assert runner.asked == [("restart", "tags@gateway", "ann")]


async def test_a_client_with_the_token_sees_what_one_at_the_socket_sees(listening, client, runner, off_loop) -> None:
    assert await off_loop(Client.at(listening.url, TOKEN).status) == await off_loop(client.status)
    with pytest.raises(RunnerRefused, match="needs the token of the plant") as caught:
        await off_loop(Client.at(listening.url, "wrong").status)
    assert caught.value.status == 401


async def test_no_answer_allows_another_site_to_read_it(listening, off_loop) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", listening.port, timeout=10)

    def look() -> list[str]:
        connection.request("GET", "/v1/status", headers={**SHOWN, "Origin": "http://evil.example"})
        response = connection.getresponse()
        response.read()
        connection.close()
        return [name.lower() for name in response.headers]

    assert [name for name in await off_loop(look) if name.startswith("access-control")] == []


async def test_a_port_that_is_taken_is_said_to_be(listening) -> None:
    with pytest.raises(Failure, match=rf"`127.0.0.1:{listening.port}` cannot be listened on: Address already in use"):
        bind_loopback(listening, TOKEN)


@pytest.mark.parametrize("text", ["0.0.0.0:80", "example.org:80", ":80", "80", "::1:80", "", "127.0.0.2:80", "[::]:80"])
def test_only_loopback_is_listened_on(text) -> None:
    with pytest.raises(Failure, match="the API is served on loopback only"):
        listening_at(text)


@pytest.mark.parametrize("text", ["localhost:", "localhost:x", "localhost:65536", "localhost:-1", "localhost:٣"])
def test_a_port_is_a_number(text) -> None:
    with pytest.raises(Failure, match="is no port"):
        listening_at(text)


# --- the token -------------------------------------------------------------------------------------------------------


def test_a_token_is_made_once_and_read_by_its_owner_only(tmp_path) -> None:
    token = access_token(tmp_path)
    assert len(token) >= 43
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600
    assert access_token(tmp_path) == token


@pytest.mark.parametrize("left", ["", "short", "x" * 400, "\x00" * 40])
def test_a_token_that_is_none_is_replaced(tmp_path, left) -> None:
    (tmp_path / "token").write_text(left)
    (tmp_path / "token").chmod(0o600)
    assert len(access_token(tmp_path)) >= 43


def test_a_token_that_others_could_have_read_is_replaced(tmp_path) -> None:
    first = access_token(tmp_path)
    (tmp_path / "token").chmod(0o644)
    assert access_token(tmp_path) != first
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600


# --- those who are slow to say what they want -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\nX",
        b"POST /v1/plan HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{",
        b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{",
    ],
)
async def test_who_does_not_say_all_he_wants_in_time_is_hung_up_on(path, server, monkeypatch, said) -> None:
    monkeypatch.setattr(server_module, "REQUEST_PATIENCE", 0.05)
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(said)
    async with asyncio.timeout(10):
        while await reader.read(4096):
            pass
    writer.close()
    (connections,) = {len(one.server_state.connections) for one in server._servers}
    assert connections == 0


async def test_a_head_that_never_ends_is_refused(path, server) -> None:
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(b"GET / HTTP/1.1\r\n" + b"X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n" * 3000)
    async with asyncio.timeout(10):
        assert (await reader.read(12)) in {b"HTTP/1.1 400", b""}
    writer.close()


async def test_too_many_connections_are_hung_up_on_and_the_others_answered(path, server, monkeypatch) -> None:
    monkeypatch.setattr(server_module, "MOST", 5)
    held = [await asyncio.open_unix_connection(str(path)) for _ in range(9)]
    async with asyncio.timeout(10):
        heads = [await _answered(*one) for one in held]
    assert sorted(heads) == [b""] * 4 + [b"HTTP/1.1 200"] * 5
    for _, writer in held:
        writer.close()


async def _answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    try:
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return await reader.read(12)
    except ConnectionError:
        return b""


def test_a_listening_address_reads_as_a_url() -> None:
    assert listening_at("[::1]:8080").url == "http://[::1]:8080"
    assert msgspec.json.decode(msgspec.json.encode(listening_at("localhost:0")), type=Listening).port == 0
