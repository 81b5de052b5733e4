"""Turns keys that the language has and this version cannot honour into diagnostics, so that nothing is silently ignored."""

from collections.abc import Iterator
from typing import Any, Final

from ignrun.manifest.document import Document
from ignrun.manifest.places import at_key
from ignrun.terms.diagnostics import Diagnostic, Severity
from ignrun.terms.leaves import Path

_REFUSED: Final = frozenset({"include", "python", "moved", "catalog"})
_CARRIED: Final = frozenset({"platform", "watch", "alerts", "log"})
_REFUSED_OF_MODULES: Final = frozenset({"for_each", "extends", "files", "user", "umask", "limits"})
_CARRIED_OF_MODULES: Final = frozenset({"reload", "irreversible", "log"})
_REFUSED_PROVIDERS: Final = frozenset({"keyring", "vault"})
_OF_MODULES: Final = _REFUSED_OF_MODULES | _CARRIED_OF_MODULES


def later_keys(document: Document) -> Iterator[Diagnostic]:
    """Give an error for each key that would change what runs, a warning for each that only has no effect yet."""
    tree = document.tree
    yield from _keys(document, (), tree, _REFUSED, _CARRIED)
    for name, module in _blocks(tree, "modules"):
        if not _OF_MODULES.isdisjoint(module):
            yield from _keys(document, ("modules", name), module, _REFUSED_OF_MODULES, _CARRIED_OF_MODULES)
    for name, secret in _blocks(tree, "secrets"):
        yield from _keys(document, ("secrets", name), secret, _REFUSED_PROVIDERS, frozenset())
    policy = tree.get("apply")
    if isinstance(policy, dict):
        unfulfilled = {"on_failure"} if policy.get("on_failure") in {"rollback", "exit"} else set()
        yield from _keys(document, ("apply",), policy, frozenset(), frozenset({"runtime_config", *unfulfilled}))


def free_modules(document: Document) -> Iterator[Diagnostic]:
    """Warn of free keys among the modules: somebody may think that they run."""
    for name, _ in _blocks(document.tree, "modules"):
        if name.startswith("x-"):
            summary = f"`{name}` is a free key and runs nothing"
            hint = "name it without `x-` if it is a module"
            yield at_key(document, ("modules", name), "IGN293", summary, hint=hint, severity=Severity.WARNING)


def _keys(
    document: Document, path: Path, block: dict[str, Any], refused: frozenset[str], carried: frozenset[str]
) -> Iterator[Diagnostic]:
    for key in block:
        here = (*path, key)
        if key in refused:
            hint = "leave it out for now"
            yield at_key(document, here, "IGN290", f"`{key}` is not yet in this version of ignrun", hint=hint)
        elif key in carried:
            summary = f"`{key}` is not yet in effect in this version of ignrun"
            yield at_key(document, here, "IGN291", summary, severity=Severity.WARNING)


def _blocks(tree: dict[str, Any], key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    named = tree.get(key)
    if isinstance(named, dict):
        yield from ((name, block) for name, block in named.items() if isinstance(block, dict))
