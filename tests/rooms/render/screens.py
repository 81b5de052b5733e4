"""Turns made-up plants into the page that shows what verbs look like on a terminal; `make reference` writes it."""

import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec.structs import replace

from ignrun.planner.plan.model import Edited, Plan, Step
from ignrun.render.names import short_names
from ignrun.render.progress import Picture, Tally, counted_line, picture_of, progress_table, told
from ignrun.render.status import status_of
from ignrun.render.status_report import StatusReport
from ignrun.render.status_table import status_text
from ignrun.render.top import top_of, top_text
from ignrun.render.why import why_report, why_text
from ignrun.runtime.apply.state import State
from ignrun.runtime.observe.figures import Figures
from ignrun.runtime.observe.observer import Look
from ignrun.runtime.supervise.roster import Backoff, Goal, HostPhase, HostRecord, Instance, Roster, Statistics
from ignrun.terms.events import Event, HealthChanged, LifecycleEvent, RetryScheduled, StepBegan, StepEnded
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.names import HostId, ModuleScope
from ignrun.terms.states import Health, ModuleState
from tests.house.tree import ROOT
from tests.rooms.render.plants import AT, RUNNER, at_line, command, graph_of, hosted, needs

PAGE: Final = ROOT / "docs" / "reference" / "screens.md"

WIDTH: Final = 100
MIB: Final = 2**20
NOW: Final = 4000.0
UP: Final[dict[str, Any]] = {
    "state": ModuleState.RUNNING, "health": Health.HEALTHY, "goal": Goal.UP, "since": NOW - 3720, "cause": "ready",
}  # fmt: skip
BUSY: Final = Fault(FaultKind.EXITED, "exit 1: port 8080 is taken")

SIX: Final = graph_of(
    hosted("tags@gateway"), hosted("alarms@gateway"), hosted("historian@gateway"), command("schema@gateway"), command("web@gateway"),
    command("mail@gateway"),
    edges=(
        needs("alarms@gateway", "tags@gateway"), needs("historian@gateway", "tags@gateway"), needs("historian@gateway", "schema@gateway"),
        needs("web@gateway", "historian@gateway"), needs("mail@gateway", "web@gateway"),
    ),
)  # fmt: skip
CROWD: Final = graph_of(*(hosted(f"line-{number:03}@gateway") for number in range(1, 1001)))


def status_of_six() -> StatusReport:
    """Six modules, one of which cannot bind its port."""
    specs = SIX.instances
    ups = {address: Instance(spec, **UP) for address, spec in specs.items()}
    schema, web, mail = list(ups)[3:]
    ups[schema] = replace(ups[schema], state=ModuleState.STOPPED, completed=True, cause="completed", goal=Goal.UP)
    ups[web] = replace(
        ups[web], state=ModuleState.ERROR, health=Health.UNHEALTHY, fault=BUSY, cause=BUSY.summary, since=NOW - 2,
        backoff=Backoff(attempt=3, next_retry=NOW + 4), statistics=Statistics(restart_count=2, error_count=3),
    )  # fmt: skip
    ups[mail] = replace(
        ups[mail], state=ModuleState.INITIALIZED, health=Health.UNKNOWN, upstream=web, cause="waits for web"
    )
    host = HostRecord(HostId("gateway"), ModuleScope.GATEWAY, own=False, pid=4711, phase=HostPhase.SERVING)
    state = State(graph=SIX, roster=Roster(ups, {host.host: host}), generation=12)
    return status_of(state, mono=NOW, at=AT, runner=RUNNER)


def status_of_crowd() -> StatusReport:
    """A thousand modules, two of which are not well."""
    ups = {address: Instance(spec, **UP) for address, spec in CROWD.instances.items()}
    ill, dead = list(ups)[41], list(ups)[776]
    ups[ill] = replace(ups[ill], health=Health.DEGRADED, health_reason="last value is 40 s old")
    ups[dead] = replace(ups[dead], state=ModuleState.ERROR, fault=BUSY, cause=BUSY.summary)
    host = HostRecord(HostId("gateway"), ModuleScope.GATEWAY, own=False, pid=4711, phase=HostPhase.SERVING)
    state = State(graph=CROWD, roster=Roster(ups, {host.host: host}), generation=3)
    return status_of(state, mono=NOW, at=AT, runner=RUNNER)


def happened(subject: str, body: Any, mono: float, seq: int = 1) -> Event:
    """Make an event of one of these plants."""
    return Event(seq, AT + timedelta(seconds=mono - NOW), mono, subject, 12, body)


def why_of_six() -> str:
    """Why mail does not run."""
    events = [
        happened(
            "mail@gateway", LifecycleEvent(ModuleState.UNINITIALIZED, ModuleState.INITIALIZED, "loaded"), NOW - 60, 118
        ),
        happened("mail@gateway", HealthChanged(Health.HEALTHY, Health.UNKNOWN, "stopped"), NOW - 8, 131),
        happened("mail@gateway", RetryScheduled(4.0, 3), NOW - 2, 140),
    ]
    return why_text(why_report(status_of_six(), "mail@gateway", events), list(SIX.instances), AT)


