"""Turns what happens to the processes of commands into records of the roster."""

from msgspec.structs import replace

from ignrun.planner.graph.model import Command
from ignrun.runtime.supervise import in_place, moves
from ignrun.runtime.supervise.draft import Draft
from ignrun.runtime.supervise.exporting import declared
from ignrun.runtime.supervise.health import examine
from ignrun.runtime.supervise.messages import (
    CommandEnded,
    CommandFailed,
    CommandReady,
    CommandReloaded,
    CommandStarted,
    Probed,
)
from ignrun.runtime.supervise.roster import Instance
from ignrun.terms.events import ExportsChanged, ProcessEnded, ProcessStarted
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.names import Address
from ignrun.terms.states import Health, ModuleState

_S = ModuleState


def started(draft: Draft, news: CommandStarted) -> None:
    """Take in that the process of a command exists."""
    found = _incarnation(draft, news.address, news.epoch)
    if found is not None:
        draft.put(replace(found[0], pid=news.pid, notes=news.notes))
        draft.record(news.address, ProcessStarted(news.pid, "command"))


def ready(draft: Draft, news: CommandReady) -> None:
    """Take in that a command answered its readiness probe."""
    found = _incarnation(draft, news.address, news.epoch)
    if found is None or found[0].state is not _S.STARTING:
        return
    instance, body = found
    unproven = body.check is not None and body.ready is None
    moves.run(draft, instance, "ready", declared(draft, instance), checked=unproven)


def failed(draft: Draft, news: CommandFailed) -> None:
    """Take in that a command did not come up; where it has a process, that is being ended and will be told of."""
    found = _incarnation(draft, news.address, news.epoch)
    if found is not None and found[0].state in (_S.STARTING, _S.RUNNING, _S.STOPPING):
        moves.fail(draft, found[0], news.fault, ended=found[0].pid is None)


def ended(draft: Draft, news: CommandEnded) -> None:
    """Take in that nothing is left of a command's processes: as was asked, as was meant, or as a fault."""
    found = _incarnation(draft, news.address, news.epoch)
    if found is None:
        return
    instance, body = found
    if instance.pid is not None:
        draft.record(news.address, ProcessEnded(instance.pid, "command", news.how))
    match instance.state:
        case _S.ERROR:
            draft.put(replace(instance, pid=None, stopping=False, exports={}))
        case _S.MAINTENANCE:
            well = _ended_well(instance, body, news.code)
            fault = None if well else Fault(FaultKind.EXITED, f"the command ended: {news.how}", detail=news.tail)
            moves.pass_away(draft, instance, fault, completed=well)
        case _S.STOPPING:
            moves.stop(draft, instance, news.how)
        case _S.STARTING | _S.RUNNING if _ended_well(instance, body, news.code):
            exports = declared(draft, instance)
            moves.stop(draft, replace(instance, exports=exports), "completed", completed=True)
            if exports != instance.exports:
                draft.record(news.address, ExportsChanged(tuple(exports)))
        case _:
            moves.fail(draft, instance, Fault(FaultKind.EXITED, f"the command ended: {news.how}", detail=news.tail))


def reloaded(draft: Draft, news: CommandReloaded) -> None:
    """Take in that a command took its files anew, or did not."""
    found = _incarnation(draft, news.address, news.epoch)
    if found is not None and found[0].in_place is not None:
        instance = found[0]
        exports = declared(draft, replace(instance, spec=instance.in_place.spec)) if instance.in_place else None
        in_place.revised(draft, instance, news, exports)


def probed(draft: Draft, news: Probed) -> None:
    """Take in what a health check of a command said."""
    found = _incarnation(draft, news.address, news.epoch)
    if found is not None:
        examine(draft, found[0], Health.HEALTHY if news.healthy else Health.UNHEALTHY, news.reason)


def _incarnation(draft: Draft, address: Address, epoch: int) -> tuple[Instance, Command] | None:
    """Find the living incarnation that the news is of; None when it is stale."""
    instance = draft.instances.get(address)
    if instance is None or instance.epoch != epoch or not isinstance(instance.spec.body, Command):
        return None
    return (instance, instance.spec.body) if instance.ordered or instance.pid is not None else None


def _ended_well(instance: Instance, body: Command, code: int | None) -> bool:
    """Tell whether a command was meant to end like that: a oneshot, or one that is only restarted on failure."""
    return code == 0 and (body.oneshot is not None or instance.spec.lifecycle.restart == "on-failure")
