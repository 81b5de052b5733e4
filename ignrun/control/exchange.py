"""Turns requests into values of the wanted type, and values, refusals and failures into responses."""

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ignrun.control.wire import BODY_LIMIT, Problem
from ignrun.terms.failure import Failure, LockHeld, ReaderFailure, StateFolderFailure

T = TypeVar("T")
Q = TypeVar("Q", bound=msgspec.Struct)

HEADERS: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
"""What every answer says to browsers."""

_STATUS: Final[dict[type[Failure], int]] = {LockHeld: 409, ReaderFailure: 422, StateFolderFailure: 503}


def answer(status: int, value: object) -> Response:
    """Make a response of JSON."""
    return Response(msgspec.json.encode(value), status, HEADERS, "application/json")


class Refusal(HTTPException):
    """A request that is not answered; carries the Problem that says why."""

    def __init__(self, status: int, problem: Problem) -> None:
        """Take the HTTP status and the problem."""
        super().__init__(status, problem.summary)
        self.problem = problem


def refusal_of(status: int, summary: str, hint: str = "") -> Refusal:
    """Make a refusal."""
    return Refusal(status, Problem(summary, hint))


def read_query(request: Request, wanted: type[Q]) -> Q:
    """Read the query as a value of the wanted type, a field for each name; raises Refusal for any other."""
    given: dict[str, Any] = {}
    several = {one.encode_name for one in msgspec.structs.fields(wanted) if one.type == tuple[str, ...]}
    for name, value in request.query_params.multi_items():
        if name in several:
            given.setdefault(name, []).append(value)
        elif name in given:
            raise refusal_of(400, f"the query names `{name}` twice")
        else:
            given[name] = value
    try:
        return msgspec.convert(given, wanted, strict=False)
    except msgspec.ValidationError as error:
        raise refusal_of(400, f"the query is not what is wanted here: {error}") from error


async def read_body(request: Request, wanted: type[T]) -> T:
    """Read a JSON body of the wanted type, an empty one as `{}`; raises Refusal for any other."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_LIMIT:
            raise refusal_of(413, f"a request may have {BODY_LIMIT} bytes")
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip()
    if kind != "application/json":
        raise refusal_of(415, "a body is `application/json`")
    try:
        return msgspec.json.decode(bytes(body) or b"{}", type=wanted)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refusal_of(400, f"the body is not what is wanted here: {error}") from error


# --- what goes wrong --------------------------------------------------------------------------------------------------


async def _on_http_exception(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error, Refusal):
        return answer(error.status_code, error.problem)
    words = {404: "there is nothing at this path", 405: "this path does not take this method"}
    response = answer(error.status_code, Problem(words.get(error.status_code, error.detail)))
    response.headers.update(error.headers or {})
    return response


async def _on_failure(_: Request, error: Exception) -> Response:
    assert isinstance(error, Failure)
    return answer(_STATUS.get(type(error), 409), problem_of(error))


def problem_of(failure: Failure) -> Problem:
    """Turn a failure into what crosses the socket."""
    return Problem(failure.summary, failure.hint, type(failure).__name__)


async def _on_unreadable(_: Request, error: Exception) -> Response:
    return answer(503, Problem(f"the journal cannot be read: {error}", "`ignrun doctor` looks at the disk"))


async def _on_gone(_: Request, __: Exception) -> Response:
    return answer(400, Problem("the request was broken off"))


async def _on_bug(_: Request, error: Exception) -> Response:
    return answer(500, Problem(f"the runner made a mistake: {type(error).__name__}", "its log has the details"))


HANDLERS: Final[dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]]] = {
    HTTPException: _on_http_exception,
    Failure: _on_failure,
    ClientDisconnect: _on_gone,
    sqlite3.Error: _on_unreadable,
    Exception: _on_bug,
}
"""What becomes of each kind of exception."""
