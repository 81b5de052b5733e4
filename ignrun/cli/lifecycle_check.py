"""Turns what was seen of a plant that was started and stopped into checks of five categories for each instance."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from ignrun.cli.settling import is_well
from ignrun.planner.graph.model import Command, Graph, InstanceSpec
from ignrun.render.check_report import Check
from ignrun.render.outcome import OutcomeReport
from ignrun.render.status_report import InstanceStatus, StatusReport
from ignrun.runtime.journal.overlays import Overlays
from ignrun.terms.events import Event, LifecycleEvent, MoveRefused, StepEnded
from ignrun.terms.failure import Failure
from ignrun.terms.states import ModuleState


class Seen(msgspec.Struct, frozen=True):
    """Everything that was seen of one run: the outcome of the apply, the status when it had settled, every event.

    `again` is the outcome of everybody's having been given his own config once more; None where the first apply had failed.
    """

    graph: Graph
    outcome: OutcomeReport
    again: OutcomeReport | None
    status: StatusReport
    events: tuple[Event, ...]
    overlays: Path


def checks_of(seen: Seen) -> tuple[Check, ...]:
    """Judge every instance in all five categories."""
    moves = _moves(seen.events)
    status = {one.address: one for one in seen.status.instances}
    refused = {event.subject for event in seen.events if isinstance(event.body, MoveRefused)}
    faults = {one.address: one.fault.summary for one in seen.outcome.faults}
    found: list[Check] = []
    for address, spec in seen.graph.instances.items():
        own, why = moves.get(address, []), faults.get(address, "")
        found += [
            _creation(address, own, why),
            _configuration(spec, own, why, seen),
            _lifecycle(spec, own, why, is_refused=address in refused),
            _health(address, status.get(address), why),
            _backup(spec, Overlays(seen.overlays)),
        ]
    return tuple(found)


def _moves(events: Iterable[Event]) -> dict[str, list[LifecycleEvent]]:
    found: dict[str, list[LifecycleEvent]] = {}
    for event in events:
        if isinstance(event.body, LifecycleEvent):
            found.setdefault(event.subject, []).append(event.body)
    return found


def _creation(address: str, moves: list[LifecycleEvent], why: str) -> Check:
    created = any(move.new is ModuleState.INITIALIZING for move in moves)
    return Check("creation", address, created, "created" if created else why or "it was never created")


def _configuration(spec: InstanceSpec, moves: list[LifecycleEvent], why: str, seen: Seen) -> Check:
    refusal = _refused_own(spec.address, seen.again)
    if refusal:
        return Check("configuration", spec.address, False, f"it did not take its own config once more: {refusal}")
    taken = any(move.new in {ModuleState.INITIALIZED, ModuleState.STARTING, ModuleState.RUNNING} for move in moves)
    twice = ", and once more while it ran" if _took_again(spec.address, seen.events) else ""
    detail = f"took its config of {_counted(spec)}{twice}" if taken else why or "it never took its config"
    return Check("configuration", spec.address, taken, detail)


def _refused_own(address: str, again: OutcomeReport | None) -> str:
    faults = again.faults if again is not None else ()
    return next((one.fault.summary for one in faults if one.address == address), "")


def _took_again(address: str, events: Iterable[Event]) -> bool:
    return any(
        event.subject == address
        and isinstance(event.body, StepEnded)
        and event.body.action in {"reconfigure", "reload"}
        for event in events
    )


def _counted(spec: InstanceSpec) -> str:
    count = len(spec.origins) or len(spec.config.plain or {})
    return f"{count} value{'' if count == 1 else 's'}"


def _lifecycle(spec: InstanceSpec, moves: list[LifecycleEvent], why: str, *, is_refused: bool) -> Check:
    states = [move.new for move in moves]
    failed = next((move for move in moves if move.new is ModuleState.ERROR), None)
    if is_refused:
        return Check("lifecycle", spec.address, False, "a move was refused that the table of states does not allow")
    if failed is not None:
        fault = failed.fault.summary if failed.fault else failed.cause
        return Check("lifecycle", spec.address, False, f"went from `{failed.old.value}` to `error`: {fault}")
    if ModuleState.RUNNING not in states and not _is_oneshot(spec):
        return Check("lifecycle", spec.address, False, why or "it never ran")
    if not states or states[-1] is not ModuleState.STOPPED:
        last = states[-1].value if states else "uninitialized"
        return Check("lifecycle", spec.address, False, f"it did not end as `stopped` but as `{last}`")
    return Check("lifecycle", spec.address, True, " -> ".join(state.value for state in states))


def _is_oneshot(spec: InstanceSpec) -> bool:
    return isinstance(spec.body, Command) and spec.body.oneshot is not None


def _health(address: str, status: InstanceStatus | None, why: str) -> Check:
    if status is None:
        return Check("health", address, False, why or "it is not in the status")
    seen = f"{status.state}, {status.health}" + (f": {status.health_reason}" if status.health_reason else "")
    return Check("health", address, is_well(status), "completed" if status.completed else why or seen)


def _backup(spec: InstanceSpec, overlays: Overlays) -> Check:
    """Write the instance's own config as run-time overlay, change it, and take the change back."""
    own, module = dict(spec.config.plain or {}), spec.address.replace("@", "-")
    changed = own | {"x-ignrun-test": True}
    try:
        overlays.write(module, own)
        overlays.write(module, changed)
        kept, restored = len(overlays.backups(module)), overlays.rollback(module)
    except Failure as failure:
        return Check("configuration backup", spec.address, False, failure.summary)
    if restored != own or overlays.read(module) != own:
        return Check(
            "configuration backup", spec.address, False, "the rollback did not restore what was written before"
        )
    return Check("configuration backup", spec.address, True, f"{kept} backups, the last change taken back")
