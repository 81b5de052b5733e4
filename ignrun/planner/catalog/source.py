"""Turns the source of a Python file into the names it defines and the callbacks of its classes, without running it."""

import ast
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

CALLBACKS: Final = (
    "initialize",
    "startup",
    "run",
    "prepare_reconfigure",
    "reconfigure",
    "rebind",
    "check_health",
    "shutdown",
    "create_gateway_hook",
    "create_designer_hook",
    "create_client_hook",
)
"""What a runner can call on a module, in the order of a life."""

_OURS: Final = frozenset({"AbstractIgnitionModule", "Module"})
"""Base classes that bring no callbacks of their own."""


Traits = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class ClassTraits(msgspec.Struct, frozen=True):
    """What the source says of a class: its callbacks (None: it does not say), what it provides, and whether it has a `Config`.

    `updates` are the fields of that `Config` marked with `update(..)`, each with the word in it.
    """

    callbacks: tuple[str, ...] | None = None
    provides: tuple[str, ...] = ()
    config: bool = False
    updates: tuple[tuple[str, str], ...] = ()


class Outline(msgspec.Struct, frozen=True):
    """What a file says of itself.

    `names` are those it defines at its top level, `open` says that there may be others (a star import, `__getattr__`);
    `bodies` are its classes and functions.
    """

    names: frozenset[str]
    open: bool
    bodies: dict[str, Any]


def outline_of(tree: ast.Module) -> Outline:
    """List the names that a file defines at its top level, also below `if`, `try` and `with`."""
    names: set[str] = set()
    bodies: dict[str, Traits] = {}
    for statement in _top_level(tree.body):
        names.update(_defined(statement))
        if isinstance(statement, Traits):
            bodies[statement.name] = statement
    return Outline(frozenset(names - {"*"}), "*" in names or "__getattr__" in names, bodies)


def callbacks_of(outline: Outline, name: str) -> tuple[str, ...] | None:
    """Name the callbacks of a class, or `run` for an async function; None where the source does not say."""
    if isinstance(outline.bodies.get(name), ast.AsyncFunctionDef):
        return ("run",)
    own = _callbacks_of_class(name, outline, frozenset())
    return None if own is None else tuple(callback for callback in CALLBACKS if callback in own)


def traits_of(outline: Outline, name: str) -> ClassTraits:
    """Read the traits of a class or function, those of its bases in the same file included."""
    bodies = list(_bodies(name, outline, frozenset()))
    provides = {one.name for body in bodies for one in body.body if isinstance(one, _METHODS) and _is_provided(one)}
    config = any(_names_config(statement) for body in bodies for statement in body.body)
    updates = tuple(_updates(bodies)) if config else ()
    return ClassTraits(callbacks_of(outline, name), tuple(sorted(provides)), config, updates)


def _bodies(name: str, outline: Outline, seen: frozenset[str]) -> Iterator[ast.ClassDef]:
    found = outline.bodies.get(name)
    if not isinstance(found, ast.ClassDef) or name in seen:
        return
    yield found
    for base in found.bases:
        if isinstance(base, ast.Name):
            yield from _bodies(base.id, outline, seen | {name})


_METHODS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _is_provided(method: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    marks = (one.func if isinstance(one, ast.Call) else one for one in method.decorator_list)
    return any((one.id if isinstance(one, ast.Name) else getattr(one, "attr", "")) == "provides" for one in marks)


def _updates(bodies: Iterable[ast.ClassDef]) -> Iterator[tuple[str, str]]:
    """Give name and word of each field of a `Config` in these bodies that is annotated with `update("..")`."""
    configs = (one for body in bodies for one in body.body if isinstance(one, ast.ClassDef) and one.name == "Config")
    for field in (field for config in configs for field in config.body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            marks = (_update(node) for node in ast.walk(field.annotation))
            yield from ((field.target.id, word) for word in marks if word)


def _update(node: ast.AST) -> str:
    match node:
        case ast.Call(ast.Name("update") | ast.Attribute(attr="update"), [ast.Constant(str(word))]):
            return word
        case _:
            return ""


def _names_config(statement: ast.stmt) -> bool:
    """Tell whether a statement of a class body gives it a `Config` of its own."""
    if isinstance(statement, ast.Assign | ast.AnnAssign) and isinstance(statement.value, ast.Constant):
        return False
    return "Config" in _defined(statement)


def _callbacks_of_class(name: str, outline: Outline, seen: frozenset[str]) -> set[str] | None:
    found = outline.bodies.get(name)
    if not isinstance(found, ast.ClassDef) or name in seen:
        return None
    own = {one.name for one in found.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}
    for base in found.bases:
        last = base.id if isinstance(base, ast.Name) else base.attr if isinstance(base, ast.Attribute) else ""
        inherited = set() if last in _OURS else _callbacks_of_class(last, outline, seen | {name})
        if inherited is None:
            return None
        own |= inherited
    return own


def _top_level(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        yield statement
        match statement:
            case ast.If() | ast.For() | ast.While():
                yield from _top_level([*statement.body, *statement.orelse])
            case ast.Try():
                handled = [inner for handler in statement.handlers for inner in handler.body]
                yield from _top_level([*statement.body, *handled, *statement.orelse, *statement.finalbody])
            case ast.With():
                yield from _top_level(statement.body)
            case _:
                pass


def _defined(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            yield statement.name
        case ast.Import() | ast.ImportFrom():
            for alias in statement.names:
                yield alias.asname or alias.name.partition(".")[0]
        case ast.Assign():
            for target in statement.targets:
                yield from _targets(target)
        case ast.AnnAssign():
            yield from _targets(statement.target)
        case _:
            return


def _targets(target: ast.expr) -> Iterator[str]:
    for node in ast.walk(target):
        if isinstance(node, ast.Name):
            yield node.id
