"""Decides whom to name for taking long to start: after ten seconds in a callback of its own, and every minute from then on."""

from typing import Final

from msgspec.structs import replace

from ignrun.runtime.supervise.draft import Draft
from ignrun.runtime.supervise.roster import Instance
from ignrun.terms.events import SlowStart
from ignrun.terms.states import ModuleState

FIRST: Final = 10.0
"""Seconds after which somebody is named."""

AGAIN: Final = 60.0
"""Seconds until it is named again."""


def expect(draft: Draft) -> None:
    """Look later whether those that begin now are still at it; waiting for others is not being slow."""
    if draft.slow_look is None:
        draft.slow_look = draft.now.mono + FIRST


def look(draft: Draft) -> None:
    """Name who has been at it for long, when it is time to look."""
    if draft.slow_look is None or draft.slow_look > draft.now.mono:
        return
    dues = []
    for address, instance in draft.instances.items():
        if instance.state is not ModuleState.INITIALIZING and instance.state is not ModuleState.STARTING:
            continue
        due = _due(instance)
        if due <= draft.now.mono:
            spent = draft.now.mono - instance.since
            draft.record(address, SlowStart(instance.state, round(spent, 1)))
            draft.instances[address] = replace(instance, named=draft.now.mono)
            due = draft.now.mono + AGAIN
        dues.append(due)
    draft.slow_look = min(dues, default=None)


def _due(instance: Instance) -> float:
    return instance.named + AGAIN if instance.named else instance.since + FIRST
