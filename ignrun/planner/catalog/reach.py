"""Turns the file of an entry into everything that belongs to its code: the own files that its imports reach, and installed packages."""

import functools
import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from ignrun.planner.catalog.archive import is_archive
from ignrun.planner.catalog.entry import Eyes, Source
from ignrun.planner.catalog.imports import Wanted
from ignrun.planner.catalog.listed import Listings
from ignrun.planner.catalog.model import Chosen
from ignrun.planner.catalog.pinned import Installed
from ignrun.protocol.code import CodeIndex

_ENVIRONMENT: Final = ("pyvenv.cfg", "conda-meta")
_INIT: Final = "__init__.py"
_GIVEN: Final = frozenset({*sys.stdlib_module_names, "ignrun"})
"""What every host has anyway, and no generation pins."""


class Node(msgspec.Struct, frozen=True):
    """One own file: its path, the package that its relative imports start from, and the folder which that is below."""

    file: str
    package: tuple[str, ...]
    root: str


class Reached(msgspec.Struct, frozen=True):
    """The code of an entry: the files with their digests, the digest of both, and the packages (`name==version`) that it imports."""

    digest: str
    index: CodeIndex
    packages: tuple[str, ...] = ()


class Reaching:
    """Says of each chosen entry which code it reaches; `code` holds what was found, by its digest."""

    def __init__(self, own: tuple[str, ...], eyes: Eyes) -> None:
        """Look with `eyes`, which remember; `own` as in Reach."""
        self._reach = Reach(own, eyes.read)
        self.code: dict[str, CodeIndex] = {}

    def followed(self, chosen: Chosen) -> Chosen:
        """Add to a choice what its code reaches; that of a catalog or an installed package is none of our own."""
        code = chosen.code
        if code is None or is_archive(code.root):
            return chosen
        reached = self._reach.of(code.file, code.root)
        if reached is None:
            packages = self._reach.package_of(chosen.entry) if not code.root else ()
            return replace(chosen, code=replace(code, packages=packages))
        self.code[reached.digest] = reached.index
        return replace(chosen, code=replace(code, reach=reached.digest, packages=reached.packages))


