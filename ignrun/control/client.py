"""Turns calls into HTTP requests to a runner, and its answers back into values or failures."""

import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import msgspec

from ignrun.control.speaking import Answer, send
from ignrun.control.sse import messages
from ignrun.control.wire import (
    ApplyRequest,
    AskReply,
    AskRequest,
    CancelRequest,
    DownRequest,
    Modules,
    Problem,
    RollbackRequest,
    Verb,
    WatchRequest,
)
from ignrun.render.outcome import OutcomeReport
from ignrun.render.status_report import InstanceStatus, StatusReport
from ignrun.terms.events import Event
from ignrun.terms.failure import Failure, NoRunner, RunnerRefused, WaitTimedOut

if TYPE_CHECKING:
    from ignrun.render.alerts import AlertsReport
    from ignrun.render.config import ConfigsReport
    from ignrun.render.diagnostics import Diagnosis
    from ignrun.render.history import DetailReport, HistoryReport
    from ignrun.render.plan import PlanReport
    from ignrun.render.top import TopReport
    from ignrun.runtime.observe.record import LogRecord
    from ignrun.runtime.watch.status import WatchStatus

T = TypeVar("T")

_OK: Final = 200
_CONFLICT: Final = 409

PATIENCE: Final = 10.0
"""Seconds until a runner must have answered what it can answer at once."""


