"""Turns the answers of health checks into an instance's health, and enough bad ones in a row into a restart."""

from typing import Final, assert_never

from msgspec.structs import replace

from ignrun.planner.graph.model import Command, Hosted
from ignrun.protocol.orders import Item
from ignrun.runtime.supervise.conditions import is_leaving
from ignrun.runtime.supervise.draft import Draft
from ignrun.runtime.supervise.effects import CheckCommand
from ignrun.runtime.supervise.moves import sicken
from ignrun.runtime.supervise.roster import Instance
from ignrun.terms.events import HealthChanged
from ignrun.terms.states import Health, ModuleState

GOOD_CHECKS: Final = 2
"""How many good answers in a row are counted."""


AS_USUAL: Final = 0.0
"""The interval of checks that a policy says; whoever asks for it is answered at once, too."""


def look_again(draft: Draft, instance: Instance) -> Instance:
    """Forget what checks said of a running incarnation that is something else now, where that was bad, and have it asked at once."""
    if instance.health in (Health.UNHEALTHY, Health.DEGRADED):
        instance = replace(instance, failures=0)
        instance = _now(draft, instance, Health.UNKNOWN, "")
    address, epoch = instance.spec.address, instance.epoch
    match instance.spec.body:
        case Hosted(host=host):
            draft.batch(host).checks.setdefault(AS_USUAL, []).append(Item(address, epoch))
        case Command():
            draft.effects.append(CheckCommand(address, epoch, AS_USUAL))
        case _:
            assert_never(instance.spec.body)
    return instance


def unchecked(draft: Draft, instance: Instance) -> Instance:
    """Take a running incarnation that nobody asks any more for healthy."""
    return _now(draft, replace(instance, failures=0), Health.HEALTHY, "")


def is_checked(draft: Draft, instance: Instance) -> bool:
    """Tell whether a running incarnation is healthy only when a check says so."""
    body = instance.spec.body
    match body:
        case Hosted(host=host):
            record = draft.hosts.get(host)
            return record is not None and instance.spec.address in record.checked
        case Command():
            return body.check is not None
        case _:
            assert_never(body)


def examine(draft: Draft, instance: Instance, health: Health, reason: str) -> None:
    """Take in what one check of a running incarnation said."""
    if instance.state is not ModuleState.RUNNING or health is Health.UNKNOWN:
        return
    if health is not Health.UNHEALTHY:
        good = min(GOOD_CHECKS, instance.good_checks + 1) if health is Health.HEALTHY else 0
        _now(draft, replace(instance, failures=0, good_checks=good), health, reason)
        return
    failing = replace(instance, failures=instance.failures + 1, good_checks=0)
    if failing.failures < instance.spec.health.failures:
        known = instance.health is not Health.UNKNOWN
        draft.put(failing if known else replace(failing, health_reason=reason))
        return
    sick = _now(draft, failing, health, reason)
    if _is_to_restart(draft, sick):
        sicken(draft, sick, reason)


def patience(draft: Draft, instance: Instance) -> float:
    """Give for how many seconds a running incarnation may leave its checks unanswered until it is unhealthy.

    0: none is asked, or it is so already and nothing is to follow from it, now or once an open apply lets it.
    """
    said_already = is_leaving(instance) or (instance.health is Health.UNHEALTHY and not _asks_for_restart(instance))
    if instance.state is not ModuleState.RUNNING or said_already or not is_checked(draft, instance):
        return 0.0
    rules = instance.spec.health
    return rules.failures * rules.timeout + (rules.failures - 1) * rules.interval


def leave_unanswered(draft: Draft, instance: Instance, reason: str) -> bool:
    """Take one whose checks nobody has answered for so long for unhealthy; tells whether it is to be restarted for that."""
    failures = instance.spec.health.failures
    return _is_to_restart(
        draft, _now(draft, replace(instance, failures=failures, good_checks=0), Health.UNHEALTHY, reason)
    )


def hold_up(draft: Draft, instance: Instance, where: str) -> None:
    """Take one that runs and keeps the loop of its host to itself for degraded."""
    if instance.state is ModuleState.RUNNING and instance.health is Health.HEALTHY:
        _now(draft, replace(instance, good_checks=0), Health.DEGRADED, f"it blocks its host in {where}")


def go_on(draft: Draft, instance: Instance) -> None:
    """Look again at one that has kept the loop of its host to itself, and does so no more."""
    if instance.state is not ModuleState.RUNNING or instance.health is not Health.DEGRADED:
        return
    if is_checked(draft, instance):
        look_again(draft, instance)
    else:
        unchecked(draft, instance)


def _now(draft: Draft, instance: Instance, health: Health, reason: str) -> Instance:
    if instance.health is not health:
        draft.record(instance.spec.address, HealthChanged(instance.health, health, reason))
    changed = replace(instance, health=health, health_reason=reason)
    if changed != draft.instances[instance.spec.address]:
        draft.put(changed)
    return changed


def _is_to_restart(draft: Draft, instance: Instance) -> bool:
    held = is_leaving(instance) or instance.spec.address in draft.suspended
    return _asks_for_restart(instance) and not held


def _asks_for_restart(instance: Instance) -> bool:
    spec = instance.spec
    return spec.health.on_unhealthy == "restart" and spec.lifecycle.restart != "never"