class Reach:
    """Follows imports from file to file; each file is read, and each folder listed, only once.

    `own` are the folders whose files count: the sources and the manifest's folder, but for environments and what is hidden in them.
    """

    def __init__(self, own: tuple[str, ...], read: Callable[[Path], Source]) -> None:
        """Follow imports below `own`, with `read` to look into a file."""
        self._own, self._read = own, read
        self._listings, self._installed = Listings(), Installed()
        self._leads = functools.cache(self._leads_of)
        self._found = functools.cache(self._find)
        self._is_own = functools.cache(self._lies_in_own)
        self._reached: dict[str, Reached | None] = {}

    def of(self, file: str, root: str) -> Reached | None:
        """Give the code that an entry's file reaches, imported from the folder `root`; None where the file is not one of our own."""
        if file not in self._reached:
            self._reached[file] = self._followed(file, root) if self._is_own(file) else None
        return self._reached[file]

    def package_of(self, entry: str) -> tuple[str, ...]:
        """Pin the installed package that an entry itself comes from."""
        top = entry.partition(":")[0].partition(".")[0]
        pin = "" if top in _GIVEN else self._installed.package_of(top)
        return (pin,) if pin else ()

    def _followed(self, file: str, root: str) -> Reached:
        root = root or self._root_of(file)
        todo, files, packages = [_node(file, root)], dict[str, str](), set[str]()
        for parent in _parents(file, root):
            if self._listings.has(parent, _INIT):
                todo.append(_node(os.path.join(parent, _INIT), root))  # noqa: PTH118 - many, and paths as texts
        while todo:
            node = todo.pop()
            if node.file in files:
                continue
            files[node.file] = self._read(Path(node.file)).digest
            nodes, pins = self._leads(node)
            todo += nodes
            packages |= pins
        index = CodeIndex({path: files[path] for path in sorted(files) if files[path]})
        return Reached(_digest(index), index, tuple(sorted(packages)))

    def _root_of(self, file: str) -> str:
        """Give the folder that an installed file of our own is imported from: the one above its packages."""
        folder = os.path.dirname(file)  # noqa: PTH120 - paths as texts
        while self._listings.has(folder, _INIT):
            folder = os.path.dirname(folder)  # noqa: PTH120
        return folder

    def _leads_of(self, node: Node) -> tuple[tuple[Node, ...], frozenset[str]]:
        """Give the own files that one file imports, and the packages."""
        imports = self._read(Path(node.file)).imports
        nodes: dict[Node, None] = {}
        pins: set[str] = set()
        for wanted in imports.wanted:
            module = _absolute(wanted, node)
            nodes.update(dict.fromkeys(self._imported(module, wanted, node.root)))
            top = module.partition(".")[0]
            if not wanted.level and top not in _GIVEN and not self._found(top, node.root):
                pins.update(filter(None, [self._installed.package_of(top)]))
        if imports.dynamic:
            nodes.update(dict.fromkeys(self._around(node)))
        return tuple(nodes), frozenset(pins)

    def _imported(self, module: str, wanted: Wanted, beside: str) -> Iterator[Node]:
        parts = module.split(".") if module else []
        names = [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
        names += [f"{module}.{name}" for name in wanted.names if module and name != "*"]
        yield from filter(None, (self._found(name, beside) for name in names))
        if (
            "*" in wanted.names
            and (package := self._found(module, beside))
            and package.file.endswith(f"{os.sep}{_INIT}")
        ):
            yield from self._below(os.path.dirname(package.file), package.root)  # noqa: PTH120

    def _find(self, module: str, beside: str) -> Node | None:
        """Find an own file of this name: in the folders of our own, in the one `beside` them, or where an editable installation leads."""
        for root in dict.fromkeys((*self._own, beside)):
            file = self._listings.module(root, module)
            if file:
                return _node(file, root) if self._is_own(file) else None
        top = module.partition(".")[0]
        for root in self._installed.folders(top) if top not in _GIVEN else ():
            file = self._listings.module(root, module)
            if file and self._is_own(file):
                return _node(file, root)
        return None

    def _around(self, node: Node) -> Iterator[Node]:
        """Give the whole package of a file; for one without, what lies beside it."""
        if node.package:
            yield from self._below(os.path.join(node.root, node.package[0]), node.root)  # noqa: PTH118
            return
        for file in self._listings.files(node.root):
            yield _node(file, node.root)
        for folder in self._listings.folders(node.root):
            if self._listings.has(folder, _INIT):
                yield from self._below(folder, node.root)

    def _below(self, folder: str, root: str, around: tuple[str, ...] = ()) -> Iterator[Node]:
        """Give every file below a folder; a link that leads back around itself is not followed."""
        real = os.path.realpath(folder)
        if real in around or not self._is_own(os.path.join(folder, _INIT)):  # noqa: PTH118
            return
        for file in self._listings.files(folder):
            yield _node(file, root)
        for inner in self._listings.folders(folder):
            yield from self._below(inner, root, (*around, real))

    def _lies_in_own(self, file: str) -> bool:
        return any(
            self._is_open(file, folder) for folder in self._own if file.startswith(folder.rstrip(os.sep) + os.sep)
        )

    def _is_open(self, file: str, folder: str) -> bool:
        """Tell whether no hidden folder and no environment lies between a folder and a file in it."""
        return not any(
            Path(parent).name.startswith(".") or any(self._listings.has(parent, mark) for mark in _ENVIRONMENT)
            for parent in _parents(file, folder)
        )


def _node(file: str, root: str) -> Node:
    return Node(file, tuple(Path(file).relative_to(root).parts[:-1]), root)


def _parents(file: str, root: str) -> Iterator[str]:
    """Give the folders between a folder and a file in it, neither included."""
    parts = file[len(root.rstrip(os.sep)) + 1 :].split(os.sep)[:-1]  # noqa: PTH206 - texts
    at = root
    for part in parts:
        at = os.path.join(at, part)  # noqa: PTH118
        yield at


def _absolute(wanted: Wanted, node: Node) -> str:
    """Give the full name of what is imported."""
    if not wanted.level:
        return wanted.module
    base = node.package[: len(node.package) - wanted.level + 1]
    return ".".join((*base, *filter(None, [wanted.module])))


def _digest(index: CodeIndex) -> str:
    return hashlib.sha256(msgspec.json.encode(index, order="deterministic")).hexdigest()
