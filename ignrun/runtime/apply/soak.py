"""Decides how long an apply that has arrived is watched, and whether its health holds."""

from typing import Final

from ignrun.planner.graph.model import Command, Hosted
from ignrun.protocol.orders import Item
from ignrun.runtime.apply.state import Phase
from ignrun.runtime.apply.turn import Turn
from ignrun.runtime.supervise.conditions import is_maintained
from ignrun.runtime.supervise.draft import host_of
from ignrun.runtime.supervise.effects import CheckCommand
from ignrun.runtime.supervise.health import GOOD_CHECKS, is_checked
from ignrun.runtime.supervise.roster import Goal, Instance
from ignrun.terms.events import SoakBegan, SoakEnded
from ignrun.terms.names import Address, HostId

EVERY: Final = 1.0
"""Seconds between two health checks while an apply is watched."""

_QUIET: Final = frozenset({"policy", "no-op", "delete"})
"""Actions after which there is nothing to be watched."""


def begin(turn: Turn) -> bool:
    """Begin to watch, where there is something to be watched; tell whether it has begun."""
    transaction = turn.transaction
    if transaction.soak <= 0 or transaction.no_start or _QUIET.issuperset(transaction.actions.values()):
        return False
    turn.change_transaction(phase=Phase.SOAKING, turned=turn.now.mono)
    turn.record(SoakBegan(transaction.number, transaction.soak))
    _check(turn, EVERY)
    return True


def end(turn: Turn, reason: str = "") -> None:
    """Watch no longer."""
    turn.record(SoakEnded(turn.transaction.number, reason))
    _check(turn, 0.0)


def _check(turn: Turn, interval: float) -> None:
    for address in turn.transaction.members:
        instance = turn.draft.instances.get(address)
        if instance is None or not _has_to_prove(turn, instance):
            continue
        match instance.spec.body:
            case Hosted(host=host):
                items = turn.draft.batch(host).checks.setdefault(interval, [])
                items.append(Item(address, instance.epoch))
            case Command():
                turn.want(CheckCommand(address, instance.epoch, interval))


def due(turn: Turn) -> float:
    """Say when the watch may end at the earliest, in monotonic seconds."""
    return turn.transaction.turned + turn.transaction.soak


def unproven(turn: Turn) -> list[Address]:
    """Name the members whose last two checks were not both good, and those that keep their host at the moment."""
    known = turn.draft.instances
    present = [known[address] for address in turn.transaction.members if address in known]
    doubtful = (one for one in present if _has_to_prove(turn, one) and one.good_checks < GOOD_CHECKS)
    return [one.spec.address for one in (*doubtful, *(one for one in present if _is_stuck(turn, one)))]


def _is_stuck(turn: Turn, instance: Instance) -> bool:
    """Tell whether the code of an instance keeps its host from everything else."""
    record = turn.draft.hosts.get(host_of(instance) or HostId(""))
    stall = record.stall if record is not None else None
    return stall is not None and stall.address == instance.spec.address and instance.spec.gate == "healthy"


def _has_to_prove(turn: Turn, instance: Instance) -> bool:
    if instance.goal is not Goal.UP or is_maintained(instance) or instance.completed:
        return False
    spec = instance.spec
    return spec.gate == "healthy" and spec.health.interval > 0 and is_checked(turn.draft, instance)
