"""Lays trees over each other and remembers of every part where it was written."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from ignrun.manifest.document import Document, Graft
from ignrun.manifest.shape import BODIES
from ignrun.terms.leaves import Path

_OPEN_IN_MODULES: Final = frozenset({"config", "config_schema", "exports", "files", "for_each"})
_OPEN: Final = frozenset({"vars"})
_PROBES: Final = frozenset({"ready", "check"})
_CONTENTS: Final = ("json", "yaml", "text")


class Branch(msgspec.Struct, frozen=True):
    """A value, and where it and each part of it was written."""

    value: Any
    graft: Graft

    def child(self, key: str | int) -> "Branch":
        """Give the part under `key`, which exists."""
        return Branch(self.value[key], self.graft.below(key))

    def block(self, key: str | int) -> "Branch | None":
        """Give the mapping under `key`, None where there is none."""
        inner = self.value.get(key) if isinstance(self.value, dict) else None
        return Branch(inner, self.graft.below(key)) if isinstance(inner, dict) else None

    def changed(self, changes: "Mapping[str, Branch | None]") -> "Branch":
        """Copy a mapping with some parts replaced or added, and without those that become None."""
        value, inner = dict(self.value), dict(self.graft.inner)
        for key, part in changes.items():
            if part is None:
                value.pop(key, None)
                inner.pop(key, None)
            else:
                value[key], inner[key] = part.value, part.graft
        return Branch(value, Graft(self.graft.source, self.graft.path, inner))


def trunk(number: int, tree: Any) -> Branch:
    """Make the branch of a whole text, which is source number `number`."""
    return Branch(tree, Graft(number, ()))


def woven(branch: Branch, sources: tuple[Document, ...]) -> Document:
    """Make the document of a tree that stands in several places; it goes by the name of the first source."""
    first = sources[0]
    return Document(
        first.file, first.digest, branch.value, b"", first.lines, frozenset(), sources=sources, graft=branch.graft
    )


def laid_over(weak: Branch, strong: Branch, path: Path = ()) -> Branch:
    """Merge objects by key, replace everything else; a `null` removes what it lies over, and stays where config may still need it."""
    if not isinstance(weak.value, dict) or not isinstance(strong.value, dict) or _replaces(weak, strong, path):
        return _without_nulls(strong, path)
    changes: dict[str, Branch | None] = {}
    for key, value in strong.value.items():
        here = (*path, key)
        if value is None and (key in weak.value or not _open(here)) and not _in_config(here):
            changes[key] = None
        elif key in weak.value:
            changes[key] = laid_over(weak.child(key), strong.child(key), here)
        else:
            changes[key] = _without_nulls(strong.child(key), here)
    return _with_one_content(weak, strong, path).changed(changes)


def _replaces(weak: Branch, strong: Branch, path: Path) -> bool:
    """Tell whether a mapping replaces the weaker one: probes and secrets are one of several, and so is what a module runs."""
    if path and (path[-1] in _PROBES or path[-1] == "when" or (len(path) == 2 and path[0] == "secrets")):  # noqa: PLR2004 - key, name
        return not _open(path)
    return _is_module(path) and other_body(weak.value, strong.value)


def other_body(weak: dict[str, Any], strong: dict[str, Any]) -> bool:
    """Tell whether a block names another one of `uses`, `entry`, `command` than the weaker one does."""
    named = [key for key in BODIES if strong.get(key) is not None]
    return bool(named) and not any(key in weak for key in named) and any(key in weak for key in BODIES)


def _with_one_content(weak: Branch, strong: Branch, path: Path) -> Branch:
    """Let a file of a command that gets other content lose the content it had."""
    is_file = len(path) == 4 and path[0] == "modules" and path[2] == "files"  # noqa: PLR2004 - modules, name, files, path
    if not is_file or not any(key in strong.value and key not in weak.value for key in _CONTENTS):
        return weak
    return weak.changed(dict.fromkeys(_CONTENTS))


def _without_nulls(branch: Branch, path: Path) -> Branch:
    """Leave the nulls out that have nothing to remove, but for those that are values."""
    if _open(path) or not isinstance(branch.value, dict):
        return branch
    changes: dict[str, Branch | None] = {}
    for key, value in branch.value.items():
        if value is None and not _open((*path, key)):
            changes[key] = None
        elif isinstance(value, dict):
            before = branch.child(key)
            after = _without_nulls(before, (*path, key))
            if after is not before:
                changes[key] = after
    return branch.changed(changes) if changes else branch


def _is_module(path: Path) -> bool:
    return len(path) == 2 and path[0] == "modules"  # noqa: PLR2004 - the key and the name


def _open(path: Path) -> bool:
    """Tell whether users say freely what stands at `path`."""
    if len(path) > 3 and path[0] == "modules":  # noqa: PLR2004 - below a key of a module
        return path[2] in _OPEN_IN_MODULES
    return len(path) > 1 and (path[0] in _OPEN or str(path[0]).startswith("x-"))


def _in_config(path: Path) -> bool:
    return len(path) > 3 and path[0] == "modules" and path[2] == "config"  # noqa: PLR2004 - below a key of a module
