"""Turns the runner's State into what is looked at: the processes of a plant, and its instances as alerts see them."""

from collections.abc import Callable

from ignrun.planner.graph.model import Hosted
from ignrun.runtime.apply.state import State
from ignrun.runtime.observe.alerts import Seen
from ignrun.runtime.observe.figures import Figures
from ignrun.runtime.supervise.roster import Instance
from ignrun.terms.states import ModuleState


def processes_of(state: State) -> dict[str, int]:
    """Give the pid of every host and every command that has one, by host or address."""
    hosts = {str(one.host): one.pid for one in state.roster.hosts.values() if one.pid}
    return hosts | {str(address): one.pid for address, one in state.roster.instances.items() if one.pid}


def subject_of(one: Instance) -> str:
    """Say under which subject the figures of an instance's process stand: its host, or itself where it is a command."""
    return one.spec.body.host if isinstance(one.spec.body, Hosted) else one.spec.address


def seen_of(state: State, figures: Callable[[str], Figures | None]) -> dict[str, Seen]:
    """Describe every instance as alerts see it."""
    transaction = state.transaction
    moving = set(transaction.steps) - transaction.ended if transaction else set()
    return {
        address: Seen(
            address=address,
            state=one.state.value,
            health=one.health.value,
            why=_why(one),
            completed=one.completed,
            excused=one.state is ModuleState.MAINTENANCE or bool(one.held_by),
            moving=address in moving,
            restarts=one.statistics.restart_count,
            figures=figures(subject_of(one)),
        )
        for address, one in state.roster.instances.items()
    }


def _why(one: Instance) -> str:
    if one.state is ModuleState.ERROR:
        return one.fault.summary if one.fault else one.cause
    return one.health_reason
