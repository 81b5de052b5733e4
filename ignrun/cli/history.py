"""Owns `ignrun history`: shows the generations of a plant, or one of them in full, whether or not a runner lives."""

from contextlib import closing

import click

from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.options import Aim, aims_at_plant, output_option
from ignrun.cli.plant import Plant, find_plant
from ignrun.cli.speech import paint_for, result, width
from ignrun.cli.verb import verb
from ignrun.terms.failure import Failure


@verb("history", "ignrun history", "ignrun history 7", "ignrun history -o json")
@click.argument("generation", required=False, type=click.IntRange(min=1), metavar="[GENERATION]")
@aims_at_plant
@click.option("--lines", type=click.IntRange(min=1), default=20, show_default=True, help="How many of the latest.")
@output_option("text", "json")
def command(generation: int | None, aim: Aim, lines: int, output: str) -> ExitCode:
    """Show the generations of a plant: who brought which about, how it ended, and which one is in force.

    With a number, that generation in full: its plan, what came of each step, and all that it was made from. Works when nothing runs.
    """
    plant = find_plant(aim, looking=True)
    if generation is None:
        _show_all(plant, lines, output)
    else:
        _show_one(plant, generation, output)
    return ExitCode.DONE


def _show_all(plant: Plant, lines: int, output: str) -> None:
    from ignrun.render.history import encode_history, history_report, history_text
    from ignrun.runtime.journal.generations import read_history
    from ignrun.runtime.journal.schema import open_for_reading
    from ignrun.runtime.journal.store import pointer

    if not plant.folder.journal.exists():
        raise _nothing(plant)
    with closing(open_for_reading(plant.folder.journal)) as store:
        entries = read_history(store, lines)
        report = history_report(plant.name, entries, pointer(store, "current"), pointer(store, "good"))
    if output == "json":
        result(encode_history(report))
    elif entries:
        result(history_text(report, paint=paint_for(), width=width()))
    else:
        raise _nothing(plant)


def _show_one(plant: Plant, number: int, output: str) -> None:
    from ignrun.render.history import detail_report, detail_text, encode_history
    from ignrun.runtime.journal.generations import kept_generation
    from ignrun.runtime.journal.schema import open_for_reading
    from ignrun.runtime.journal.store import pointer

    if not plant.folder.journal.exists():
        raise _nothing(plant)
    with closing(open_for_reading(plant.folder.journal)) as store:
        report = detail_report(kept_generation(store, number), pointer(store, "current"), pointer(store, "good"))
    result(encode_history(report) if output == "json" else detail_text(report, paint=paint_for()))


def _nothing(plant: Plant) -> Failure:
    manifest = f" {plant.manifest}" if plant.manifest else " MANIFEST"
    return Failure(f"plant `{plant.name}` has no history", f"`ignrun apply{manifest}` begins it")
