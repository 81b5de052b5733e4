"""Turns requests into calls of the runner, and its answers into responses; what no endpoint names is refused."""

import asyncio
from pathlib import Path
from typing import Any, Final, get_args

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ignrun.control.endpoints import ENDPOINTS
from ignrun.control.exchange import HANDLERS, HEADERS, answer, read_body, read_query, refusal_of
from ignrun.control.generations import latest_generations, one_generation
from ignrun.control.openapi import openapi
from ignrun.control.port import Steering
from ignrun.control.streams import Stream, Streams, apply_stream, begun, event_stream, log_stream
from ignrun.control.wire import (
    ApplyRequest,
    AskReply,
    AskRequest,
    CancelRequest,
    ConfigQuery,
    DownRequest,
    EventsQuery,
    GenerationsQuery,
    InstanceBrief,
    Level,
    LogsQuery,
    ModuleBrief,
    Modules,
    Problem,
    RollbackRequest,
    Verb,
    WatchRequest,
    Word,
)
from ignrun.render.config import ConfigsReport
from ignrun.render.outcome import OutcomeReport
from ignrun.render.plan import PlanReport
from ignrun.render.status_report import FORMAT_VERSION, InstanceStatus
from ignrun.runtime.journal.folder import StateFolder
from ignrun.runtime.observe.reader import LogReader
from ignrun.runtime.observe.record import LogRecord, log_name
from ignrun.terms.hints import did_you_mean

_DIGITS: Final = 16
_LONGEST_NAME: Final = 200  # a near word is looked for in the runner's loop
_DOCUMENT: Final[list[bytes]] = []
"""The OpenAPI document, once somebody has asked for it."""


