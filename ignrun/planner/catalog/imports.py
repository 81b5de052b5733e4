"""Turns the source of a Python file into what it imports, without running it."""

import ast
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

_DYNAMIC: Final = frozenset({"import_module", "__import__"})
_BLOCKS: Final = ("body", "orelse", "finalbody", "handlers", "cases")
_SIMPLE: Final = (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Pass, ast.Raise, ast.Assert)


class Wanted(msgspec.Struct, frozen=True):
    """One import: the module as it is written, `level` dots in front of it, and what is taken from it (`*`: everything)."""

    module: str
    level: int = 0
    names: tuple[str, ...] = ()


class Imports(msgspec.Struct, frozen=True):
    """What a file imports; `dynamic` says that it imports what only running it would tell."""

    wanted: tuple[Wanted, ...] = ()
    dynamic: bool = False


NONE: Final = Imports()


def imports_of(tree: ast.Module, content: bytes) -> Imports:
    """List the imports of a file, those in functions and conditions included; `content` is its text."""
    wanted = list(_statements(tree.body))
    dynamic = False
    if any(word.encode() in content for word in _DYNAMIC):
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call) and _called(node) in _DYNAMIC):
            name = _constant(call)
            dynamic = dynamic or not name
            wanted += [Wanted(name)] if name else []
    return Imports(tuple(dict.fromkeys(wanted)), dynamic)


def _statements(body: Iterable[ast.AST]) -> Iterator[Wanted]:
    for statement in body:
        if isinstance(statement, ast.Import):
            yield from (Wanted(alias.name) for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            names = tuple(alias.name for alias in statement.names)
            yield Wanted(statement.module or "", statement.level, names)
        elif not isinstance(statement, _SIMPLE):
            for block in _BLOCKS:
                yield from _statements(getattr(statement, block, ()))


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _constant(call: ast.Call) -> str:
    """Give the module that a call names in full; empty where only running it would tell."""
    match call.args:
        case [ast.Constant(str(name)), *_] if not name.startswith("."):
            return name
        case _:
            return ""
