"""Turns the source of a Python file into the names it defines and the callbacks of its classes, without running it."""

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

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

_OURS: Final = frozenset({"AbstractIgnitionModule", "Module", "object", "ABC", "Generic"})
"""Base classes that bring no callbacks of their own."""

_WHERE_OURS: Final = frozenset({"ignrun", "abc", "typing"})

MOST_FILES: Final = 8
"""How many files a name is followed through, from a class to its base, or from where it is handed on to where it is defined."""


Traits = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class Ancestor(msgspec.Struct, frozen=True, array_like=True):
    """A base class as it is written: its name, and the module in front of it; without a name it is not to be read."""

    name: str = ""
    module: str = ""


class ClassBody(msgspec.Struct, frozen=True, array_like=True, tag="class"):
    """What a class says by itself: its bases and methods, those that it provides, and of its `Config` what ClassTraits says."""

    bases: tuple[Ancestor, ...]
    methods: tuple[str, ...]
    provided: tuple[str, ...]
    config: bool
    updates: tuple[tuple[str, str], ...]


class FunctionBody(msgspec.Struct, frozen=True, array_like=True, tag="function"):
    """A function at the top level."""

    is_async: bool


class ClassTraits(msgspec.Struct, frozen=True):
    """What the source says of a class: its callbacks (None: it does not say), what it provides, and whether it has a `Config`.

    `updates` are the fields of that `Config` marked with `update(..)`, each with the word in it.
    """

    callbacks: tuple[str, ...] | None = None
    provides: tuple[str, ...] = ()
    config: bool = False
    updates: tuple[tuple[str, str], ...] = ()


class Taken(msgspec.Struct, frozen=True):
    """What a name at the top level of a file was imported as: `name` of a module, or the module itself (no name); `level` counts the dots."""

    module: str
    level: int = 0
    name: str = ""


class Outline(msgspec.Struct, frozen=True):
    """What a file says of itself.

    `names` are those it defines at its top level, `open` says that there may be others (a star import, `__getattr__`);
    `bodies` are its classes and functions, `taken` its imports by the name that they have here.
    """

    names: frozenset[str]
    open: bool
    bodies: dict[str, ClassBody | FunctionBody]
    taken: dict[str, Taken] = {}


class Place(NamedTuple):
    """A name in a file, and how the imports of that file are followed."""

    outline: Outline
    name: str
    follow: "Follow"


Follow = Callable[[Taken], "Place | None"]
"""Finds what was imported in another file; None where that is not to be read."""


def nowhere(_: Taken) -> None:
    """Follow no import."""


def outline_of(tree: ast.Module) -> Outline:
    """List the names that a file defines at its top level, also below `if`, `try` and `with`."""
    names: set[str] = set()
    bodies: dict[str, ClassBody | FunctionBody] = {}
    taken: dict[str, Taken] = {}
    for statement in _top_level(tree.body):
        names.update(_defined(statement))
        if isinstance(statement, Traits):
            bodies[statement.name] = _body_of(statement)
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            taken.update(_taken(statement))
    return Outline(frozenset(names - {"*"}), "*" in names or "__getattr__" in names, bodies, taken)


def traits_of(outline: Outline, name: str, follow: Follow = nowhere) -> ClassTraits:
    """Read the traits of a class or function, those of its bases included; bases in other files are found by `follow`."""
    lineage = _Lineage()
    lineage.add(Place(outline, name, follow))
    provides = {name for body in lineage.bodies for name in body.provided}
    config = any(body.config for body in lineage.bodies)
    updates = tuple(one for body in lineage.bodies for one in body.updates) if config else ()
    return ClassTraits(lineage.callbacks, tuple(sorted(provides)), config, updates)


class _Lineage:
    """A class and all its bases, as far as their source is to be read; `whole` says that it all was."""

    def __init__(self) -> None:
        self.bodies: list[ClassBody] = []
        self.whole = True
        self._is_function = False
        self._seen: set[tuple[int, str]] = set()

    @property
    def callbacks(self) -> tuple[str, ...] | None:
        """Name the callbacks of a class, or `run` for an async function; None where the source does not say."""
        if self._is_function:
            return ("run",)
        own = {name for body in self.bodies for name in body.methods}
        return tuple(one for one in CALLBACKS if one in own) if self.whole and self.bodies else None

    def add(self, place: Place, files: int = MOST_FILES) -> None:
        """Add a class and its bases; what comes from another file is followed there."""
        key = (id(place.outline), place.name)
        found = place.outline.bodies.get(place.name)
        taken = place.outline.taken.get(place.name)
        if isinstance(found, ClassBody) and key not in self._seen:
            self._seen.add(key)
            self.bodies.append(found)
            for base in found.bases:
                self._add_base(base, place, files)
        elif isinstance(found, FunctionBody) and found.is_async and not self.bodies:
            self._is_function = True
        elif found is None and taken is not None:
            self._add_taken(taken, place, files)
        elif key not in self._seen:
            self.whole = False

    def _add_base(self, base: Ancestor, place: Place, files: int) -> None:
        if not base.name:
            self.whole = False
        elif base.module and base.name not in _OURS:
            self._add_taken(_inside(place.outline.taken.get(base.module), base.name), place, files)
        elif not base.module and (base.name in place.outline.bodies or base.name not in _OURS):
            self.add(place._replace(name=base.name), files)

    def _add_taken(self, taken: Taken | None, place: Place, files: int) -> None:
        if taken is not None and taken.name in _OURS and taken.module.partition(".")[0] in _WHERE_OURS:
            return
        there = place.follow(taken) if taken is not None and files else None
        if there is None:
            self.whole = False
        else:
            self.add(there, files - 1)


def _inside(taken: Taken | None, name: str) -> Taken | None:
    """Say what `name` of an imported module is."""
    if taken is None:
        return None
    module = ".".join(filter(None, (taken.module, taken.name)))
    return Taken(module, taken.level, name)


def _taken(statement: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Taken]]:
    for alias in statement.names:
        if isinstance(statement, ast.ImportFrom):
            yield alias.asname or alias.name, Taken(statement.module or "", statement.level, alias.name)
        elif alias.asname or "." not in alias.name:
            yield alias.asname or alias.name, Taken(alias.name)


_METHODS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _body_of(statement: Traits) -> ClassBody | FunctionBody:
    """Take down what a class or a function says by itself."""
    if not isinstance(statement, ast.ClassDef):
        return FunctionBody(isinstance(statement, ast.AsyncFunctionDef))
    methods = [one for one in statement.body if isinstance(one, _METHODS)]
    return ClassBody(
        tuple(map(_base_of, statement.bases)),
        tuple(method.name for method in methods),
        tuple(method.name for method in methods if _is_provided(method)),
        any(map(_names_config, statement.body)),
        tuple(_updates(statement)),
    )


def _base_of(base: ast.expr) -> Ancestor:
    match base:
        case ast.Subscript(value=inner):
            return _base_of(inner)
        case ast.Name(name):
            return Ancestor(name)
        case ast.Attribute(ast.Name(module), name):
            return Ancestor(name, module)
        case _:
            return Ancestor()


def _is_provided(method: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    marks = (one.func if isinstance(one, ast.Call) else one for one in method.decorator_list)
    return any((one.id if isinstance(one, ast.Name) else getattr(one, "attr", "")) == "provides" for one in marks)


def _updates(body: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """Give name and word of each field of a `Config` in this body that is annotated with `update("..")`."""
    configs = (one for one in body.body if isinstance(one, ast.ClassDef) and one.name == "Config")
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
