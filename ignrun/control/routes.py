"""Turns requests into calls of the runner, and its answers into responses; what no route names is refused."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ignrun.control.guard import App, Guard
from ignrun.control.port import Steering
from ignrun.control.streams import Stream, Streams, apply_stream, event_stream, problem_of
from ignrun.control.wire import BODY_LIMIT, ApplyRequest, AskReply, AskRequest, DownRequest, Problem, Verb
from ignrun.render.outcome import OutcomeReport
from ignrun.render.status_report import InstanceStatus
from ignrun.terms.failure import Failure, LockHeld, ReaderFailure, StateFolderFailure
from ignrun.terms.hints import did_you_mean

T = TypeVar("T")

_STATUS: Final[dict[type[Failure], int]] = {LockHeld: 409, ReaderFailure: 422, StateFolderFailure: 503}
_HEADERS: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class Door:
    """The routes of one runner."""

    def __init__(self, steering: Steering, streams: Streams) -> None:
        """Take whom they steer and where their streams are kept."""
        self._steering = steering
        self._streams = streams
        self._applies: set[asyncio.Task[OutcomeReport]] = set()

    def routes(self) -> list[Route]:
        """Name every route; all else is 404."""
        return [
            Route("/healthz", self.healthz, methods=["GET"]),
            Route("/readyz", self.readyz, methods=["GET"]),
            Route("/v1/status", self.status, methods=["GET"]),
            Route("/v1/modules/{address}", self.module, methods=["GET"]),
            Route("/v1/modules/{address}/restart", self.restart, methods=["POST"]),
            Route("/v1/modules/{address}/start", self.start, methods=["POST"]),
            Route("/v1/modules/{address}/stop", self.stop, methods=["POST"]),
            Route("/v1/modules/{address}/maintenance", self.maintenance, methods=["POST"]),
            Route("/v1/plan", self.plan, methods=["POST"]),
            Route("/v1/apply", self.apply, methods=["POST"]),
            Route("/v1/events", self.events, methods=["GET"]),
            Route("/v1/down", self.down, methods=["POST"]),
        ]

    async def healthz(self, _: Request) -> Response:
        """The runner's loop turns."""
        return answer(200, {"status": "ok"})

    async def readyz(self, _: Request) -> Response:
        """The plant is up as wanted, or why it is not."""
        reason = self._steering.ready()
        return answer(503, Problem(reason)) if reason else answer(200, {"status": "ready"})

    async def status(self, _: Request) -> Response:
        """The plant and its instances."""
        return answer(200, self._steering.status())

    async def module(self, request: Request) -> Response:
        """One instance, by address, or by module where it has one scope."""
        return answer(200, self._instance(request))

    async def restart(self, request: Request) -> Response:
        """Stop an instance and start it again; answers when it has settled."""
        return await self._ask(request, "restart")

    async def start(self, request: Request) -> Response:
        """End an operator's stop, or try one that failed again at once; answers when it has settled."""
        return await self._ask(request, "start")

    async def stop(self, request: Request) -> Response:
        """Stop an instance and keep it stopped, whatever is applied; answers when it rests."""
        return await self._ask(request, "stop")

    async def maintenance(self, request: Request) -> Response:
        """Take an instance out of supervision, or with `off` back into it."""
        return await self._ask(request, "maintenance")

    async def _ask(self, request: Request, verb: Verb) -> Response:
        body = await read_body(request, AskRequest)
        if body.off and verb != "maintenance":
            raise refusal_of(400, f"`off` goes with maintenance, not with {verb}")
        asked: Verb = "resume" if body.off else verb
        address = self._instance(request).address
        refusal = await self._steering.ask(asked, address, body.by)
        return answer(409, Problem(refusal)) if refusal else answer(200, AskReply(address, asked))

    async def plan(self, request: Request) -> Response:
        """What an apply would do (200), or what is wrong with the manifest (422)."""
        report = await self._steering.plan(await read_body(request, ApplyRequest))
        return answer(200 if hasattr(report, "changes") else 422, report)

    async def apply(self, request: Request) -> Stream:
        """Lines of JSON: what happens, then the outcome or a problem; the apply does not need its client."""
        body = await read_body(request, ApplyRequest)
        return self._streams.answer(apply_stream(self._steering, body, self._applies), "application/x-ndjson")

    async def events(self, request: Request) -> Stream:
        """Server-sent events above `after` (the last N for -N) or Last-Event-ID; `follow=false` ends at the last one."""
        follow = request.query_params.get("follow", "true")
        after = request.headers.get("last-event-id") or request.query_params.get("after", "0")
        if follow not in {"true", "false"} or not after.removeprefix("-").isdecimal():
            raise refusal_of(400, "`after` takes a number, `follow` takes `true` or `false`")
        number = int(after[:20])
        first = max(0, self._steering.feed.last + number) if after.startswith("-") else number
        return self._streams.answer(
            event_stream(self._steering.feed, first, follow=follow == "true"), "text/event-stream"
        )

    async def down(self, request: Request) -> Response:
        """Begin to take the plant down; the runner ends afterwards."""
        body = await read_body(request, DownRequest)
        await self._steering.shutdown(body.by)
        return answer(202, {"status": "going down"})

    def _instance(self, request: Request) -> InstanceStatus:
        named = request.path_params["address"]
        known = self._steering.status().instances
        found = [one for one in known if named in {one.address, one.module}]
        match found:
            case [one]:
                return one
            case []:
                hint = did_you_mean(named, [one.module for one in known]) or "`ignrun status` lists them"
                raise refusal_of(404, f"there is no module `{named}`", hint)
            case _:
                addresses = ", ".join(f"`{one.address}`" for one in found)
                raise refusal_of(409, f"`{named}` runs in several scopes", f"name one of {addresses}")


def answer(status: int, value: object) -> Response:
    """Make a response of JSON."""
    return Response(msgspec.json.encode(value), status, _HEADERS, "application/json")


class Refusal(HTTPException):
    """A request that is not answered; carries the Problem that says why."""

    def __init__(self, status: int, problem: Problem) -> None:
        """Take the HTTP status and the problem."""
        super().__init__(status, problem.summary)
        self.problem = problem


def refusal_of(status: int, summary: str, hint: str = "") -> Refusal:
    """Make a refusal."""
    return Refusal(status, Problem(summary, hint))


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


async def _on_bug(_: Request, error: Exception) -> Response:
    return answer(500, Problem(f"the runner made a mistake: {type(error).__name__}", "its log has the details"))


_HANDLERS: Final[dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]]] = {
    HTTPException: _on_http_exception,
    Failure: _on_failure,
    Exception: _on_bug,
}


def application(steering: Steering, streams: Streams) -> App:
    """Put the routes of a runner behind their guard."""
    app = Starlette(routes=Door(steering, streams).routes(), exception_handlers=dict(_HANDLERS))
    app.router.redirect_slashes = False
    return Guard(app)
