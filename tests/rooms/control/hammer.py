"""Turns an endpoint's schema into requests, sound and unsound ones, and sends them to an ASGI application without a socket."""

import asyncio
import json
import random
from collections.abc import Iterator
from typing import Any

import msgspec
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable

from ignrun.control.endpoints import ENDPOINTS
from ignrun.control.guard import App
from ignrun.control.openapi import openapi
from ignrun.control.routes import Door

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "G\u00cb")
JUNK = (
    b"", b"\x00", b"\xff\xfe", b"%", b"%00", b"..%2f..%2f", b"//", b"\r\n", b"'\"<script>", b"\x1b[2J", b"9" * 400, b"-1", b"1e999",
    b"NaN", b"null", b"[" * 3000, b'{"a":' * 900, "\u202e\ud83d\ude00".encode("utf-8", "replace"), b"a" * 9000, b"true", b"{}",
)  # fmt: skip


class Sent(msgspec.Struct, frozen=True):
    """One request as a server hands it on."""

    method: str
    path: str
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class Answered(msgspec.Struct, frozen=True):
    """How it was answered; of a stream only the beginning."""

    status: int
    body: bytes


def cases(each: int) -> Iterator[Sent]:
    """Draw `each` sound and `each` unsound requests of every endpoint from the OpenAPI document."""
    document = msgspec.json.decode(msgspec.json.encode(openapi(ENDPOINTS, Door)))
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            yield from _drawn(found.ok().as_strategy(generation_mode=mode), each)  # type: ignore[union-attr]


def _drawn(strategy: Any, each: int) -> list[Sent]:
    drawn: list[Sent] = []

    @settings(
        max_examples=each,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def draw(case: Any) -> None:
        query = "&".join(f"{name}={value}" for name, value in (case.query or {}).items())
        body = case.body if isinstance(case.body, bytes) else json.dumps(case.body, default=str).encode()
        drawn.append(Sent(case.method, case.formatted_path, query.encode("utf-8", "replace"), _OURS, body))

    try:
        draw()
    except Unsatisfiable:  # where there is nothing to get wrong
        return drawn
    return drawn


_OURS = ((b"host", b"localhost"), (b"content-type", b"application/json"))


def mutants(case: Sent, count: int, chance: random.Random) -> Iterator[Sent]:
    """Give the case itself and `count` of its mutants."""
    yield case
    for _ in range(count):
        junk = chance.choice(JUNK)
        match chance.randrange(7):
            case 0:
                yield msgspec.structs.replace(case, method=chance.choice(METHODS))
            case 1:
                yield msgspec.structs.replace(
                    case, path=_spliced(case.path.encode(), junk, chance).decode("utf-8", "replace")
                )
            case 2:
                yield msgspec.structs.replace(case, query=_spliced(case.query, junk, chance))
            case 3:
                yield msgspec.structs.replace(case, body=_spliced(case.body, junk, chance))
            case 4:
                yield msgspec.structs.replace(case, body=case.body[: chance.randrange(len(case.body) + 1)])
            case 5:
                yield msgspec.structs.replace(case, headers=(*case.headers, (b"last-event-id", junk)))
            case _:
                yield msgspec.structs.replace(
                    case,
                    headers=(case.headers[0], (chance.choice((b"content-type", b"host", b"origin", b"cookie")), junk)),
                )


def _spliced(text: bytes, junk: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(text) + 1)
    return text[:at] + junk + text[at + chance.randrange(3) :]


class _EnoughError(Exception):
    """The beginning of a stream has been seen."""


async def answered(app: App, sent: Sent) -> Answered:
    """Send one request; raises what the application raises."""
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": sent.method, "scheme": "http",
        "path": sent.path, "raw_path": sent.path.encode(), "query_string": sent.query, "root_path": "",
        "headers": list(sent.headers), "client": None, "server": ("localhost", 80),
    }  # fmt: skip
    pieces: list[dict[str, Any]] = []
    given_up = False

    async def receive() -> dict[str, Any]:
        nonlocal given_up
        if given_up:
            await asyncio.Event().wait()
        given_up = True
        return {"type": "http.request", "body": sent.body, "more_body": False}

    async def send(message: Any) -> None:
        pieces.append(message)
        if message.get("more_body"):
            raise _EnoughError

    try:
        await app(scope, receive, send)
    except _EnoughError:
        pass
    return Answered(pieces[0]["status"], b"".join(piece.get("body", b"") for piece in pieces[1:]))
