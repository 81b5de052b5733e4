"""Owns `ignrun rollback`: brings a generation that was kept into force again, as a new one."""

import os
from contextlib import closing
from typing import TYPE_CHECKING

import click

from ignrun.cli.converge import operator
from ignrun.cli.exit_codes import ExitCode, code_of_result
from ignrun.cli.options import DURATION, Aim, aims_at_plant, output_option
from ignrun.cli.plant import Plant, find_plant, runner_of
from ignrun.cli.speech import ask_to_go_on, result, say
from ignrun.cli.verb import verb
from ignrun.terms.failure import Failure

if TYPE_CHECKING:
    from ignrun.render.outcome import OutcomeReport
    from ignrun.runtime.journal.generations import Generation


@verb("rollback", "ignrun rollback", "ignrun rollback 7 --yes")
@click.argument("generation", required=False, type=click.IntRange(min=1), metavar="[GENERATION]")
@aims_at_plant
@click.option("--soak", type=DURATION, help="How long it must hold before it is committed.")
@click.option("--retry", is_flag=True, help="Try once more what was rejected or rolled back before.")
@click.option(
    "-y", "--yes", is_flag=True, help="Do not ask before something is deleted or replaced; asks only on a terminal."
)
@output_option("text", "json")
def command(generation: int | None, *, aim: Aim, soak: float | None, retry: bool, yes: bool, output: str) -> ExitCode:
    """Go back to a generation, or to the one before that in force: its values, its code, as a new generation.

    Twice goes back twice. The files stay as they are; they are looked at again when somebody changes them.
    """
    from ignrun.render.names import short_names
    from ignrun.render.outcome import encode_outcome, outcome_text

    plant = find_plant(aim, looking=False)
    socket = runner_of(plant).socket
    kept = _meant(plant, generation)
    say(f"going back to generation {kept.entry.number} ({kept.entry.at:%Y-%m-%d %H:%M:%S} UTC, {kept.entry.author})")
    if not yes:
        _ask(plant, kept)
    outcome = _brought_about(socket, kept, soak=soak, retry=retry)
    short = short_names(kept.content.graph.instances)
    result(encode_outcome(outcome) if output == "json" else outcome_text(outcome, short))
    return code_of_result(outcome.result)


def _meant(plant: Plant, number: int | None) -> "Generation":
    """Give the generation to go back to; raises Failure."""
    from ignrun.runtime.journal.back import before
    from ignrun.runtime.journal.generations import kept_generation, read_history
    from ignrun.runtime.journal.retention import GENERATIONS
    from ignrun.runtime.journal.schema import open_for_reading
    from ignrun.runtime.journal.store import pointer

    with closing(open_for_reading(plant.folder.journal)) as store:
        current = pointer(store, "current")
        if number == current:
            raise Failure(f"generation {number} is in force already", "`ignrun history` shows those before it")
        wanted = number or before(read_history(store, GENERATIONS * 2), current)
        if not wanted:
            raise Failure(
                "there is no earlier good generation to go back to",
                "`ignrun history` shows what is kept; `ignrun rollback N` takes any of it",
            )
        return kept_generation(store, wanted)


def _ask(plant: Plant, kept: "Generation") -> None:
    """On a terminal, ask before something is deleted or replaced."""
    from ignrun.runtime.journal.current import read_current

    base = read_current(plant.folder.path)
    if base is None:
        return
    wanted = kept.content.graph.instances
    hard = [
        address
        for address, spec in base.graph.instances.items()
        if address not in wanted or wanted[address].facets.identity != spec.facets.identity
    ]
    if hard:
        say(f"deletes or replaces {', '.join(hard)}")
        ask_to_go_on()


def _brought_about(socket: str, kept: "Generation", *, soak: float | None, retry: bool) -> "OutcomeReport":
    """Have the runner do it and show its progress; it goes on when this is interrupted."""
    from ignrun.cli.progress import shown
    from ignrun.control.client import Client
    from ignrun.control.wire import ApplyOptions, RollbackRequest

    environment = {name: os.environ[name] for name in kept.content.names if name in os.environ}
    options = ApplyOptions(soak=soak, retry=retry)
    with shown(kept.content) as tell:
        return Client(socket).rollback(RollbackRequest(kept.entry.number, environment, options, operator()), tell)
