"""Decides who follows a provider whose exports changed in an apply: dependents whose config is made of them change with it."""

from collections.abc import Iterator
from typing import Any

from ignrun.planner.config.updates import asked_by
from ignrun.planner.graph.model import Command, InstanceSpec
from ignrun.planner.plan.ways import in_place
from ignrun.runtime.apply.goals import set_goal
from ignrun.runtime.apply.turn import Turn
from ignrun.runtime.supervise.conditions import at_rest
from ignrun.runtime.supervise.roster import Goal, Instance
from ignrun.terms.leaves import ExportNamed, Path, Pending
from ignrun.terms.names import Address
from ignrun.terms.states import ModuleState


def follow(turn: Turn) -> None:
    """Make members of all dependents that have to follow what was settled in this turn."""
    for provider in [a for a in turn.draft.touched if a in turn.transaction.exports]:
        was, instance = turn.transaction.exports[provider], turn.draft.instances.get(provider)
        if instance is None or not _has_spoken(instance) or was == instance.exports:
            continue
        now = instance.exports
        keys = {key for key in was.keys() | now.keys() if was.get(key) != now.get(key)}
        for edge in turn.draft.wiring.dependents.get(provider, ()):
            _take_along(turn, edge.dependent, provider, keys)


def _has_spoken(now: Instance) -> bool:
    return (now.state is ModuleState.RUNNING or now.completed) and now.in_place is None and now.next_spec is None


def _take_along(turn: Turn, address: Address, provider: Address, keys: set[Any]) -> None:
    transaction = turn.transaction
    dependent = turn.draft.instances.get(address)
    if dependent is None or address in transaction.actions or dependent.goal is not Goal.UP or at_rest(dependent):
        return
    paths = tuple(_config_paths(dependent.spec, provider, keys))
    if not paths and not _is_run_with(dependent.spec, provider, keys):
        return
    action = _action(dependent.spec, paths)
    before = {**transaction.before}
    before.setdefault(address, dependent)
    turn.change_transaction(
        steps=(*transaction.steps, address),
        actions={**transaction.actions, address: action},
        paths={**transaction.paths, address: paths},
        members=transaction.members | {address},
        ended=transaction.ended - {address},
        well=transaction.well - {address},
        before=before,
        exports={**transaction.exports, address: dependent.exports},
    )
    set_goal(turn, address, turn.draft.graph.instances.get(address, dependent.spec))
    turn.draft.touched[address] = None


def _config_paths(spec: InstanceSpec, provider: Address, keys: set[Any]) -> Iterator[Path]:
    yield from (pending.path for pending in spec.config.pending if _hangs_on(pending, provider, keys))


def _is_run_with(spec: InstanceSpec, provider: Address, keys: set[Any]) -> bool:
    """Tell whether a command was started with what is no longer so, beyond its config."""
    if not isinstance(spec.body, Command):
        return False
    trees = (spec.body.argv, spec.body.env, spec.body.files)
    return any(_hangs_on(pending, provider, keys) for tree in trees if tree is not None for pending in tree.pending)


def _hangs_on(pending: Pending, provider: Address, keys: set[Any]) -> bool:
    return any(isinstance(p, ExportNamed) and p.provider == provider and p.key in keys for p in pending.parts)


def _action(spec: InstanceSpec, paths: tuple[Path, ...]) -> str:
    body = spec.body
    if isinstance(body, Command):
        only_files = not paths and not body.argv.pending and not body.env.pending
        return in_place(spec) if only_files else "restart"
    return "restart" if any(asked_by(spec.updates, path) != "reconfigure" for path in paths) else in_place(spec)
