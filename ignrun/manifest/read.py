"""Turns the files that inputs name into a Manifest, or one file into a Definition: the first stage of the corridor."""

from typing import Any, TypeVar

from ignrun.manifest.checks import checks
from ignrun.manifest.compose import compose
from ignrun.manifest.definition import parse_definition
from ignrun.manifest.document import Document
from ignrun.manifest.files import read_text
from ignrun.manifest.free import without_free_keys, without_free_modules
from ignrun.manifest.inputs import Inputs
from ignrun.manifest.later import free_modules, later_keys
from ignrun.manifest.model import Definition, Manifest
from ignrun.manifest.parse import parse_manifest
from ignrun.manifest.places import at_file, at_value
from ignrun.manifest.shape import DefinitionText, ManifestText, shaped
from ignrun.manifest.sound import sound_part
from ignrun.terms.diagnostics import Diagnostic, in_order
from ignrun.terms.verdict import Rejected, Verdict, examined, judge

T = TypeVar("T")
KINDS = ("Manifest", "Module", "Overlay")


def read_manifest(inputs: Inputs) -> Verdict[Manifest | None]:
    """Read the manifest that `inputs` name; None as the sound part only where there is no document of that kind."""
    read = read_document(inputs.manifest)
    document = examined(read)
    if document is None:
        return Rejected(None, read.diagnostics)
    text, mistakes = _shape_of(document, "manifest", "Manifest", ManifestText)
    found = (*read.diagnostics, *mistakes)
    if text is None:
        return Rejected(None, in_order(found))
    manifest = parse_manifest(document, text)
    found = (*found, *later_keys(document), *free_modules(document), *checks(document, manifest))
    return judge(manifest, in_order(found))


def read_definition(path: str) -> Verdict[Definition | None]:
    """Read one `kind: Module` file by its absolute path; None as the sound part where it names no id or entry."""
    read = read_document(path)
    document = examined(read)
    if document is None:
        return Rejected(None, read.diagnostics)
    text, mistakes = _shape_of(document, "module", "Module", DefinitionText)
    found = in_order((*read.diagnostics, *mistakes))
    return judge(parse_definition(document, text) if text else None, found)


def read_document(path: str, root: str = "") -> Verdict[Document | None]:
    """Read one YAML (or JSON) file as a document; with `root`, only when it really lies below that folder."""
    read = read_text(path, root)
    text = examined(read)
    return Rejected(None, read.diagnostics) if text is None else compose(text)


def _shape_of(document: Document, schema: str, kind: str, shape: type[T]) -> tuple[T | None, tuple[Diagnostic, ...]]:
    """Give a document as its shape, as far as it is sound, with every mistake of shape."""
    tree = document.tree
    other = _other_kind(document, tree, kind)
    if other:
        return None, (other,)
    text = shaped(without_free_modules(tree), shape) or shaped(without_free_keys(tree), shape)
    if text is not None:
        return text, ()
    from ignrun.manifest.explain import explain  # jsonschema takes 50 ms to import: only mistakes pay for it

    complaints = explain(document, schema)
    if not complaints:
        unexplained = at_file(document.file, "IGN210", f"the document is not a valid {kind}")
        return None, (unexplained,)
    sound = sound_part(tree, schema, shape, [one.path for one in complaints])
    return sound, tuple(one.diagnostic for one in complaints if one.diagnostic)


def _other_kind(document: Document, tree: Any, kind: str) -> Diagnostic | None:
    written = tree.get("kind", kind) if isinstance(tree, dict) else kind
    if written == kind or written not in KINDS:
        return None
    hint = {
        "Module": "a manifest runs it with `uses: ID` and finds it through `sources`",
        "Manifest": "a definition is of `kind: Module`",
        "Overlay": "overlays are not yet in this version of ignrun",
    }[written]
    return at_value(document, ("kind",), "IGN201", f"the document is of kind {written}, not {kind}", hint=hint)