def picture_of_six() -> Picture:
    """An apply of the six under way: three have arrived, one has failed."""
    plan = Plan(0, "", tuple(Step(address, "create", Edited(at_line(1))) for address in SIX.instances), 0)
    picture = picture_of(plan, SIX)
    for subject, body, mono in [
        *(
            each
            for number, name in enumerate(("tags", "alarms", "schema"))
            for each in arrived(f"{name}@gateway", number + 1.0)
        ),
        ("historian@gateway", StepBegan(1, "create"), 3.5),
        ("historian@gateway", LifecycleEvent(ModuleState.INITIALIZED, ModuleState.STARTING, ""), 3.6),
    ]:
        picture = told(picture, happened(subject, body, mono))
    return picture


def arrived(subject: str, mono: float) -> list[tuple[str, Any, float]]:
    """Let an instance begin and, half a second later, run."""
    return [
        (subject, StepBegan(1, "create"), mono),
        (subject, LifecycleEvent(ModuleState.STARTING, ModuleState.RUNNING, "ready"), mono + 0.4),
        (subject, StepEnded(1, "create"), mono + 0.5),
    ]


def crowd_arriving() -> tuple[Picture, list[str]]:
    """An apply of the thousand: how it stands after 640 of them, and the lines that were written where there is no terminal."""
    plan = Plan(0, "", tuple(Step(address, "create", Edited(at_line(1))) for address in CROWD.instances), 0)
    picture, lines = picture_of(plan, CROWD), []
    tally, short = Tally(picture), short_names(CROWD.instances)
    for number, address in enumerate(list(CROWD.instances)[:648]):
        for subject, body, mono in arrived(address, number / 100)[: 3 if number < 640 else 1]:
            failed = StepEnded(1, "create", BUSY) if number == 100 and isinstance(body, StepEnded) else body
            event = happened(subject, failed, mono)
            picture = told(picture, event)
            tally.tell(event)
            line = counted_line(tally, event, short)
            if line and ("failed:" in line or (number % 200 == 199 and isinstance(body, StepEnded))):
                lines.append(line)
    return picture, lines


def drawn(picture: Picture, mono: float) -> str:
    """Draw the live table as a terminal of ten rows shows it."""
    from rich.console import Console

    out = io.StringIO()
    Console(file=out, width=WIDTH, color_system=None).print(progress_table(picture, mono=mono, rows=8))
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def top_of_six(at: datetime = AT) -> str:
    """What the processes of the six take."""
    report = status_of_six()
    pids = {one.address: one.pid for one in report.instances}
    ups = {address: Instance(spec, **UP) for address, spec in SIX.instances.items()}
    web = next(address for address in ups if address == "web@gateway")
    ups[web] = replace(ups[web], pid=4790)
    host = HostRecord(HostId("gateway"), ModuleScope.GATEWAY, own=False, pid=pids["tags@gateway"] or 0)
    takes = {
        "": [Look(n, Figures(42, (38 + n % 3) * MIB, 0.004, 6, 41, 0.0, 512.0)) for n in range(20)],
        "gateway": [Look(n, Figures(4711, (96 + n) * MIB, 0.02 * (n % 7), 9, 63, 2048.0, 81920.0)) for n in range(20)],
        "web@gateway": [
            Look(n, Figures(4790, 22 * MIB, 0.3 if n in {8, 9, 15} else 0.01, 3, 17, 0.0, 0.0)) for n in range(20)
        ],
    }
    state = State(graph=SIX, roster=Roster(ups, {host.host: host}))
    return top_text(top_of(state, "line", 42, at, lambda name: tuple(takes.get(name, ()))))


def page() -> str:
    """Write the whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    crowd, said = crowd_arriving()
    yield "# What it looks like"
    yield ""
    yield "Captures of a terminal, 100 characters wide, without its colours; made from the code by `make reference`."
    for title, command_line, text in [
        ("Status, six modules", "ignrun status", status_text(status_of_six(), now=AT, width=WIDTH, most=50)),
        ("Status, a thousand modules", "ignrun status", status_text(status_of_crowd(), now=AT, width=WIDTH, most=50)),
        ("Why", "ignrun why mail", why_of_six()),
        ("An apply under way, six modules", "ignrun apply", drawn(picture_of_six(), 9.2)),
        ("An apply under way, a thousand modules", "ignrun apply", drawn(crowd, 6.6)),
        ("The same where there is no terminal", "ignrun apply 2>&1 | cat", "".join(f"{line}\n" for line in said)),
        ("What the processes take", "ignrun top", top_of_six()),
    ]:
        yield from (
            "",
            f"## {title}",
            "",
            "```",
            f"$ {command_line}",
            *(line.rstrip() for line in text.splitlines()),
            "```",
        )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
