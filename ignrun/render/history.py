"""Turns generations into the history of a plant: public JSON, and the table and the page that people read."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ignrun.render.columns import Cell, columns
from ignrun.render.names import short_names
from ignrun.render.paint import Paint, plain
from ignrun.render.plan import SIGNS, PlanReport, plan_report, plan_text
from ignrun.render.status_report import FaultStatus
from ignrun.render.terminal import neutral

if TYPE_CHECKING:
    from ignrun.runtime.journal.generations import Generation, HistoryEntry

FORMAT_VERSION: Final = "1.0"
"""Version of the JSON form; fields are added and never renamed or removed within 1."""

_HEAD: Final = ("GENERATION", "WHEN (UTC)", "WHO", "BY", "RESULT", "CHANGES", "SUMMARY")
_STYLES: Final = {"committed": "new", "rolled-back": "gone", "rollback-partial": "gone", "rejected": "gone"}


class GenerationReport(msgspec.Struct, frozen=True):
    """One generation in short.

    `trigger` is `cli`, `api`, `watch`, `rollback` or `boot`; `result` that of its apply, null while it is not known; `changes`
    counts the steps of its plan by action. `current` marks the one in force, `good` the last that has proven itself;
    `readable` is false where the store is damaged there.
    """

    number: int
    at: datetime
    ended: datetime | None
    author: str
    trigger: str
    parent: int
    target_digest: str
    result: str | None
    summary: str
    changes: dict[str, int]
    current: bool
    good: bool
    readable: bool


class InputReport(msgspec.Struct, frozen=True):
    """One file that was read, with the SHA-256 of its bytes."""

    path: str
    role: str
    digest: str


class VersionReport(msgspec.Struct, frozen=True):
    """One definition as it was chosen."""

    id: str
    version: str
    place: str
    sha256: str


class StepReport(msgspec.Struct, frozen=True):
    """What came of one step."""

    address: str
    action: str
    at: datetime
    fault: FaultStatus | None


class HistoryReport(msgspec.Struct, frozen=True):
    """The latest generations of a plant, the latest first."""

    format_version: str
    plant: str
    generations: tuple[GenerationReport, ...]


class DetailReport(msgspec.Struct, frozen=True):
    """One generation in full: `environment` holds the values that are no secrets, `secrets` a fingerprint of each that was at hand.

    `names` are all names of the environment that were asked for; `code` maps an instance to the digest of its code.
    """

    format_version: str
    plant: str
    generation: GenerationReport
    plan: PlanReport
    steps: tuple[StepReport, ...]
    inputs: tuple[InputReport, ...]
    environment: dict[str, str]
    names: tuple[str, ...]
    secrets: dict[str, str]
    versions: tuple[VersionReport, ...]
    code: dict[str, str]


# --- public form ------------------------------------------------------------------------------------------------------


def history_report(plant: str, entries: "Iterable[HistoryEntry]", current: int, good: int) -> HistoryReport:
    """Describe the latest generations for the public."""
    return HistoryReport(FORMAT_VERSION, plant, tuple(generation_report(one, current, good) for one in entries))


def generation_report(entry: "HistoryEntry", current: int, good: int) -> GenerationReport:
    """Describe one generation in short for the public; `current` and `good` are the numbers of those."""
    return GenerationReport(
        number=entry.number,
        at=entry.at,
        ended=entry.ended,
        author=entry.author,
        trigger=entry.trigger,
        parent=entry.parent,
        target_digest=entry.target,
        result=entry.result or None,
        summary=entry.summary,
        changes=entry.changes,
        current=entry.number == current,
        good=entry.number == good,
        readable=entry.is_sound,
    )


def detail_report(generation: "Generation", current: int, good: int) -> DetailReport:
    """Describe one generation in full for the public."""
    from ignrun.planner.graph.model import Hosted
    from ignrun.render.status import fault_status

    made = generation.content
    return DetailReport(
        FORMAT_VERSION,
        made.plant,
        generation_report(generation.entry, current, good),
        plan_report(made.plan),
        tuple(
            StepReport(one.address, one.action, one.at, fault_status(one.fault) if one.fault else None)
            for one in generation.steps
        ),
        tuple(InputReport(file.path, file.role, file.digest) for file in made.files),
        made.environment,
        made.names,
        {name: made.graph.fingerprints.get(name, "") for name in made.graph.secrets},
        tuple(VersionReport(pin.id, pin.version, pin.place, pin.sha256) for pin in made.pins),
        {
            spec.address: spec.body.code
            for spec in made.graph.instances.values()
            if isinstance(spec.body, Hosted) and spec.body.code
        },
    )


def encode_history(report: HistoryReport | DetailReport) -> bytes:
    """Turn a report into its public JSON, indented, with a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(report, order="deterministic"), indent=2) + b"\n"


