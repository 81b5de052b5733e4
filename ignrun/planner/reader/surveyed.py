"""Lists every definition that can be seen, in a child process with limits: definitions are text that others wrote."""

import msgspec

from ignrun.manifest.inputs import Inputs
from ignrun.manifest.read import read_manifest
from ignrun.planner.catalog.survey import Survey, survey
from ignrun.planner.reader.bounded import answer_to, decoded_as
from ignrun.planner.reader.corridor import WorkingOn
from ignrun.terms.spans import Span
from ignrun.terms.verdict import Accepted, Rejected, examined


class _Surveyed(msgspec.Struct, frozen=True):
    verdict: Accepted[Survey] | Rejected[Survey | None]


def survey_bounded(inputs: Inputs | None) -> Survey:
    """List what can be seen from the manifest of `inputs`, or what is installed; raises as `propose_bounded` does."""
    manifest = inputs.manifest if inputs else ""
    verdict = decoded_as(answer_to(lambda put: _surveyed(inputs, put), manifest), _Surveyed).verdict
    found = verdict.value if isinstance(verdict, Accepted) else verdict.sound or Survey(())
    return msgspec.structs.replace(found, diagnostics=(*found.diagnostics, *verdict.diagnostics))


def _surveyed(inputs: Inputs | None, put: WorkingOn) -> _Surveyed:
    if inputs is None:
        return _Surveyed(Accepted(survey(None)))
    put(Span.of_file(inputs.manifest))
    read = read_manifest(inputs)
    return _Surveyed(Accepted(survey(examined(read)), read.diagnostics))
