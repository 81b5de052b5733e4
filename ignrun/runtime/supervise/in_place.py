"""Decides how a running incarnation becomes something else without ending: when it is ordered, and what its answers mean."""

from typing import assert_never

from msgspec.structs import replace

from ignrun.planner.graph.model import Command, Hosted, InstanceSpec
from ignrun.protocol.reports import Prepared, Revised
from ignrun.runtime.supervise.conditions import (
    Standing,
    at_rest,
    is_leaving,
    is_maintained,
    root_of,
    standing,
)
from ignrun.runtime.supervise.differences import paths_between
from ignrun.runtime.supervise.draft import Draft
from ignrun.runtime.supervise.effects import ReloadCommand, Revising
from ignrun.runtime.supervise.health import is_checked, look_again
from ignrun.runtime.supervise.messages import CommandReloaded
from ignrun.runtime.supervise.roster import Backoff, InPlace, Instance
from ignrun.runtime.supervise.wiring import Wiring
from ignrun.terms.events import ExportsChanged
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.leaves import Path
from ignrun.terms.names import Address
from ignrun.terms.states import ModuleState

_UNTOUCHED = (FaultKind.NOT_STARTED, FaultKind.SECRET)
"""Kinds of faults that say that nothing was ordered of the incarnation itself."""


def can_be_asked(instance: Instance | None) -> bool:
    """Tell whether an incarnation runs, and so can answer for a change, or be changed in place."""
    return instance is not None and instance.state is ModuleState.RUNNING and not is_leaving(instance)


def ask(draft: Draft, instance: Instance, plan: InPlace, wiring: Wiring, *, anew: bool = False) -> None:
    """Have a hosted incarnation asked whether it would become what `plan` says, or whether one `anew` could; nothing of it changes."""
    body = instance.spec.body
    if not isinstance(body, Hosted):
        return
    number = draft.next_change()
    paths = _paths(instance, plan.spec, plan.paths)
    draft.batch(body.host).asks[plan.spec.address] = (
        Revising(plan.spec, instance.epoch, number, paths, plan.slots, anew),
        wiring,
    )
    draft.put(replace(instance, asked=number))


def answered(draft: Draft, instance: Instance, report: Prepared) -> None:
    """Take in that an incarnation has answered; what it said is for who asked."""
    if instance.asked == report.change:
        draft.put(replace(instance, asked=0))


def adopt(draft: Draft, instance: Instance) -> None:
    """Let one of which nothing runs take what it is to become as its new spec, without a call; one that failed is tried again."""
    plan = instance.in_place
    if plan is None:
        return
    failed = instance.state is ModuleState.ERROR
    changes = {"fault": None, "upstream": "", "backoff": Backoff()} if failed else {}
    draft.put(replace(instance, spec=plan.spec, in_place=None, **changes))


def consider(draft: Draft, instance: Instance) -> None:
    """Order the change of an incarnation that runs, as soon as nothing that it needs is on the move itself."""
    plan = instance.in_place
    if plan is None or plan.change:
        return
    if instance.state is not ModuleState.RUNNING:
        draft.put(
            replace(instance, in_place=None, next_spec=plan.spec)
        )  # it is not up yet: nothing is lost by beginning anew
        return
    root = _vain(draft, instance, plan)
    fault = Fault(FaultKind.UPSTREAM, f"skipped: upstream {root}", upstream=root) if root else None
    if fault != plan.fault:
        plan = replace(plan, fault=fault)
        instance = replace(instance, in_place=plan)
        draft.put(instance)
    if fault is None and not waits(draft, instance):
        _order(draft, instance, plan)


def _order(draft: Draft, instance: Instance, plan: InPlace) -> None:
    given = replace(plan, change=draft.next_change(), paths=_paths(instance, plan.spec, plan.paths))
    draft.put(replace(instance, in_place=given))
    body = instance.spec.body
    match body:
        case Hosted(host=host):
            revising = Revising(given.spec, instance.epoch, given.change, given.paths, given.slots)
            draft.batch(host).revisings[given.spec.address] = (revising, draft.wiring)
        case Command():
            exports = draft.exports_for(given.spec.address)
            draft.effects.append(ReloadCommand(given.spec, instance.epoch, given.change, exports))
        case _:
            assert_never(body)


def _paths(instance: Instance, spec: InstanceSpec, more: tuple[Path, ...]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys((*paths_between(instance.spec.config, spec.config), *more)))


def waits(draft: Draft, instance: Instance) -> bool:
    """Tell whether a provider of what the instance is to become is still on the move: it may be away, or export something else."""
    return any(one is Standing.COMING for one, _ in _standings(draft, instance, instance.in_place))


def _vain(draft: Draft, instance: Instance, plan: InPlace) -> str:
    """Name the root cause where a provider that moves in the same change has failed for good; else nothing."""
    return next((root for one, root in _standings(draft, instance, plan) if one is Standing.VAIN), "")


def _standings(draft: Draft, instance: Instance, plan: InPlace | None) -> list[tuple[Standing, str]]:
    if plan is None:
        return []
    asked = {Address(one) for pending in plan.spec.config.pending for one in pending.providers}
    found = []
    for edge in draft.wiring.needs.get(instance.spec.address, ()):
        provider = draft.instances.get(edge.provider)
        if edge.provider in asked and provider is not None and _changes(provider):
            found.append((Standing.COMING, ""))
        elif edge.provider in draft.suspended or (edge.provider in asked and (provider is None or at_rest(provider))):
            found.append((standing(edge, provider), root_of(edge, provider)))
    return found


def _changes(provider: Instance) -> bool:
    return provider.in_place is not None and provider.in_place.fault is None and can_be_asked(provider)


def revised(
    draft: Draft, instance: Instance, answer: Revised | CommandReloaded, exports: dict[str, object] | None
) -> None:
    """Take in that a change is in effect, or that nobody knows what is; an answer to another change is stale."""
    plan = instance.in_place
    if plan is None or not plan.change or plan.change != answer.change:
        return
    if answer.fault is not None:
        draft.put(replace(instance, in_place=replace(plan, fault=answer.fault)))
        return
    fresh = replace(instance, spec=plan.spec, in_place=None, revised=instance.revised + 1, good_checks=0)
    if is_checked(draft, fresh):
        fresh = look_again(draft, fresh)
    if exports is not None and exports != instance.exports:
        fresh = replace(fresh, exports=exports)
        draft.record(plan.spec.address, ExportsChanged(tuple(exports)))
    draft.put(fresh)


def is_dirty(instance: Instance) -> bool:
    """Tell whether nobody knows which of two configs a running incarnation goes by."""
    plan = instance.in_place
    return plan is not None and plan.change != 0 and plan.fault is not None and plan.fault.kind not in _UNTOUCHED


def holds_up(draft: Draft, dependent: Instance) -> bool:
    """Tell whether a provider that goes away for good has to stay until this dependent has let go of it."""
    plan = dependent.in_place
    if plan is None or is_maintained(dependent) or not can_be_asked(dependent):
        return False
    if plan.fault is not None:
        return plan.change == 0  # it goes on as it is, and with it whom it has; once called, it does not
    return plan.change != 0 or not waits(draft, dependent)
