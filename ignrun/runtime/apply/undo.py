"""Decides how one instance becomes again what it was before an apply touched it."""

from msgspec.structs import replace

from ignrun.planner.graph.model import InstanceSpec
from ignrun.runtime.apply.gate import Judgement, is_begun
from ignrun.runtime.apply.goals import stays_put
from ignrun.runtime.apply.state import Transaction
from ignrun.runtime.apply.turn import Turn
from ignrun.runtime.supervise import moves, policy
from ignrun.runtime.supervise.conditions import at_rest, has_failed, is_leaving, is_maintained, is_sick
from ignrun.runtime.supervise.in_place import is_dirty
from ignrun.runtime.supervise.roster import Goal, InPlace, Instance
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.names import Address
from ignrun.terms.states import Health, ModuleState


def undo(turn: Turn, address: Address) -> Judgement:
    """Do what can be done now; True: it is back, a fault: it cannot be brought back, False: on its way.

    Doing it twice does no more than doing it once, as long as nothing has happened in between.
    """
    was, now = turn.transaction.before[address], turn.draft.instances.get(address)
    if was is None:
        return _remove(turn, now)
    spec = turn.draft.graph.instances.get(address, was.spec)
    if now is None:
        turn.draft.put(_once_more(turn, was, spec))
        turn.change_transaction(undoing=turn.transaction.undoing | {address})
        return was.completed or was.goal is not Goal.UP
    if not was.epoch and now.epoch and _is_it_already(now, spec):
        turn.draft.put(replace(now, spec=spec))
        return True  # the apply had begun with what it goes back to
    if was.completed:
        return _leave_completed(turn, was, now, spec)
    if address not in turn.transaction.undoing:
        return _begin(turn, was, now, spec)
    return _go_on(turn, was, now, spec)


def _is_it_already(now: Instance, spec: InstanceSpec) -> bool:
    """Tell whether an instance that ran in another life runs again as it did then."""
    settled = now.next_spec is None and now.in_place is None and now.goal is Goal.UP
    return settled and now.spec.facets == spec.facets and stays_put(spec, now.spec)


def _remove(turn: Turn, now: Instance | None) -> bool:
    if now is not None and now.goal is not Goal.GONE:
        turn.draft.put(replace(now, goal=Goal.GONE, next_spec=None, in_place=None))
    return now is None


def _once_more(turn: Turn, was: Instance, spec: InstanceSpec) -> Instance:
    """Make one that was deleted anew; it counts its incarnations on."""
    fresh = Instance(
        spec, was.goal, since=turn.now.mono, epoch=was.epoch, held_by=was.held_by, statistics=was.statistics
    )
    return _as_completed(fresh, was) if was.completed else fresh


def _as_completed(now: Instance, was: Instance) -> Instance:
    return replace(
        now,
        state=ModuleState.STOPPED,
        completed=True,
        health=Health.HEALTHY,
        health_reason="",
        cause="completed",
        exports=was.exports,
        fault=None,
        upstream="",
    )


def _leave_completed(turn: Turn, was: Instance, now: Instance, spec: InstanceSpec) -> bool:
    """What has done its work does not do it again because something else is undone."""
    if not at_rest(now):
        if now.goal is not Goal.DOWN:
            turn.draft.put(replace(now, goal=Goal.DOWN, next_spec=None, in_place=None))
        return False
    if now.state is ModuleState.ERROR:
        now = moves.move(turn.draft, now, ModuleState.STOPPED, "completed")
    kept = replace(now, spec=spec, goal=was.goal, next_spec=None, in_place=None, bounce=False)
    turn.draft.put(_as_completed(kept, was))
    return True


def _begin(turn: Turn, was: Instance, now: Instance, spec: InstanceSpec) -> Judgement:
    goal = _goal(turn.transaction, was, now)
    address = spec.address
    if not is_begun(replace(was, spec=now.spec), now):
        as_before = replace(now, goal=goal, next_spec=None, in_place=None, bounce=was.bounce)
        if was.next_spec is None and was.in_place is None and stays_put(spec, now.spec):
            policy.take(turn.draft, as_before, spec)
        else:
            turn.draft.put(replace(as_before, next_spec=spec))  # it was on its way to what is good before this apply
        return True
    if _is_asked(now):
        return False  # whether it takes the change is known when it has answered
    stays = stays_put(spec, now.spec) and not is_leaving(now) and not is_dirty(now)
    same = now.epoch == was.epoch and now.state is ModuleState.RUNNING and stays
    if same and now.revised != was.revised:
        paths, slots = turn.transaction.paths.get(address, ()), turn.transaction.slots.get(address, ())
        turn.draft.put(replace(now, goal=goal, in_place=InPlace(spec, paths, slots)))
    elif same:
        policy.take(turn.draft, replace(now, goal=goal, in_place=None), spec)
    else:
        turn.draft.put(replace(now, goal=goal, next_spec=spec, in_place=None, bounce=False))
    turn.change_transaction(undoing=turn.transaction.undoing | {address})
    return False


def _is_asked(now: Instance) -> bool:
    plan = now.in_place
    return plan is not None and plan.change != 0 and plan.fault is None and now.state is ModuleState.RUNNING


def _goal(transaction: Transaction, was: Instance, now: Instance) -> Goal:
    """Leave alone what operators have said in the meantime."""
    started = transaction.actions.get(was.spec.address) == "start"
    return was.goal if started or now.goal is Goal.GONE else now.goal


def _go_on(turn: Turn, was: Instance, now: Instance, spec: InstanceSpec) -> Judgement:
    if now.in_place is not None and (now.in_place.fault is not None or is_leaving(now)):
        turn.draft.put(replace(now, next_spec=spec, in_place=None))  # nobody knows any more what is in effect
        return False
    if now.goal is not Goal.UP:
        return at_rest(now) and now.next_spec is None
    if is_maintained(now):
        return True
    if now.in_place is not None or now.next_spec is not None:
        return False
    if now.state is ModuleState.RUNNING and not is_leaving(now):
        return True
    if not _was_well(was):
        return True  # it is what it was: no better
    return _failure(turn, now)


def _failure(turn: Turn, now: Instance) -> Judgement:
    if has_failed(now) and now.fault is not None:
        return now.fault
    root = turn.draft.instances.get(Address(now.upstream))
    if root is not None and (
        root.held_by or has_failed(root)
    ):  # else it is on its way back itself, or gone as it should be
        return Fault(FaultKind.UPSTREAM, f"skipped: upstream {now.upstream}", upstream=now.upstream)
    return False


def _was_well(was: Instance) -> bool:
    return was.state is ModuleState.RUNNING and was.goal is Goal.UP and not is_sick(was)