class Door:
    """What answers the endpoints of one runner; the first line of each docstring is its summary in the OpenAPI document."""

    def __init__(self, steering: Steering, streams: Streams) -> None:
        """Take whom they steer and where their streams are kept."""
        self._steering = steering
        self._streams = streams
        self._applies: set[asyncio.Task[OutcomeReport]] = set()

    def routes(self) -> list[Route]:
        """Make the routes of the table; all else is 404."""
        return [Route(one.path, getattr(self, one.handler), methods=[one.method]) for one in ENDPOINTS]

    async def healthz(self, _: Request) -> Response:
        """Say that the runner's loop turns."""
        return answer(200, Word("ok"))

    async def readyz(self, _: Request) -> Response:
        """Say that the plant is up as wanted, or why it is not (503)."""
        reason = self._steering.ready()
        return answer(503, Problem(reason)) if reason else answer(200, Word("ready"))

    async def openapi(self, _: Request) -> Response:
        """Give this document."""
        if not _DOCUMENT:
            _DOCUMENT.append(msgspec.json.encode(openapi(ENDPOINTS, Door)))
        return Response(_DOCUMENT[0], 200, HEADERS, "application/json")

    # --- what is ------------------------------------------------------------------------------------------------------

    async def status(self, _: Request) -> Response:
        """Give the plant and its instances."""
        return answer(200, self._steering.status())

    async def modules(self, _: Request) -> Response:
        """Give the modules of the plant, each with its instances in a few words."""
        found: dict[str, list[InstanceBrief]] = {}
        for one in self._steering.status().instances:
            brief = InstanceBrief(one.address, one.scope, one.state, one.health, one.cause)
            found.setdefault(one.module, []).append(brief)
        briefs = tuple(ModuleBrief(name, tuple(each)) for name, each in found.items())
        return answer(200, Modules(FORMAT_VERSION, briefs))

    async def module(self, request: Request) -> Response:
        """Give one instance, by address, or by module where it has one scope."""
        return answer(200, self._instance(request.path_params["address"]))

    async def config(self, request: Request) -> Response:
        """Give the config in force, each value with the layer and the place that it comes from; secrets are masked."""
        named = read_query(request, ConfigQuery).module
        known = [one for one in self._steering.status().instances if named in {"", one.address, one.module}]
        if named and not known:
            self._instance(named)  # refuses
        reports = (self._steering.config(one.address) for one in known)
        return answer(200, ConfigsReport(FORMAT_VERSION, tuple(one for one in reports if one)))

    async def top(self, _: Request) -> Response:
        """Give the processes of the plant and what they take; asked again within 5 s they are looked at every second."""
        return answer(200, self._steering.top())

    async def alerts(self, _: Request) -> Response:
        """Give the alerts that fire, and those that are about to."""
        return answer(200, self._steering.alerts())

    async def report(self, _: Request) -> Response:
        """Give one archive about the plant for support; nothing in it holds a secret."""
        return Response(await self._steering.report(), 200, HEADERS, "application/zip")

    async def metrics(self, request: Request) -> Response:
        """Give all metrics as Prometheus reads them; `Accept` chooses the form."""
        from ignrun.render.metrics import metrics_text

        known = self._steering.known()
        text, media = await asyncio.to_thread(metrics_text, known, request.headers.get("accept", ""))
        return Response(text, 200, HEADERS, media)

    async def generations(self, request: Request) -> Response:
        """Give the latest generations: who brought which about, how it ended, which one is in force."""
        count = read_query(request, GenerationsQuery).count
        plant, folder = self._steering.runner.name, self._steering.runner.state_dir
        return answer(200, await asyncio.to_thread(latest_generations, plant, folder, count))

    async def generation(self, request: Request) -> Response:
        """Give one generation in full: its plan, what came of each step, and all that it was made from."""
        number = request.path_params["number"]
        if not (number.isascii() and number.isdecimal() and len(number) < _DIGITS):
            raise refusal_of(404, f"`{number}` is no number of a generation")
        return answer(200, await asyncio.to_thread(one_generation, self._steering.runner.state_dir, int(number)))

    async def events(self, request: Request) -> Stream:
        """Stream what happens, each message with the number of its event as id; Last-Event-ID resumes behind it."""
        query = read_query(request, EventsQuery)
        feed = self._steering.feed
        resumed = request.headers.get("last-event-id", "")
        if resumed and not (resumed.isdecimal() and resumed.isascii()):
            raise refusal_of(400, "`Last-Event-ID` is the number of an event")
        after = int(resumed[:20]) if resumed else query.after
        first = max(0, feed.last + after) if after < 0 else after
        return self._stream(event_stream(feed, first, follow=query.follow))

    async def logs(self, request: Request) -> Stream:
        """Stream the last lines that modules wrote, and those to come."""
        query = read_query(request, LogsQuery)
        for one in query.module:
            if log_name(one) != one.partition("@")[0]:
                raise refusal_of(404, f"there is no module `{one}`")
        folder = StateFolder(Path(self._steering.runner.state_dir)).logs
        return self._stream(log_stream(lambda: _log_reader(folder, query), query.lines, follow=query.follow))

    # --- what is asked for --------------------------------------------------------------------------------------------

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
        address = self._instance(request.path_params["address"]).address
        refusal = await self._steering.ask(asked, address, body.by)
        return answer(409, Problem(refusal)) if refusal else answer(200, AskReply(address, asked))

    async def plan(self, request: Request) -> Response:
        """Say what an apply would do (200), or what is wrong with the manifest (422)."""
        report = await self._steering.plan(await read_body(request, ApplyRequest))
        return answer(200 if isinstance(report, PlanReport) else 422, report)

    async def apply(self, request: Request) -> Stream:
        """Apply, and stream what happens meanwhile; the apply does not need its client."""
        body = await read_body(request, ApplyRequest)
        return self._stream(apply_stream(self._steering.feed, lambda: begun(self._steering.apply(body), self._applies)))

    async def rollback(self, request: Request) -> Stream:
        """Bring a kept generation into force again, and stream what happens meanwhile, as for an apply."""
        body = await read_body(request, RollbackRequest)
        return self._stream(
            apply_stream(self._steering.feed, lambda: begun(self._steering.rollback(body), self._applies))
        )

    async def cancel(self, request: Request) -> Response:
        """Have the open apply taken back; asked a second time, stop waiting for the way back."""
        body = await read_body(request, CancelRequest)
        self._steering.cancel(body.by)
        return answer(202, Word("going back"))

    async def watch(self, _: Request) -> Response:
        """Give what watches the files of the plant: how, since when, what came of the last edit, and what is held back."""
        return answer(200, self._steering.watch())

    async def pause_watch(self, request: Request) -> Response:
        """Hold every edit of the files back until it is resumed."""
        return self._watched(self._steering.pause_watch((await read_body(request, WatchRequest)).by))

    async def resume_watch(self, request: Request) -> Response:
        """Let edits of the files through again, what was suspended among them."""
        return self._watched(self._steering.resume_watch((await read_body(request, WatchRequest)).by))

    def _watched(self, refusal: str) -> Response:
        hint = "`--watch`, or `watch:` in the manifest, asks for it"
        return answer(409, Problem(refusal, hint)) if refusal else answer(200, self._steering.watch())

    async def down(self, request: Request) -> Response:
        """Begin to take the plant down; the runner ends afterwards."""
        body = await read_body(request, DownRequest)
        await self._steering.shutdown(body.by)
        return answer(202, Word("going down"))

    # --- whom and how -------------------------------------------------------------------------------------------------

    def _stream(self, pieces: Any) -> Stream:
        if self._streams.is_full:
            raise refusal_of(503, "this runner serves as many streams as it can", "end one of them")
        return self._streams.answer(pieces)

    def _instance(self, named: str) -> InstanceStatus:
        known = self._steering.status().instances
        found = [one for one in known if named in {one.address, one.module}]
        match found:
            case [one]:
                return one
            case []:
                near = did_you_mean(named, [one.module for one in known]) if len(named) <= _LONGEST_NAME else ""
                hint = near or "`ignrun status` lists them"
                raise refusal_of(404, f"there is no module `{named}`", hint)
            case _:
                addresses = ", ".join(f"`{one.address}`" for one in found)
                raise refusal_of(409, f"`{named}` runs in several scopes", f"name one of {addresses}")


_RANKS: Final = {name: at for at, name in enumerate(get_args(Level))}


def _log_reader(folder: Path, query: LogsQuery) -> LogReader:
    addresses = {one for one in query.module if "@" in one}

    def accept(record: LogRecord) -> bool:
        wanted = not addresses or record.address in addresses
        heavy = _RANKS.get(record.level.lower(), len(_RANKS)) >= _RANKS[query.level]
        return wanted and heavy and query.grep in record.text

    return LogReader(folder, tuple(dict.fromkeys(map(log_name, query.module))), accept)


def application(steering: Steering, streams: Streams) -> Starlette:
    """Put the routes of a runner together; nobody may reach them but through a Guard."""
    app = Starlette(routes=Door(steering, streams).routes(), exception_handlers=dict(HANDLERS))
    app.router.redirect_slashes = False
    return app
