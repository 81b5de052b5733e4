"""Turns a document into its shape, as far as it is sound, and every mistake of shape into a diagnostic."""

from typing import Any, Final, Generic, TypeVar

import msgspec

from ignrun.manifest.document import Document
from ignrun.manifest.free import without_free_keys, without_free_modules
from ignrun.manifest.judge import shaped
from ignrun.manifest.places import at_file, at_value
from ignrun.manifest.shape import DefinitionText, ManifestText, OverlayText
from ignrun.manifest.sound import sound_part
from ignrun.terms.diagnostics import Diagnostic
from ignrun.terms.leaves import Path

T = TypeVar("T")
KINDS: Final[dict[type, str]] = {ManifestText: "Manifest", DefinitionText: "Module", OverlayText: "Overlay"}


class Shaped(msgspec.Struct, Generic[T], frozen=True):
    """A document with its shape: `tree` is its sound part, free keys included, and `text` that part typed; None where nothing is left.

    `mistakes` are those of its shape, each with the path it concerns; without a diagnostic where the text has one already.
    """

    document: Document
    tree: Any
    text: T | None
    mistakes: tuple[tuple[Path, Diagnostic | None], ...] = ()

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What is to be told of the mistakes."""
        return tuple(told for _, told in self.mistakes if told)

    @property
    def wrong(self) -> tuple[Path, ...]:
        """The paths of the mistakes."""
        return tuple(path for path, _ in self.mistakes)


def shape_of(document: Document, shape: type[T]) -> Shaped[T]:
    """Judge a document by its types, and let its JSON Schema explain what is wrong with it."""
    tree, kind = document.tree, KINDS[shape]
    other = _other_kind(document, kind)
    if other:
        return Shaped(document, None, None, ((("kind",), other),))
    text = shaped(without_free_modules(tree), shape) or shaped(without_free_keys(tree), shape)
    if text is not None:
        return Shaped(document, tree, text)
    from ignrun.manifest.explain import explain  # jsonschema takes 50 ms to import: only mistakes pay for it

    name = kind.lower()
    complaints = explain(document, name)
    if not complaints:
        unexplained = at_file(document.file, "IGN210", f"the document is not a valid {kind}")
        return Shaped(document, None, None, (((), unexplained),))
    sound, text = sound_part(tree, name, shape, [one.path for one in complaints])
    return Shaped(document, sound, text, tuple((one.path, one.diagnostic) for one in complaints))


def _other_kind(document: Document, kind: str) -> Diagnostic | None:
    tree = document.tree
    written = tree.get("kind", kind) if isinstance(tree, dict) else kind
    if written == kind or written not in KINDS.values():
        return None
    hint = {
        "Module": "a manifest runs it with `uses: ID` and finds it through `sources`",
        "Manifest": f"{'a definition' if kind == 'Module' else 'an overlay'} is of `kind: {kind}`",
        "Overlay": "an overlay lies in `modes/` beside the manifest and is taken with `--mode`",
    }[written]
    return at_value(document, ("kind",), "IGN201", f"the document is of kind {written}, not {kind}", hint=hint)