# --- text -------------------------------------------------------------------------------------------------------------


def history_text(report: HistoryReport, *, paint: Paint = plain, width: int | None = None) -> str:
    """Write a line for each generation, the latest first."""
    return columns(_HEAD, [_row(one) for one in report.generations], paint=paint, width=width)


def _row(one: GenerationReport) -> tuple[Cell | str, ...]:
    marks = [word for word, is_so in (("current", one.current), ("good", one.good)) if is_so]
    name = f"{one.number} ({', '.join(marks)})" if marks else str(one.number)
    if not one.readable:
        return (name, "", "", "", Cell("damaged", "gone"), "", "cannot be read any more")
    result = Cell(one.result or "under way", _STYLES.get(one.result or "", ""))
    return (name, f"{one.at:%Y-%m-%d %H:%M:%S}", one.author, one.trigger, result, _counted(one.changes), one.summary)


def _counted(changes: dict[str, int]) -> str:
    """Count changes by their signs, as in `+2 ~1`."""
    signs = {action: sign.strip() for action, sign in SIGNS.items()}
    return " ".join(f"{signs[action]}{count}" for action, count in changes.items() if signs.get(action)) or "none"


def detail_text(report: DetailReport, *, paint: Paint = plain) -> str:
    """Write one generation: who, when, how it ended, its plan, what was kept of its steps, and all it was made from."""
    one = report.generation
    ended = f", ended {one.ended:%H:%M:%S}" if one.ended else ""
    marks = "".join(f" ({word})" for word, is_so in (("current", one.current), ("good", one.good)) if is_so)
    facts: list[tuple[str, Any]] = [
        ("when", f"{one.at:%Y-%m-%d %H:%M:%S} UTC{ended}"),
        ("who", f"{one.author} by {one.trigger}"),
        ("after", f"generation {one.parent}" if one.parent else "nothing"),
        ("result", f"{one.result or 'under way'}: {one.summary}" if one.summary else one.result or "under way"),
        ("digest", one.target_digest),
    ]
    head = [
        paint("strong", f"Generation {one.number}{marks}"),
        *(f"  {name:<8}{neutral(text)}" for name, text in facts),
    ]
    plan = plan_text(report.plan, addresses=[step.address for step in report.plan.changes], paint=paint)
    return "\n".join([*head, "", plan.rstrip("\n"), *_steps(report), *_made_from(report)]) + "\n"


def _steps(report: DetailReport) -> list[str]:
    short = short_names([step.address for step in report.steps])
    lines = [
        f"  {step.at:%H:%M:%S} {step.action} {short(step.address)}: "
        + (f"failed: {neutral(step.fault.summary)}" if step.fault else "done")
        for step in report.steps
    ]
    return ["", "Steps:", *lines] if lines else []


def _made_from(report: DetailReport) -> list[str]:
    lines = [f"  {one.role:<10} {neutral(one.path)}  {one.digest[:12]}" for one in report.inputs]
    lines += [f"  {'env':<10} {neutral(name)}={neutral(text)}" for name, text in report.environment.items()]
    lines += [
        f"  {'secret':<10} {neutral(name)}  {mark[:12] or '(not at hand)'}" for name, mark in report.secrets.items()
    ]
    lines += [f"  {'version':<10} {neutral(one.id)} {one.version}" for one in report.versions]
    lines += [f"  {'code':<10} {address}  {digest[:12]}" for address, digest in report.code.items()]
    return ["", "Made from:", *lines] if lines else []