class Client:
    """A client of one runner, at its control socket or on loopback; every call opens a connection of its own.

    Each raises NoRunner when nobody answers at the socket (or the runner ended before it had answered), RunnerRefused with the
    runner's own words, and WaitTimedOut when the answer did not come in time.
    """

    def __init__(self, path: str, patience: float = PATIENCE) -> None:
        """Take the path of a control socket, and how many seconds an answer may take."""
        self._connect: Callable[[float | None], socket.socket] = lambda seconds: _at_path(path, seconds)
        self._patience = patience
        self._headers = {"Content-Type": "application/json"}

    @classmethod
    def at(cls, url: str, token: str, patience: float = PATIENCE) -> Self:
        """Make a client of a runner that listens on loopback (`--listen`); the token stands in its state folder."""
        from urllib.parse import urlsplit

        place = urlsplit(url)
        where = (place.hostname or "", place.port or 80)
        client = cls("", patience)
        client._connect = lambda seconds: socket.create_connection(where, seconds)
        client._headers["Authorization"] = f"Bearer {token}"
        return client

    @classmethod
    def of(cls, plant: str, patience: float = PATIENCE) -> Self:
        """Make a client of the plant of this name that runs on this machine; raises NoRunner or AmbiguousPlant."""
        import os

        from ignrun.runtime.journal.registry import live_runners, run_time_folder
        from ignrun.terms.failure import AmbiguousPlant

        found = [one for one in live_runners(run_time_folder(os.environ)) if one.plant == plant]
        if len(found) > 1:
            raise AmbiguousPlant(tuple(f"{one.plant} ({one.manifest})" for one in found))
        if not found:
            raise NoRunner(f"no plant `{plant}` runs", "`ignrun ps` lists those that do")
        return cls(found[0].socket, patience)

    def status(self) -> StatusReport:
        """Ask for the plant and its instances."""
        return self._get("/v1/status", StatusReport)

    def top(self) -> "TopReport":
        """Ask for the processes of the plant and what they take; asked again within 5 s they are looked at every second."""
        from ignrun.render.top import TopReport

        return self._get("/v1/top", TopReport)

    def alerts(self) -> "AlertsReport":
        """Ask for the alerts that fire, and those that are about to."""
        from ignrun.render.alerts import AlertsReport

        return self._get("/v1/alerts", AlertsReport)

    def report(self) -> bytes:
        """Ask for a diagnostic report: a zip file without secrets."""
        with self._answer("GET", "/v1/report", None, self._patience) as response, _exchange():
            return response.read()

    def metrics(self) -> str:
        """Ask for all metrics in Prometheus' text form."""
        with self._answer("GET", "/metrics", None, self._patience) as response, _exchange():
            return response.read().decode()

    def module(self, address: str) -> InstanceStatus:
        """Ask for one instance, by address or, where it has one scope, by module."""
        return self._get(f"/v1/modules/{_quoted(address)}", InstanceStatus)

    def ask(self, verb: Verb, address: str, by: str = "", patience: float | None = None) -> AskReply:
        """Ask something of an instance and return when it holds; waits without end unless `patience` (seconds) is given."""
        route = "maintenance" if verb == "resume" else verb
        path = f"/v1/modules/{_quoted(address)}/{route}"
        with self._answer("POST", path, AskRequest(by, verb == "resume"), patience) as response:
            return _decoded(response, AskReply)

    def plan(self, request: ApplyRequest) -> "PlanReport | Diagnosis":
        """Ask what an apply would do; a Diagnosis says what is wrong with the manifest."""
        from ignrun.render.diagnostics import Diagnosis
        from ignrun.render.plan import PlanReport

        with self._answer("POST", "/v1/plan", request, None, accepted=(200, 422)) as response:
            if response.status == _OK:
                return _decoded(response, PlanReport)
            return _decoded(response, Diagnosis)

    def apply(self, request: ApplyRequest, on_event: Callable[[Event], None] = lambda _: None) -> OutcomeReport:
        """Hand a manifest over and return at the outcome; `on_event` hears of everything that happens meanwhile.

        The apply goes on when this is interrupted.
        """
        return self._converge("/v1/apply", request, on_event)

    def rollback(self, request: RollbackRequest, on_event: Callable[[Event], None] = lambda _: None) -> OutcomeReport:
        """Have a kept generation come into force again and return at the outcome, as `apply` does."""
        return self._converge("/v1/rollback", request, on_event)

    def watch(self) -> "WatchStatus":
        """Ask what watches the files of the plant."""
        from ignrun.runtime.watch.status import WatchStatus

        return self._get("/v1/watch", WatchStatus)

    def pause_watch(self, by: str) -> None:
        """Have every edit of the files held back."""
        with self._answer("POST", "/v1/watch/pause", WatchRequest(by), self._patience):
            pass

    def resume_watch(self, by: str) -> None:
        """Have edits of the files let through again."""
        with self._answer("POST", "/v1/watch/resume", WatchRequest(by), self._patience):
            pass

    def cancel(self, by: str) -> None:
        """Have the open apply taken back; asked a second time, its way back is not waited for any longer."""
        with self._answer("POST", "/v1/cancel", CancelRequest(by), self._patience, accepted=(202,)):
            pass

    def _converge(
        self, path: str, request: ApplyRequest | RollbackRequest, on_event: Callable[[Event], None]
    ) -> OutcomeReport:
        with self._answer("POST", path, request, None) as response:
            for message in messages(_lines(response)):
                match message.kind:
                    case "outcome":
                        return _read(message.data, OutcomeReport)
                    case "problem":
                        raise _refusal(_CONFLICT, _read(message.data, Problem))
                    case _:
                        on_event(_read(message.data, Event))
        raise NoRunner("the runner ended before the apply did", "`ignrun status` says how the plant is")

    def events(self, after: int = 0, *, follow: bool = False) -> Iterator[Event]:
        """Give events with numbers above `after` (the last N for -N); with `follow` also those to come, until the runner ends."""
        yield from self._stream("/v1/events", {"after": after, "follow": follow}, Event)

    def logs(
        self,
        *modules: str,
        level: str = "debug",
        grep: str = "",
        lines: int = 100,
        follow: bool = False,
    ) -> "Iterator[LogRecord]":
        """Give the last `lines` lines of these modules (all where none is named) that hold `grep`; with `follow` also those to come."""
        from ignrun.runtime.observe.record import LogRecord

        wanted = {"module": modules, "level": level, "grep": grep, "lines": lines, "follow": follow}
        yield from self._stream("/v1/logs", wanted, LogRecord)

    def generations(self, count: int = 20) -> "HistoryReport":
        """Ask for the latest generations, the newest first."""
        from ignrun.render.history import HistoryReport

        return self._get(f"/v1/generations?count={count}", HistoryReport)

    def generation(self, number: int) -> "DetailReport":
        """Ask for one generation in full."""
        from ignrun.render.history import DetailReport

        return self._get(f"/v1/generations/{number}", DetailReport)

    def modules(self) -> Modules:
        """Ask for the modules of the plant, each with its instances in a few words."""
        return self._get("/v1/modules", Modules)

    def config(self, module: str = "") -> "ConfigsReport":
        """Ask for the config in force, of one module or of all; secrets are masked."""
        from ignrun.render.config import ConfigsReport

        return self._get(f"/v1/config?{_query({'module': module})}", ConfigsReport)

    def down(self, by: str = "") -> None:
        """Ask the plant to go down; returns at once, the runner ends when everything has stopped."""
        with self._answer("POST", "/v1/down", DownRequest(by), self._patience, accepted=(202,)):
            pass

    def ready(self) -> str:
        """Ask why the plant is not up as wanted; nothing when it is."""
        with self._answer("GET", "/readyz", None, self._patience, accepted=(200, 503)) as response:
            return _decoded(response, Problem).summary if response.status != _OK else ""

    # --- one exchange -------------------------------------------------------------------------------------------------

    def _get(self, path: str, wanted: type[T]) -> T:
        with self._answer("GET", path, None, self._patience) as response:
            return _decoded(response, wanted)

    def _stream(self, path: str, query: dict[str, Any], wanted: type[T]) -> Iterator[T]:
        words = {name: str(value).lower() if isinstance(value, bool) else value for name, value in query.items()}
        patience = None if query["follow"] else self._patience
        with self._answer("GET", f"{path}?{_query(words)}", None, patience) as response:
            for message in messages(_lines(response)):
                yield _read(message.data, wanted)

    @contextmanager
    def _answer(
        self, method: str, path: str, body: object, patience: float | None, accepted: tuple[int, ...] = (200,)
    ) -> Iterator[Answer]:
        """Send a request and give its answer; whatever goes wrong on the way becomes a failure."""
        with _exchange():
            connection = self._connect(patience)
        try:
            with _exchange():
                response = send(connection, method, path, self._headers, _encoded(body))
            with closing(response):
                if response.status not in accepted:
                    raise _refusal(response.status, _decoded(response, Problem))
                yield response
        finally:
            connection.close()


