"""Holds everything that is written for people to showing what modules say, and never obeying it."""

import io
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from ignrun.render.columns import columns
from ignrun.render.doctor import Finding, doctor_report, doctor_text
from ignrun.render.events import event_line
from ignrun.render.health import health_moves, health_report, health_text, history_text
from ignrun.render.logs import log_text
from ignrun.render.outcome import InstanceFault, OutcomeReport, outcome_text
from ignrun.render.progress import Lane, Picture, progress_line, progress_table, told
from ignrun.render.status_report import FaultStatus, StatusReport
from ignrun.render.status_table import status_text
from ignrun.render.why import why_report, why_text
from ignrun.runtime.observe.record import LogRecord
from ignrun.terms.events import Event, HealthChanged, LifecycleEvent, OperatorAsked, StepEnded
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.states import Health, ModuleState
from tests.rooms.control.scripted import T0, ScriptedRunner, instance

ESC = "\x1b"
PAYLOADS = [
    f"{ESC}[2J", f"{ESC}[H", f"{ESC}[31m", f"{ESC}[0m", f"{ESC}[1;31;5m", f"{ESC}[?25l", f"{ESC}[?1049h", f"{ESC}[6n", f"{ESC}[c", f"{ESC}[5i",
    f"{ESC}]0;owned\x07", f"{ESC}]2;owned{ESC}\\", f"{ESC}]8;;http://evil.example\x07click{ESC}]8;;\x07", f"{ESC}]52;c;ZXZpbA==\x07",
    f"{ESC}]1337;File=:AAAA\x07", f"{ESC}P+q544e{ESC}\\", f"{ESC}_Gi=1;AAAA{ESC}\\", f"{ESC}^private{ESC}\\", f"{ESC}(0", f"{ESC}c", f"{ESC}7{ESC}8",
    f"{ESC}[1A{ESC}[2K", f"{ESC}[99999;99999H", f"{ESC}[20h", f"{ESC}#8", f"{ESC}%G", f"{ESC}[8;1;1t", f"{ESC}[>4;2m", f"{ESC}=", f"{ESC}N",
    "\x9b2J", "\x9b31m", "\x9d0;owned\x9c", "\x90q\x9c", "\x84", "\x85", "\x07", "\x08" * 20, "\x00", "\x7f", "\r", "\rroot# ", "\n", "\r\n", "\v", "\f",
    "\x0e\x0f", "\u202etxt.exe", "\u2066\u2069", "\u2028", "\u2029", "\ud800", f"a{ESC}", f"{ESC}{ESC}[31m", "[bold red]markup[/]", "[link=x]y[/link]",
]  # fmt: skip
"""What a name, a reason, a log line or a traceback could say to a terminal."""

FORBIDDEN = {
    *map(chr, range(0x20)),
    *map(chr, range(0x7F, 0xA0)),
    "\u2028",
    "\u2029",
    "\u202e",
    "\u2066",
    "\u2069",
    "\ud800",
} - {"\n"}


def texts(said: str) -> dict[str, str]:
    """Let every text for people say this where a module, a user or a file decides what it says."""
    fault = Fault(FaultKind.RAISED, said, said, "", f"Traceback\n{said}")
    one = msgspec.structs.replace(
        instance("tags@gateway"), state="error", health="unhealthy", health_reason=said, cause=said, held_by=said, alone=said,
        fault=FaultStatus("raised", said, said, "", said), host=said, completed=False,
    )  # fmt: skip
    report = ScriptedRunner().status()
    plant = msgspec.structs.replace(report.plant, name=said, note=said, listen=said)
    report = StatusReport("1.0", plant, (one,))
    now = datetime(2026, 5, 4, 3, 3, tzinfo=UTC)
    moved = Event(
        1, T0, 1.0, "tags@gateway", 1, LifecycleEvent(ModuleState.STARTING, ModuleState.ERROR, said, 1, fault)
    )
    ended = Event(2, T0, 1.0, "tags@gateway", 1, StepEnded(1, "create", fault))
    asked = Event(3, T0, 1.0, said, 1, OperatorAsked(said, said))
    sick = Event(4, T0, 1.0, "tags@gateway", 1, HealthChanged(Health.HEALTHY, Health.UNHEALTHY, said))
    told_of = {"why": why_text(why_report(report, "tags@gateway", (moved, asked, sick)), ["tags@gateway"], now)}
    return told_of | {
        "status": status_text(report, now=now),
        "status of a terminal": status_text(report, now=now, width=80),
        "events": "\n".join(map(event_line, (moved, ended, asked, sick))),
        "progress": "\n".join(progress_line(one) or "" for one in (moved, ended, sick)),
        "progress of a terminal": table(said, ended),
        "logs": log_text(LogRecord(T0, said, said, said, fields={said: said, "n": [said]}), name=said),
        "outcome": outcome_text(OutcomeReport("1.0", 1, "held", 1, said, (InstanceFault("tags@gateway", FaultStatus("raised", said, said, "", said)),))),
        "health": health_text((one,), ["tags@gateway"]),
        "history of health": history_text(health_report((one,), health_moves([sick])), ["tags@gateway"]),
        "doctor": doctor_text(doctor_report((Finding("x", "bad", said, said),))),
        "columns": columns(("A", "B"), [(said, said)]),
    }  # fmt: skip


def table(said: str, event: Any) -> str:
    from rich.console import Console

    out = io.StringIO()
    picture = told(Picture({"tags@gateway": Lane("tags@gateway", "create")}, phase=said), event)
    Console(file=out, width=200, color_system=None, force_terminal=False).print(
        progress_table(picture, mono=1.0, rows=5)
    )
    return out.getvalue()


@pytest.mark.parametrize("payload", PAYLOADS, ids=[ascii(one) for one in PAYLOADS])
def test_no_text_for_people_obeys_what_a_module_says(payload) -> None:
    for name, text in texts(f"a{payload}b").items():
        assert FORBIDDEN & set(text) == set(), name
        assert "\nb" not in text.replace("\n    | b", ""), name  # no text makes lines of its own


def test_this_would_find_what_is_not_neutralised() -> None:
    assert len(PAYLOADS) >= 50
    assert FORBIDDEN & set(f"a{ESC}[2J")
