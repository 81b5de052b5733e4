"""Turns what the processes of a plant take into a TopReport, and that into a table."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from ignrun.render.columns import Cell, columns
from ignrun.render.names import ShortName, short_names
from ignrun.render.paint import Paint, plain, style_of_health, style_of_state
from ignrun.render.sparkline import sparkline
from ignrun.runtime.apply.state import State
from ignrun.runtime.observe.observer import RUNNER, Look
from ignrun.runtime.observe.seen import processes_of, subject_of
from ignrun.runtime.supervise.roster import Instance
from ignrun.terms.duration import show_size
from ignrun.terms.names import Address

FORMAT_VERSION: Final = "1.0"
"""Version of the JSON form; fields are added and never renamed or removed within 1."""

DRAWN: Final = 20
"""How many of the last looks are drawn."""


class ProcessUse(msgspec.Struct, frozen=True):
    """One process of a plant and what it takes; null where it is not known (yet).

    `kind` is `runner`, `host` or `command`; `instances` are the addresses that live in it; `memory` in bytes, `cpu` in per cent
    of one processor, `read` and `written` in bytes a second. `cpu_series` and `memory_series` are the last looks, oldest first.
    """

    name: str
    kind: str
    pid: int
    instances: tuple[str, ...]
    state: str
    health: str
    memory: int | None = None
    cpu: float | None = None
    threads: int | None = None
    descriptors: int | None = None
    read: float | None = None
    written: float | None = None
    cpu_series: tuple[float | None, ...] = ()
    memory_series: tuple[int, ...] = ()


class TopReport(msgspec.Struct, frozen=True):
    """The processes of a plant at one moment (aware UTC), the runner's own first, then those that take most."""

    format_version: str
    plant: str
    at: datetime
    processes: tuple[ProcessUse, ...]


def top_of(state: State, plant: str, pid: int, at: datetime, looks: Callable[[str], tuple[Look, ...]]) -> TopReport:
    """Describe the processes of a plant; `looks` gives the last looks at one."""
    lives: dict[str, list[str]] = {}
    for address, one in state.roster.instances.items():
        lives.setdefault(subject_of(one), []).append(address)
    runner = _use(ProcessUse("runner", "runner", pid, (), "", ""), [], looks(RUNNER))
    others = []
    for name, its in processes_of(state).items():
        kind = "host" if name in state.roster.hosts else "command"
        known = [state.roster.instances[Address(address)] for address in lives.get(name, ())]
        others.append(_use(ProcessUse(name, kind, its, tuple(lives.get(name, ())), "", ""), known, looks(name)))
    others.sort(key=lambda one: (-(one.cpu or 0.0), -(one.memory or 0), one.name))
    return TopReport(FORMAT_VERSION, plant, at, (runner, *others))


def _use(process: ProcessUse, known: list[Instance], looks: tuple[Look, ...]) -> ProcessUse:
    """Add to a process how those do that live in it, and what it takes."""
    last = looks[-1].figures if looks and looks[-1].figures.pid == process.pid else None
    return replace(
        process,
        state=_common([one.state.value for one in known]),
        health=_common([one.health.value for one in known]),
        memory=last.memory if last else None,
        cpu=_percent(last.cpu) if last else None,
        threads=last.threads if last else None,
        descriptors=last.descriptors if last else None,
        read=last.read if last else None,
        written=last.written if last else None,
        cpu_series=tuple(_percent(one.figures.cpu) for one in looks[-DRAWN:]),
        memory_series=tuple(one.figures.memory for one in looks[-DRAWN:]),
    )


def _common(words: list[str]) -> str:
    """Give the word that all have, else how many have the most frequent one."""
    kinds = sorted(set(words), key=words.count, reverse=True)
    return kinds[0] if len(kinds) == 1 else f"{words.count(kinds[0])}/{len(words)} {kinds[0]}" if kinds else ""


def _percent(cpu: float | None) -> float | None:
    return None if cpu is None else round(100 * cpu, 1)


# --- text -------------------------------------------------------------------------------------------------------------

_HEAD: Final = (
    "PROCESS",
    "PID",
    "STATE",
    "HEALTH",
    "CPU %",
    "",
    "MEMORY",
    "",
    "FDS",
    "THREADS",
    "READ/s",
    "WRITTEN/s",
    "MODULES",
)


def top_text(report: TopReport, *, paint: Paint = plain, width: int | None = None, rows: int | None = None) -> str:
    """Write a report as a table of at most `rows` processes."""
    short = short_names(address for one in report.processes for address in one.instances)
    shown = report.processes[:rows]
    left = len(report.processes) - len(shown)
    table = columns(_HEAD, [_row(one, short) for one in shown], paint=paint, width=width)
    total = sum(one.memory or 0 for one in report.processes)
    cpu = sum(one.cpu or 0.0 for one in report.processes)
    title = f"{report.plant}: {len(report.processes)} processes, {cpu:.1f} % of a processor, {show_size(total)}"
    more = f"and {left} more\n" if left > 0 else ""
    return f"{title}\n\n{table}{more}"


def _row(one: ProcessUse, short: ShortName) -> tuple[Cell | str, ...]:
    return (
        Cell(short(one.name), "strong"),
        str(one.pid),
        Cell(one.state, style_of_state(one.state)),
        Cell(one.health, style_of_health(one.health)),
        "-" if one.cpu is None else f"{one.cpu:.1f}",
        Cell(sparkline(one.cpu_series, floor=0.0), "dim"),
        "-" if one.memory is None else show_size(one.memory),
        Cell(sparkline(one.memory_series, floor=0.0), "dim"),
        "-" if one.descriptors is None else str(one.descriptors),
        "-" if one.threads is None else str(one.threads),
        "-" if one.read is None else show_size(one.read),
        "-" if one.written is None else show_size(one.written),
        _modules(one, short),
    )


def _modules(one: ProcessUse, short: ShortName) -> str:
    if one.kind != "host" or one.instances == (one.name,):
        return ""
    names = [short(address) for address in one.instances]
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")  # noqa: PLR2004 - as many as fit
