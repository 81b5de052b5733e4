"""Turns the files that inputs name into a Manifest, or one file into a Definition: the first stage of the corridor."""

from ignrun.manifest.cache import parsed
from ignrun.manifest.checks import checks
from ignrun.manifest.definition import parse_definition
from ignrun.manifest.document import Document
from ignrun.manifest.files import TextFile
from ignrun.manifest.gather import gather, read_document
from ignrun.manifest.inputs import Inputs
from ignrun.manifest.model import Definition, Manifest
from ignrun.manifest.parse import parse_manifest
from ignrun.manifest.shape import DefinitionText
from ignrun.manifest.shaping import shape_of
from ignrun.manifest.variables import variables_of
from ignrun.manifest.whole import whole
from ignrun.terms.diagnostics import in_order
from ignrun.terms.verdict import Rejected, Verdict, examined, judge

__all__ = ["definition_in", "read_definition", "read_document", "read_manifest"]


def read_manifest(inputs: Inputs) -> Verdict[Manifest | None]:
    """Read the manifest that `inputs` name, with what it includes, its modes and variables; None where there is no such document."""
    gathered = gather(inputs)
    if not any(isinstance(one.tree, dict) for one in gathered.manifests[:1]):
        return Rejected(None, in_order(gathered.diagnostics))
    made = whole(gathered)
    found = (*gathered.diagnostics, *made.diagnostics)
    if made.text is None:
        return Rejected(None, in_order(found))
    variables = variables_of(made.text, inputs)
    manifest = parse_manifest(made, made.text, variables.values, gathered.files)
    found = (*found, *variables.diagnostics, *checks(made.document, manifest))
    return judge(manifest, in_order(found))


def read_definition(path: str) -> Verdict[Definition | None]:
    """Read one `kind: Module` file by its absolute path; None as the sound part where it names no id or entry."""
    return _definition(read_document(path))


def definition_in(file: TextFile) -> Verdict[Definition | None]:
    """Read a `kind: Module` text that somebody else has got hold of, such as a member of an archive."""
    return _definition(parsed(file))


def _definition(read: Verdict[Document | None]) -> Verdict[Definition | None]:
    document = examined(read)
    if document is None:
        return Rejected(None, read.diagnostics)
    shaped = shape_of(document, DefinitionText)
    found = in_order((*read.diagnostics, *shaped.diagnostics))
    return judge(parse_definition(document, shaped.text) if shaped.text else None, found)
