"""Turns a walk of the corridor into a Reading that says, too, what it saw of the disk."""

from collections.abc import Callable

from msgspec.structs import replace

from ignrun.manifest.inputs import Inputs
from ignrun.manifest.seen import take_notes
from ignrun.planner.proposal import Proposal, Reading
from ignrun.terms.verdict import Accepted


def noting(inputs: Inputs, walk: Callable[[], Reading]) -> Reading:
    """Walk, and put what was seen beside the verdict; what lies in the state folder is the runner's own and not told."""
    notes = take_notes()
    reading = walk()
    seen = notes.seen(but=inputs.state_dir)
    if isinstance(reading.verdict, Accepted):
        seen = replace(seen, code=_code_of(reading.verdict.value))
    return replace(reading, seen=seen)


def _code_of(proposal: Proposal) -> dict[str, str]:
    """Give every file of code that the proposal's instances import, by its digest."""
    found = {file.path: file.digest for file in proposal.files if file.role == "code"}
    for index in proposal.code.values():
        found |= index.files
    return found
