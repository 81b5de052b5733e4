"""Decides what another policy means for a command that runs: it exports that, and is checked, stopped and reloaded by that from now on."""

from msgspec.structs import replace

from ignrun.planner.graph.model import Command, InstanceSpec
from ignrun.runtime.supervise.draft import Draft
from ignrun.runtime.supervise.effects import TellCommand
from ignrun.runtime.supervise.exporting import declared
from ignrun.runtime.supervise.health import is_checked, look_again, unchecked
from ignrun.runtime.supervise.roster import Instance
from ignrun.terms.events import ExportsChanged
from ignrun.terms.states import ModuleState

_LIVING = (ModuleState.STARTING, ModuleState.RUNNING, ModuleState.MAINTENANCE)


def take(draft: Draft, instance: Instance, spec: InstanceSpec) -> None:
    """Let an instance go by a spec that leaves what runs as it is; a command that runs is told of another policy."""
    fresh = _speaking(draft, instance, replace(instance, spec=spec))
    draft.put(fresh)
    before, body = instance.spec, spec.body
    if not isinstance(body, Command) or instance.state not in _LIVING or before.facets.policy == spec.facets.policy:
        return
    draft.effects.append(TellCommand(spec, instance.epoch, draft.exports_for(spec.address)))
    if instance.state is not ModuleState.RUNNING or _checks(before) == _checks(spec):
        return
    draft.put(look_again(draft, fresh) if is_checked(draft, fresh) else unchecked(draft, fresh))


def _speaking(draft: Draft, before: Instance, fresh: Instance) -> Instance:
    """Have a command that runs export what its new spec declares; a module begins anew with that, since its own host knows the old ones."""
    is_command = isinstance(fresh.spec.body, Command)
    if not is_command or fresh.state is not ModuleState.RUNNING or before.spec.exports == fresh.spec.exports:
        return fresh
    exports = declared(draft, fresh)
    if exports == before.exports:
        return fresh
    draft.record(fresh.spec.address, ExportsChanged(tuple(exports)))
    return replace(fresh, exports=exports)


def _checks(spec: InstanceSpec) -> tuple[object, ...]:
    body = spec.body
    return (spec.health, body.check, body.ready) if isinstance(body, Command) else ()
