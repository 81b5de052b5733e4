"""Decides in a few milliseconds whether a tree is valid: its types, and what types alone cannot say."""

from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from ignrun.manifest.nulls import removes_only_known, without_nulls
from ignrun.manifest.shape import (
    OF_COMMANDS,
    ActionText,
    AlertText,
    Block,
    CheckText,
    DefinitionText,
    FileText,
    ManifestText,
    ModuleText,
    Name,
    NeedText,
    OverlayText,
    PartialModuleText,
    ProbeText,
    SecretText,
    WhenText,
    is_target,
)

T = TypeVar("T")


def shaped(tree: Any, shape: type[T]) -> T | None:
    """Give `tree`, free keys taken out, as `shape`; None where it is not valid. Modules with `extends` are judged and left out."""
    text, partial = _converted(tree, shape)
    match text:
        case ManifestText() | OverlayText() if not _rules_hold(text, partial):
            return None
        case DefinitionText() if not (_distinct(text.scopes) and _distinct(text.claims)):
            return None
        case _:
            return text


def loosely_shaped(tree: Any, shape: type[T]) -> T | None:
    """Give `tree` as `shape` when its types fit, whatever else is wrong: for the sound part of something refused."""
    return _converted(tree, shape)[0]


def _converted(tree: Any, shape: type[T]) -> tuple[T | None, dict[str, PartialModuleText]]:
    """Convert a tree and, on their own, its modules with `extends`, in which nulls remove something."""
    try:
        if shape is OverlayText:
            return _laid_over(tree, shape), {}
        extending = _extending(tree) if shape is ManifestText else {}
        if not extending:
            return msgspec.convert(tree, shape, strict=True), {}
        others = {name: block for name, block in tree["modules"].items() if name not in extending}
        text = msgspec.convert({**tree, "modules": others}, shape, strict=True)
        return text, _laid_over(extending, dict[Name, PartialModuleText])
    except msgspec.ValidationError:
        return None, {}


def _laid_over(tree: Any, shape: Any) -> Any:
    """Convert a tree in which nulls remove something; raises ValidationError also where there is nothing of that key to remove."""
    if not removes_only_known(tree, shape):
        message = "a null at a key that there is not"
        raise msgspec.ValidationError(message)
    return msgspec.convert(without_nulls(tree), shape, strict=True)


def _extending(tree: Any) -> dict[str, Any]:
    """Give the modules of a tree that are laid over other blocks."""
    modules = tree.get("modules") if isinstance(tree, dict) else None
    if not isinstance(modules, dict):
        return {}
    return {name: block for name, block in modules.items() if isinstance(block, dict) and "extends" in block}


def _rules_hold(text: ManifestText | OverlayText, partial: dict[str, PartialModuleText]) -> bool:
    """Check what types alone cannot say: exactly one of several keys, keys that need another, lists without repetition."""
    modules = (text.modules or {}).values()
    secrets = text.secrets or {}
    alerts: Any = text.alerts or {}
    return (
        all(_module_holds(one) for one in modules)
        and all(_block_holds(one) for one in partial.values())
        and all(map(_secret_holds, secrets.values()))
        and all(_alert_holds(one) for one in alerts.values())
        and _distinct(text.activate)
        and (not text.defaults or not text.defaults.health or _probe_holds(text.defaults.health.check))
    )


def _secret_holds(one: dict[str, Any]) -> bool:
    """Tell whether one provider is named; whether one that others bring is there, and takes that, is seen when it is looked for."""
    shipped = [name for name in one if name in SecretText.__struct_fields__]
    if not shipped:
        return bool(one)
    return len(one) == 1 and loosely_shaped(one, SecretText) is not None


def _module_holds(one: ModuleText) -> bool:
    if isinstance(one, PartialModuleText):
        return _block_holds(one)
    bodies = (one.uses is not UNSET) + (one.entry is not UNSET) + (one.command is not UNSET)
    if bodies != 1 or (one.version is not UNSET and one.uses is UNSET):
        return False
    if one.command is UNSET and any(getattr(one, name) is not UNSET for name in OF_COMMANDS):
        return False
    return _block_holds(one) and (one.files is UNSET or all(map(_file_holds, one.files.values())))


def _block_holds(one: ModuleText) -> bool:
    return (
        _probe_holds(one.ready)
        and (one.health is UNSET or _probe_holds(one.health.check))
        and _distinct(one.scopes)
        and _distinct(one.after)
        and _distinct(one.claims)
        and _distinct(one.inherit_env)
        and _needs_hold(one.requires)
        and _needs_hold(one.wants)
    )


def _file_holds(one: FileText) -> bool:
    return sum(value is not UNSET for value in (one.json, one.yaml, one.text)) == 1


def _alert_holds(one: AlertText) -> bool:
    actions = [action for action in one.then or () if isinstance(action, ActionText)]
    when: WhenText | UnsetType = one.when  # unset in a partial block
    return all(_set(action) == 1 for action in actions) and (when is UNSET or _when_holds(when))


def _when_holds(when: WhenText) -> bool:
    watched = (when.restarts, when.log, when.sample, when.health, when.state)
    bounds = (when.above is not UNSET) + (when.below is not UNSET)
    return (
        sum(one is not UNSET for one in watched) == 1
        and (when.rate is UNSET or when.log is not UNSET)
        and (bounds == 0 or when.sample is not UNSET)
        and (when.sample is UNSET or bounds > 0)
    )


def _probe_holds(probe: Any) -> bool:
    return not isinstance(probe, ProbeText | CheckText) or _set(probe) == 1


def _needs_hold(needs: Any) -> bool:
    if isinstance(needs, dict):
        return all(_targets_hold(need.module if isinstance(need, NeedText) else need) for need in needs.values())
    return _distinct(needs)


def _targets_hold(targets: str | list[str] | UnsetType) -> bool:
    if targets is UNSET:
        return True  # in a partial block
    if isinstance(targets, str):
        return is_target(targets) is not None
    return bool(targets) and all(map(is_target, targets)) and _distinct(targets)


def _distinct(items: Any) -> bool:
    return not isinstance(items, list) or len(set(items)) == len(items)


def _set(block: Block) -> int:
    return sum(getattr(block, name) is not UNSET for name in block.__struct_fields__)
