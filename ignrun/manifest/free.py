"""Turns a tree into the same tree without its free `x-` keys, which every closed block may hold."""

from typing import Any, Final

_OPEN: Final = frozenset({"config", "config_schema", "vars", "exports", "env", "labels", "files", "for_each", "when"})
_NAMED: Final = frozenset({"requires", "wants", "secrets", "alerts"})


def without_free_keys(tree: Any) -> Any:
    """Take `x-` keys out of a document's closed blocks; what users name themselves (config, env, slots, ...) is left alone."""
    if not isinstance(tree, dict):
        return tree
    sound = {key: _block(key, value) for key, value in tree.items() if not _free(key)}
    modules = sound.get("modules")
    if isinstance(modules, dict):
        sound["modules"] = {name: _members(module) for name, module in tree["modules"].items() if not _free(name)}
    return sound


def without_free_modules(tree: Any) -> Any:
    """Take `x-` keys out of the top level and out of `modules` only: all that most manifests have."""
    if not isinstance(tree, dict):
        return tree
    modules = tree.get("modules")
    if not any(map(_free, tree)) and not (isinstance(modules, dict) and any(map(_free, modules))):
        return tree
    sound = {key: value for key, value in tree.items() if not _free(key)}
    if isinstance(modules, dict):
        sound["modules"] = {name: module for name, module in modules.items() if not _free(name)}
    return sound


def _free(key: str) -> bool:
    return key.startswith("x-")


def _block(key: str, value: Any) -> Any:
    if key in _OPEN:
        return value
    if key in _NAMED and isinstance(value, dict):
        return {name: _members(one) for name, one in value.items()}
    return _members(value)


def _members(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _block(key, one) for key, one in value.items() if not _free(key)}
    if isinstance(value, list):
        return [_members(one) for one in value]
    return value
