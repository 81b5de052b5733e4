"""Owns the table of everything that the control API answers: the routes and the OpenAPI document are both made of it."""

from typing import Any, Final

import msgspec

from ignrun.control.sse import MEDIA_TYPE
from ignrun.control.wire import (
    ApplyRequest,
    AskReply,
    AskRequest,
    CancelRequest,
    ConfigQuery,
    DownRequest,
    EventsQuery,
    GenerationsQuery,
    LogsQuery,
    Modules,
    RollbackRequest,
    WatchRequest,
    Word,
)
from ignrun.render.alerts import AlertsReport
from ignrun.render.config import ConfigsReport
from ignrun.render.diagnostics import Diagnosis
from ignrun.render.history import DetailReport, HistoryReport
from ignrun.render.outcome import OutcomeReport
from ignrun.render.plan import PlanReport
from ignrun.render.status_report import InstanceStatus, StatusReport
from ignrun.render.top import TopReport
from ignrun.runtime.observe.record import LogRecord
from ignrun.runtime.watch.status import WatchStatus
from ignrun.terms.events import Event

JSON: Final = "application/json"


class Answer(msgspec.Struct, frozen=True):
    """What may come back: the type of its JSON (of each message, where it is a stream), and its media type.

    `last` is the type of a stream's last message, whose event is `outcome`.
    """

    type: Any
    media: str = JSON
    last: Any = None


class Endpoint(msgspec.Struct, frozen=True):
    """One method of one path: `handler` is the method of Door that answers, and whose docstring says what it does.

    `answers` by HTTP status; what else goes wrong is a Problem.
    """

    method: str
    path: str
    handler: str
    answers: dict[int, Answer]
    body: Any = None
    query: Any = None


def _stream(of: Any, last: Any = None) -> Answer:
    return Answer(of, MEDIA_TYPE, last)


_MODULE: Final = "/v1/modules/{address}"

ENDPOINTS: Final = (
    Endpoint("GET", "/healthz", "healthz", {200: Answer(Word)}),
    Endpoint("GET", "/readyz", "readyz", {200: Answer(Word)}),
    Endpoint("GET", "/openapi.json", "openapi", {200: Answer(dict[str, Any])}),
    Endpoint("GET", "/v1/status", "status", {200: Answer(StatusReport)}),
    Endpoint("GET", "/v1/modules", "modules", {200: Answer(Modules)}),
    Endpoint("GET", _MODULE, "module", {200: Answer(InstanceStatus)}),
    Endpoint("POST", f"{_MODULE}/start", "start", {200: Answer(AskReply)}, body=AskRequest),
    Endpoint("POST", f"{_MODULE}/stop", "stop", {200: Answer(AskReply)}, body=AskRequest),
    Endpoint("POST", f"{_MODULE}/restart", "restart", {200: Answer(AskReply)}, body=AskRequest),
    Endpoint("POST", f"{_MODULE}/maintenance", "maintenance", {200: Answer(AskReply)}, body=AskRequest),
    Endpoint("POST", "/v1/plan", "plan", {200: Answer(PlanReport), 422: Answer(Diagnosis)}, body=ApplyRequest),
    Endpoint("POST", "/v1/apply", "apply", {200: _stream(Event, OutcomeReport)}, body=ApplyRequest),
    Endpoint("POST", "/v1/rollback", "rollback", {200: _stream(Event, OutcomeReport)}, body=RollbackRequest),
    Endpoint("GET", "/v1/generations", "generations", {200: Answer(HistoryReport)}, query=GenerationsQuery),
    Endpoint("GET", "/v1/generations/{number}", "generation", {200: Answer(DetailReport)}),
    Endpoint("POST", "/v1/cancel", "cancel", {202: Answer(Word)}, body=CancelRequest),
    Endpoint("GET", "/v1/events", "events", {200: _stream(Event)}, query=EventsQuery),
    Endpoint("GET", "/v1/logs", "logs", {200: _stream(LogRecord)}, query=LogsQuery),
    Endpoint("GET", "/v1/top", "top", {200: Answer(TopReport)}),
    Endpoint("GET", "/v1/alerts", "alerts", {200: Answer(AlertsReport)}),
    Endpoint("GET", "/v1/report", "report", {200: Answer(str, "application/zip")}),
    Endpoint("GET", "/metrics", "metrics", {200: Answer(str, "text/plain")}),
    Endpoint("GET", "/v1/config", "config", {200: Answer(ConfigsReport)}, query=ConfigQuery),
    Endpoint("GET", "/v1/watch", "watch", {200: Answer(WatchStatus)}),
    Endpoint("POST", "/v1/watch/pause", "pause_watch", {200: Answer(WatchStatus)}, body=WatchRequest),
    Endpoint("POST", "/v1/watch/resume", "resume_watch", {200: Answer(WatchStatus)}, body=WatchRequest),
    Endpoint("POST", "/v1/down", "down", {202: Answer(Word)}, body=DownRequest),
)
"""Everything that is answered; all else is 404 or 405."""
