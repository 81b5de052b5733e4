"""Owns `ignrun events`: shows what happened in a plant, in order, whether or not a runner lives."""

from collections.abc import Iterator
from contextlib import closing

import click
import msgspec

from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.options import Aim, aims_at_plant, output_option
from ignrun.cli.plant import Plant, find_plant, no_runner, runner_of
from ignrun.cli.speech import result
from ignrun.cli.verb import verb
from ignrun.terms.events import Event


@verb("events", "ignrun events --lines 20", "ignrun events -f -o json")
@aims_at_plant
@click.option("-f", "--follow", is_flag=True, help="Go on with events as they come, until Ctrl-C.")
@click.option(
    "--lines", type=click.IntRange(min=0), default=100, show_default=True, help="How many of the last events."
)
@output_option("text", "json")
def command(aim: Aim, follow: bool, lines: int, output: str) -> ExitCode:
    """Show the last events of a plant, each on one line, from its journal.

    Works when nothing runs any more. With -f it needs a runner.
    """
    plant = find_plant(aim, looking=True)
    if follow:
        runner_of(plant)
    last = 0
    for event in _kept(plant, lines):
        last = event.seq
        _write(event, output)
    if follow:
        from ignrun.control.client import Client

        for event in Client(runner_of(plant).socket).events(last, follow=True):
            _write(event, output)
    return ExitCode.DONE


def _kept(plant: Plant, lines: int) -> Iterator[Event]:
    from ignrun.runtime.journal.schema import open_for_reading
    from ignrun.runtime.journal.store import last_event, read_events

    if not plant.folder.journal.exists():
        raise no_runner(plant)
    with closing(open_for_reading(plant.folder.journal)) as store:
        yield from read_events(store, max(0, last_event(store) - lines), lines)


def _write(event: Event, output: str) -> None:
    if output == "json":
        result(msgspec.json.encode(event) + b"\n")
        return
    from ignrun.render.events import event_line

    result(event_line(event) + "\n")
