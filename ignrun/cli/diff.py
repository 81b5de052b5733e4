"""Owns `ignrun diff`: shows what differs between generations and files, offline."""

from contextlib import closing
from typing import TYPE_CHECKING

import click
import msgspec

from ignrun.cli.exit_codes import ExitCode, code_of_rejection
from ignrun.cli.inputs import inputs_of, read, show_diagnostics
from ignrun.cli.options import Aim, Reading, absolute, aims_at_plant, output_option, says_how_to_read, shown_file
from ignrun.cli.plan import known_key
from ignrun.cli.plant import Plant, plant_to_read
from ignrun.cli.speech import paint_for, result
from ignrun.cli.verb import verb

if TYPE_CHECKING:
    from ignrun.planner.graph.model import Graph

_POINTERS = ("current", "good")


class _Side(msgspec.Struct, frozen=True):
    """One of the two: what it is called, and its graph."""

    name: str
    graph: "Graph"


@verb("diff", "ignrun diff", "ignrun diff 3 7", "ignrun diff good -o json", "ignrun diff old.yaml new.yaml")
@click.argument("before", required=False, metavar="[A]")
@click.argument("after", required=False, metavar="[B]")
@says_how_to_read
@aims_at_plant
@output_option("text", "json")
def command(*, before: str | None, after: str | None, aim: Aim, reading: Reading, output: str) -> ExitCode:
    """Show what differs between A and B: each the number of a generation, `current`, `good`, or a manifest.

    Without B it is the manifest of the plant, without A the generation in force. Nothing has to run.
    """
    from ignrun.render.diff import diff_report, diff_text, encode_diff

    sides = [_side(word, aim, reading) for word in (before or "current", after or "")]
    for side in sides:
        if isinstance(side, ExitCode):
            return side
    first, second = (side for side in sides if isinstance(side, _Side))
    report = diff_report(first.graph, second.graph, (first.name, second.name))
    result(encode_diff(report) if output == "json" else diff_text(report, paint_for()))
    return ExitCode.DONE


def _side(word: str, aim: Aim, reading: Reading) -> "_Side | ExitCode":
    if word.isdecimal() or word in _POINTERS:
        plant, _ = plant_to_read(aim)
        return _kept(plant, word)
    return _read(word, aim, reading)


def _kept(plant: Plant, word: str) -> _Side:
    """Give a generation; raises Failure where it is not kept."""
    from ignrun.runtime.journal.generations import kept_generation
    from ignrun.runtime.journal.schema import open_for_reading
    from ignrun.runtime.journal.store import pointer
    from ignrun.terms.failure import Failure

    if not plant.folder.journal.exists():
        raise Failure(f"plant `{plant.name}` has no generations", "compare two manifests, or apply one first")
    with closing(open_for_reading(plant.folder.journal)) as store:
        number = pointer(store, word) if word in _POINTERS else int(word)
        if not number:
            raise Failure(f"plant `{plant.name}` has no `{word}` generation", "`ignrun history` lists what is kept")
        generation = kept_generation(store, number)
    return _Side(f"generation {number}", generation.content.graph)


def _read(word: str, aim: Aim, reading: Reading) -> "_Side | ExitCode":
    """Read a manifest as that of the plant which is meant: only then its folders are no difference."""
    from ignrun.planner.proposal import Base
    from ignrun.runtime.journal.current import read_current
    from ignrun.terms.verdict import Rejected

    plant, manifest = plant_to_read(aim)
    manifest = absolute(word) if word else manifest
    current = read_current(plant.folder.path) or Base()
    inputs = inputs_of(manifest, plant.folder.path, reading, key=known_key(plant))
    verdict = read(inputs, Base(last=current.graph)).verdict
    show_diagnostics(verdict.diagnostics)
    if isinstance(verdict, Rejected):
        return code_of_rejection(verdict.diagnostics)
    return _Side(shown_file(str(manifest)), verdict.value.graph)
