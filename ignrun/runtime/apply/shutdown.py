"""Decides how a plant goes down: every goal down, in reverse order, hosts after their instances, then the runner."""

from msgspec.structs import replace

from ignrun.planner.graph.model import Command
from ignrun.runtime.apply.ends import abandon
from ignrun.runtime.apply.propose import refuse
from ignrun.runtime.apply.state import Phase
from ignrun.runtime.apply.turn import Turn
from ignrun.runtime.supervise import hosts
from ignrun.runtime.supervise.conditions import at_rest
from ignrun.runtime.supervise.effects import EndRunner, KeepOutcome, Outcome, Result, StopCommand
from ignrun.runtime.supervise.messages import ShutdownAsked
from ignrun.runtime.supervise.roster import Goal, HostPhase
from ignrun.terms.events import OperatorAsked
from ignrun.terms.states import ModuleState


def shut_down(turn: Turn, message: ShutdownAsked) -> None:
    """Begin to take the plant down; asked a second time, take away every grace."""
    turn.record(OperatorAsked("down", message.by))
    if turn.state.ending is not None:
        _hurry(turn)
        return
    queue = turn.state.queue
    turn.change(ending=message.code, queue=())
    for waiting in queue:
        refuse(turn, waiting, "the plant is going down")
    while (transaction := turn.state.transaction) is not None and transaction.phase is not Phase.CLOSING:
        untouched = transaction.phase in (Phase.PREPARING, Phase.PREPARED)
        how = "nothing was touched" if untouched else "ended halfway"
        summary = f"{how}: the plant is going down"
        if not untouched:
            number, generation = transaction.number, turn.state.generation
            turn.want(KeepOutcome(Outcome(number, Result.INTERRUPTED, generation, summary), transaction.proposal))
        abandon(turn, Result.REFUSED, summary, {})
    for instance in tuple(turn.draft.instances.values()):
        goal = Goal.DOWN if instance.goal is Goal.UP else instance.goal
        turn.draft.put(replace(instance, goal=goal))
    turn.draft.dirty_hosts.update(dict.fromkeys(turn.draft.hosts))


def _hurry(turn: Turn) -> None:
    if turn.state.hurried:
        return
    turn.change(hurried=True)
    for instance in turn.draft.instances.values():
        turn.draft.dirty[instance.spec.address] = None
        under_way = instance.state is ModuleState.STOPPING or (instance.state is ModuleState.ERROR and instance.pid)
        if isinstance(instance.spec.body, Command) and under_way:
            turn.want(StopCommand(instance.spec.address, instance.epoch, 0.0))
    for record in tuple(turn.draft.hosts.values()):
        if record.phase is not HostPhase.ABSENT:
            hosts.end(turn.draft, record, grace=0.0)


def finish(turn: Turn) -> None:
    """Let the runner end, once, when nothing runs any more and nobody waits for an answer."""
    state, draft = turn.state, turn.draft
    if state.ending is None or state.ended or state.transaction is not None or draft.hosts:
        return
    if all(at_rest(instance) for instance in draft.instances.values()):
        turn.change(ended=True)
        turn.want(EndRunner(state.ending))
