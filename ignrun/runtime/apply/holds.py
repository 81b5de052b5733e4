"""Decides which instances an operator keeps stopped: a goal that outlives applies, and is kept for the next runner."""

from ignrun.runtime.apply.turn import Turn
from ignrun.runtime.supervise.effects import KeepHolds
from ignrun.runtime.supervise.roster import Goal, Instance


def is_held_down(instance: Instance) -> bool:
    """Tell whether an operator stopped the instance and nobody has started it since."""
    return instance.goal is Goal.DOWN and bool(instance.held_by)


def keep(turn: Turn) -> None:
    """Have the holds kept where this turn changed any; a plant that goes down leaves them as they are."""
    if turn.state.ending is not None:
        return
    holds = dict(turn.state.holds)
    for address in turn.draft.touched:
        instance = turn.draft.instances.get(address)
        if instance is not None and is_held_down(instance):
            holds[address] = instance.held_by
        else:
            holds.pop(address, None)
    if holds != turn.state.holds:
        turn.change(holds=holds)
        turn.want(KeepHolds(holds))
