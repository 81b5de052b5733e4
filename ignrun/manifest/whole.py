"""Turns all that a manifest is written in into one document: includes united, overlays laid over, blocks extended and multiplied."""

from typing import Any

import msgspec

from ignrun.manifest.blocks import NEEDS_WEAVING, Block, Extending, Key, Layers, Multiplying, as_modules
from ignrun.manifest.document import Document
from ignrun.manifest.gather import Gathered
from ignrun.manifest.model import ConfigLayer, Where
from ignrun.manifest.places import at_key
from ignrun.manifest.shape import BODIES, ManifestText, OverlayText
from ignrun.manifest.shaping import Shaped, shape_of
from ignrun.manifest.unite import Uniting
from ignrun.manifest.weave import Branch, laid_over, other_body, trunk, woven
from ignrun.terms.diagnostics import Diagnostic, Severity
from ignrun.terms.hints import did_you_mean

_FOLLOWING = frozenset({"IGN203", "IGN207", "IGN212"})
_OF_THE_FILE = ("apiVersion", "kind")


class Whole(msgspec.Struct, frozen=True):
    """A whole manifest: `document` is all of it, `documents` that and the texts it was woven from, `text` its shape.

    `each` is the element that made a module of `for_each`; `layers` the blocks of a config that stands in several places.
    """

    document: Document
    documents: tuple[Document, ...]
    text: ManifestText | None
    each: dict[str, tuple[str, Any]] = {}
    layers: dict[str, tuple[ConfigLayer, ...]] = {}
    diagnostics: tuple[Diagnostic, ...] = ()


def whole(gathered: Gathered) -> Whole:
    """Make one document of what was gathered; a manifest of one file that extends and multiplies nothing is taken as it is."""
    first = gathered.manifests[0]
    if len(gathered.manifests) == 1 and not gathered.overlays and not _to_be_woven(first.tree):
        return Whole(
            first.document, (first.document,), first.text, diagnostics=tuple(_idle(first.document, first.tree, set()))
        )
    return _Weaving(gathered).whole()


def _to_be_woven(tree: Any) -> bool:
    modules = tree.get("modules") if isinstance(tree, dict) else None
    blocks = modules.values() if isinstance(modules, dict) else ()
    return any(isinstance(one, dict) and not NEEDS_WEAVING.isdisjoint(one) for one in blocks)


def _idle(document: Document, tree: Any, extended: set[str]) -> list[Diagnostic]:
    """Remark free blocks among the modules that nothing extends: somebody may think that they run."""
    modules = tree.get("modules") if isinstance(tree, dict) else None
    hint = "name it without `x-` if it is a module"
    return [
        at_key(document, ("modules", name), "IGN293", f"`{name}` is a free key and runs nothing", hint=hint, severity=Severity.REMARK)
        for name in (modules if isinstance(modules, dict) else ())
        if name.startswith("x-") and name not in extended
    ]  # fmt: skip


