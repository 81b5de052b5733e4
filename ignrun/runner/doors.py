"""Turns the name of a module into where it can be called now."""

from ignrun.planner.graph.model import Hosted
from ignrun.runtime.supervise.roster import Roster
from ignrun.terms.names import Address, ModuleScope
from ignrun.terms.states import ModuleState


def door_of(roster: Roster, module: str) -> tuple[str, str] | None:
    """Give the socket of the host of a running module and its address; `NAME` means the one in the gateway. None: it does not run."""
    address = Address(module if "@" in module else f"{module}@{ModuleScope.GATEWAY.word}")
    instance = roster.instances.get(address)
    if instance is None or instance.state is not ModuleState.RUNNING or not isinstance(instance.spec.body, Hosted):
        return None
    record = roster.hosts.get(instance.spec.body.host)
    return (record.socket, address) if record is not None and record.socket else None