@contextmanager
def _exchange() -> Iterator[None]:
    """Turn what goes wrong between two processes into a failure."""
    try:
        yield
    except TimeoutError as error:
        raise WaitTimedOut(
            "the runner has not answered in time", "it is alive; `ignrun status` may say more"
        ) from error
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise NoRunner("no runner answers", "`ignrun apply` starts one") from error
    except PermissionError as error:
        raise NoRunner("the runner belongs to another user", "ask as that user") from error
    except OSError as error:
        raise NoRunner("the runner ended before it had answered", "`ignrun status` says how the plant is") from error


def _at_path(path: str, patience: float | None) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(patience)
        connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")


def _query(words: dict[str, Any]) -> str:
    from urllib.parse import urlencode

    return urlencode(words, doseq=True)


def _encoded(body: object) -> bytes | None:
    if body is None:
        return None
    if isinstance(body, ApplyRequest | RollbackRequest):
        speakable = {name: text for name, text in body.environment.items() if _is_text(name) and _is_text(text)}
        body = msgspec.structs.replace(body, environment=speakable)
    return msgspec.json.encode(body)


def _is_text(text: str) -> bool:
    """Tell whether a variable can be handed on: the bytes of one that is no UTF-8 cannot stand in JSON."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _lines(response: Answer) -> Iterator[bytes]:
    lines = response.lines()
    while True:
        with _exchange():
            line = next(lines, None)
        if line is None:
            return
        yield line


def _decoded(response: Answer, wanted: type[T]) -> T:
    with _exchange():
        text = response.read()
    return _read(text, wanted)


def _read(text: bytes, wanted: type[T]) -> T:
    try:
        return msgspec.json.decode(text, type=wanted)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _strange(error) from error


def _strange(error: Exception) -> Failure:
    return Failure(f"the runner answered what this program does not understand ({error})", "is it of another version?")


def _refusal(status: int, problem: Problem) -> RunnerRefused:
    return RunnerRefused(status, problem.summary, problem.hint, problem.kind)
