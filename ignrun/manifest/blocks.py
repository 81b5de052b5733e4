"""Turns the blocks of modules into those that run: `extends` merged underneath, `for_each` made into one module for each element."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from ignrun.manifest.document import Document, Graft
from ignrun.manifest.places import at_key, at_value
from ignrun.manifest.shape import BODIES
from ignrun.manifest.weave import Branch, laid_over
from ignrun.terms.diagnostics import Diagnostic, Note
from ignrun.terms.hints import did_you_mean
from ignrun.terms.names import MODULE_NAME

_WIRING: Final = ("requires", "wants", "after")
_EACH_KEY: Final = "${each:key}"
MAX_COMPLAINTS: Final = 100
"""Of one kind: who has more has made one mistake many times."""
Key = tuple[str, ...]
"""A block: `("modules", name)`, or `("x-name",)` beside the modules."""
Layers = tuple[tuple[str, Branch], ...]
"""The blocks that one was merged from, weakest first, each with the name of its layer."""


class Block(msgspec.Struct, frozen=True):
    """A block as it was merged, and from what; `each` is the element that made it."""

    branch: Branch
    layers: Layers
    each: tuple[str, Any] | None = None


class Extending:
    """Merges what blocks extend underneath them; `diagnostics` tells of names that lead nowhere and of circles, which leave `broken` blocks."""

    def __init__(self, root: Branch, document: Document, layers_of: Callable[[Key, Branch], Layers]) -> None:
        """Look the blocks up in `root`, their places in `document`, and what each was merged from in `layers_of`."""
        self._root = root
        self._document = document
        self._layers_of = layers_of
        self._done: dict[Key, Block] = {}
        self.broken: set[Key] = set()
        self.diagnostics: list[Diagnostic] = []

    def block(self, name: str) -> Block:
        """Give the module `name` with all that it extends."""
        chain: list[Key] = []
        told = len(self.diagnostics)
        at: Key | None = ("modules", name)
        while at is not None and at not in self._done:
            if at in chain:
                self._circle(chain[chain.index(at) :])
                break
            chain.append(at)
            at = self._extended_by(at)
        if len(self.diagnostics) > told or not self.broken.isdisjoint((at, *chain)):
            self.broken.update(chain)
        for key in reversed(chain):
            self._done[key] = self._merged(key)
        return self._done["modules", name]

    def _merged(self, key: Key) -> Block:
        written = self._found(key)
        layers = self._layers_of(key, written)
        own = written.changed({"extends": None}) if "extends" in written.value else written
        parent = self._done.get(self._named(written.value.get("extends")) or ())
        if parent is None:
            return Block(own, layers)
        path = key if key[0] == "modules" else ("modules", key[0])
        below = parent.branch
        if any(own.value.get(body) is not None for body in BODIES):
            below = below.changed(dict.fromkeys((*BODIES, "version")))
        inherited = tuple(("config", branch) for _, branch in parent.layers)
        return Block(_standing_at(own, laid_over(below, own, path)), (*inherited, *layers))

    def _found(self, key: Key) -> Branch:
        at = self._root
        for word in key:
            at = at.child(word)
        return at

    def _named(self, target: Any) -> Key | None:
        """Find the block that `extends` names: a module, or a free block among or beside the modules."""
        if not isinstance(target, str):
            return None
        modules = self._root.block("modules")
        if modules is not None and modules.block(target) is not None:
            return ("modules", target)
        return (target,) if target.startswith("x-") and self._root.block(target) is not None else None

    def _extended_by(self, key: Key) -> Key | None:
        target = self._found(key).value.get("extends")
        if target is None:
            return None
        found = self._named(target)
        if found is None:
            self.broken.add(key)
            if len(self.diagnostics) >= MAX_COMPLAINTS:
                return None
            modules = self._root.block("modules")
            known = [*(modules.value if modules else ()), *(name for name in self._root.value if name.startswith("x-"))]
            hint = did_you_mean(str(target), [name for name in known if name != key[-1]])
            if target in known:
                hint = "that is no mapping"
            summary = f"there is no block `{target}` to extend"
            self.diagnostics.append(at_value(self._document, (*key, "extends"), "IGN213", summary, hint=hint))
        return found

    def _circle(self, keys: list[Key]) -> None:
        names = [key[-1] for key in keys]
        shown = " -> ".join(f"`{name}`" for name in (*names, names[0]))
        notes = [
            Note(f"`{name}` extends `{after}`", self._document.value_span((*key, "extends")))
            for key, name, after in zip(keys, names, (*names[1:], names[0]), strict=True)
        ]
        path = (*keys[0], "extends")
        found = at_value(self._document, path, "IGN214", f"cycle: {shown}", hint="remove one of them", notes=notes)
        self.diagnostics.append(found)


def _standing_at(own: Branch, merged: Branch) -> Branch:
    """Let a block stand where it is written, and its parts where they came from."""
    inner = {key: merged.graft.below(key) for key in merged.value}
    return Branch(merged.value, Graft(own.graft.source, own.graft.path, inner))


class Multiplying:
    """Makes the modules of `for_each`; `diagnostics` tells of names that cannot be, or are there already."""

    def __init__(self, document: Document, modules: Branch) -> None:
        """Take places from `document`; `modules` are the blocks as they are written."""
        self._document = document
        self._made: dict[str, str] = dict.fromkeys(modules.value, "")
        self.diagnostics: list[Diagnostic] = []

    def modules_of(self, name: str, block: Block) -> Iterator[tuple[str, Block]]:
        """Give the modules that a block stands for: itself, or one for each element."""
        elements = block.branch.value.get("for_each")
        if elements is None:
            yield name, block
            return
        one = block.branch.changed({"for_each": None})
        listed = elements.items() if isinstance(elements, dict) else ((_key(value), value) for value in elements)
        for number, (key, value) in enumerate(listed):
            made = f"{name}-{key}"
            place = ("modules", name, "for_each", key if isinstance(elements, dict) else number)
            if self._fits(name, made, block.branch, place[3]):
                yield made, Block(_wired(one, key), block.layers, (key, value))

    def _fits(self, name: str, made: str, branch: Branch, element: str | int) -> bool:
        holder = self._made.get(made)
        if holder is None and MODULE_NAME.match(made):
            self._made[made] = name
            return True
        why = "is not a name for a module" if holder is None else "is there already"
        hint = "a key has lower-case letters, digits and `-`" if holder is None else "give one of them another name"
        spot = branch.graft.below("for_each").below(element)
        source = self._document.sources[spot.source]
        if len(self.diagnostics) >= MAX_COMPLAINTS:
            return False
        self.diagnostics.append(
            at_key(source, spot.path, "IGN215", f"`for_each` of `{name}` makes `{made}`, which {why}", hint=hint)
        )
        return False


def _wired(block: Branch, key: str) -> Branch:
    """Put the key of an element into the names that a block needs: they are names, and not resolved later."""
    for name in _WIRING:
        written = block.value.get(name)
        named = _with_key(written, key)
        if named != written:
            block = block.changed({name: Branch(named, block.graft.below(name))})
    return block


def _with_key(node: Any, key: str) -> Any:
    if isinstance(node, dict):
        return {name: _with_key(inner, key) for name, inner in node.items()}
    if isinstance(node, list):
        return [_with_key(inner, key) for inner in node]
    return node.replace(_EACH_KEY, key) if isinstance(node, str) else node


def _key(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def as_modules(modules: Branch, blocks: dict[str, Block]) -> Branch:
    """Put modules, in their order, in place of those that were written."""
    value = {name: block.branch.value for name, block in blocks.items()}
    inner: dict[str | int, Graft] = {name: block.branch.graft for name, block in blocks.items()}
    return Branch(value, Graft(modules.graft.source, modules.graft.path, inner))


NEEDS_WEAVING: Final = frozenset({"extends", "for_each"})
"""The keys whose modules are not those that are written."""