class _Weaving:
    """Weaves one manifest; the sources are its files, then the overlays."""

    def __init__(self, gathered: Gathered) -> None:
        self._manifests = [one for one in gathered.manifests if isinstance(one.tree, dict)]
        self._overlays = [one for one in gathered.overlays if isinstance(one.tree, dict)]
        self._sources = tuple(one.document for one in _all(gathered) if isinstance(one.tree, dict))
        self._layers: dict[Key, Layers] = {}
        self._hurt = {_module_of(path) for one in _all(gathered) for path in one.wrong}
        self._broken: set[Key] = set()
        self._found: list[Diagnostic] = []

    def whole(self) -> Whole:
        root = self._under_overlays(self._united())
        document = woven(root, self._sources)
        blocks = self._blocks(root, document)
        modules = root.block("modules")
        free: dict[str, Branch | None] = {key: None for key in root.value if key.startswith("x-") or key == "include"}
        if modules is not None:
            root = root.changed({**free, "modules": as_modules(modules, blocks)})
        shaped = shape_of(woven(root, self._sources), ManifestText)
        told = [one for path, one in shaped.mistakes if one and not self._follows(one, path, blocks)]
        self._found += {(one.span, one.code): one for one in reversed(told)}.values()
        return Whole(
            shaped.document,
            (shaped.document, *self._sources),
            shaped.text,
            {name: one.each for name, one in blocks.items() if one.each is not None},
            {name: layers for name, one in blocks.items() if (layers := _config_layers(one))},
            tuple(self._found),
        )

    def _united(self) -> Branch:
        uniting = Uniting(self._sources)
        root = trunk(0, self._manifests[0].tree)
        for number, one in enumerate(self._manifests[1:], 1):
            root = uniting.united(root, trunk(number, one.tree))
        self._found += uniting.diagnostics
        return root

    # --- overlays ---

    def _under_overlays(self, root: Branch) -> Branch:
        for number, one in enumerate(self._overlays, len(self._manifests)):
            overlay = trunk(number, one.tree).changed(dict.fromkeys(_OF_THE_FILE))
            overlay = self._of_known_modules(root, overlay, one)
            self._note_layers(root, overlay)
            root = laid_over(root, overlay)
        return root

    def _of_known_modules(self, root: Branch, overlay: Branch, shaped: Shaped[OverlayText]) -> Branch:
        """Complain of changes to modules that are not there, and leave them out."""
        theirs, ours = overlay.block("modules"), root.block("modules")
        known = ours.value if ours else {}
        strange = [
            name
            for name, block in (theirs.value if theirs else {}).items()
            if not name.startswith("x-") and name not in known and not _is_whole(block)
        ]
        for name in strange:
            if name not in self._hurt:
                summary = f"the overlay changes `{name}`, and there is no such module"
                hint = did_you_mean(name, known) or self._maker(name, known)
                self._found.append(at_key(shaped.document, ("modules", name), "IGN301", summary, hint=hint))
        if theirs is None or not strange:
            return overlay
        return overlay.changed({"modules": theirs.changed(dict.fromkeys(strange))})

    def _maker(self, name: str, known: dict[str, Any]) -> str:
        makers = [one for one, block in known.items() if isinstance(block, dict) and "for_each" in block]
        maker = next((one for one in makers if name.startswith(f"{one}-")), "")
        return f"`for_each` of `{maker}` makes it: change `{maker}`" if maker else "a new module needs what it runs"

    def _note_layers(self, root: Branch, overlay: Branch) -> None:
        """Remember of each block that an overlay changes what it is merged from."""
        modules = overlay.block("modules")
        names = [("modules", name) for name in (modules.value if modules else ())]
        for key in (*names, *((name,) for name in overlay.value if name.startswith("x-"))):
            strong, weak = _at(overlay, key), _at(root, key)
            if weak is None or strong is None or (len(key) > 1 and other_body(weak.value, strong.value)):
                self._layers.pop(key, None)
                if strong is not None and weak is not None:
                    self._layers[key] = (("overlay", strong),)
            else:
                self._layers[key] = (*self._layers.get(key, (("config", weak),)), ("overlay", strong))

    # --- extends, for_each ---

    def _blocks(self, root: Branch, document: Document) -> dict[str, Block]:
        modules = root.block("modules")
        if modules is None:
            return {}
        extending = Extending(root, document, lambda key, own: self._layers.get(key, (("config", own),)))
        multiplying = Multiplying(document, modules)
        blocks: dict[str, Block] = {}
        for name, value in modules.value.items():
            if name.startswith("x-"):
                continue
            block = extending.block(name) if isinstance(value, dict) else Block(modules.child(name), ())
            blocks.update(multiplying.modules_of(name, block) if isinstance(value, dict) else ((name, block),))
        self._broken = extending.broken
        extended = {
            str(one.get("extends")) for one in (*modules.value.values(), *root.value.values()) if isinstance(one, dict)
        }
        self._found += (*extending.diagnostics, *multiplying.diagnostics, *_idle(document, root.value, extended))
        return blocks

    def _follows(self, one: Diagnostic, path: tuple[Any, ...], blocks: dict[str, Block]) -> bool:
        """Tell whether something lacks only because what is wrong in one of the texts has been taken out."""
        name = _module_of(path)
        if one.code not in _FOLLOWING:
            return False
        if ("modules", name) in self._broken or not self._hurt:
            return ("modules", name) in self._broken
        block = blocks.get(name)
        return block is None or len(block.layers) > 1 or block.each is not None or name in self._hurt


def _all(gathered: Gathered) -> tuple[Shaped[Any], ...]:
    return (*gathered.manifests, *gathered.overlays)


def _module_of(path: tuple[Any, ...]) -> str:
    return str(path[1]) if len(path) > 1 and path[0] == "modules" else ""


def _is_whole(block: Any) -> bool:
    return not isinstance(block, dict) or any(block.get(key) is not None for key in (*BODIES, "extends"))


def _at(root: Branch, key: Key) -> Branch | None:
    at: Branch | None = root
    for word in key:
        at = at.block(word) if at is not None else None
    return at


def _config_layers(block: Block) -> tuple[ConfigLayer, ...]:
    """Name the places that a module's config stands in, weakest first, where these are several; a `null` removes all before it."""
    layers: list[ConfigLayer] = []
    for name, branch in block.layers:
        if "config" not in branch.value:
            continue
        values, graft = branch.value["config"], branch.graft.below("config")
        if not isinstance(values, dict):
            layers.clear()
            continue
        layers.append(
            ConfigLayer("overlay" if name == "overlay" else "config", values, Where(graft.source + 1, graft.path))
        )
    return tuple(layers) if len(layers) > 1 or any(one.name == "overlay" for one in layers) else ()
