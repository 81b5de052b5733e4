"""Owns `ignrun why`: explains one module, from the file that says so to what came of it, whether or not a runner lives."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
import msgspec

from ignrun.cli.completing import module_names
from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.options import Aim, aims_at_plant, output_option, shown_file
from ignrun.cli.plant import Plant, find_plant, no_runner
from ignrun.cli.speech import result
from ignrun.cli.verb import verb

if TYPE_CHECKING:
    from ignrun.render.status_report import StatusReport
    from ignrun.render.why import WhyReport


@verb("why", "ignrun why historian", "ignrun why basic@designer -o json")
@click.argument("module", metavar="MODULE[@SCOPE]", shell_complete=module_names)
@click.option("--lines", type=click.IntRange(min=0), default=10, show_default=True, help="How many of its last events.")
@aims_at_plant
@output_option("text", "json")
def command(module: str, lines: int, aim: Aim, output: str) -> ExitCode:
    """Explain why a module is as it is: state, cause, fault, whom it waits for, down to the root cause.

    Then its last change, from the place in a file over the step and those that followed to the outcome, and what happened last. Without a
    runner, what the journal remembers.
    """
    from ignrun.render.why import why_text
    from ignrun.runtime.journal.schema import open_for_reading

    plant = find_plant(aim, looking=True)
    report = _status_of(plant)
    with closing(open_for_reading(plant.folder.journal)) as store:
        addresses = [one.address for one in report.instances] or _remembered(store)
        found = [_explained(store, report, address, lines) for address in _meant(addresses, module)]
    if output == "json":
        result(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
        return ExitCode.DONE
    now = datetime.now(UTC)
    result("\n".join(why_text(one, addresses, now, shown_file) for one in found))
    return ExitCode.DONE


def _status_of(plant: Plant) -> "StatusReport":
    runner = plant.runner
    if runner is not None:
        from ignrun.control.client import Client

        return Client(runner.socket).status()
    if not plant.folder.journal.exists():
        raise no_runner(plant)
    from ignrun.cli.absence import report_of_absent

    return report_of_absent(plant)


def _remembered(store: sqlite3.Connection) -> list[str]:
    """Name the instances of the generation in force."""
    from ignrun.runtime.journal.generations import read_generation
    from ignrun.runtime.journal.store import pointer

    found = read_generation(store, pointer(store, "current"))
    return list(found.content.graph.instances) if found else []


def _meant(addresses: list[str], module: str) -> list[str]:
    from ignrun.cli.operating import stranger

    found = [one for one in addresses if module in {one, one.partition("@")[0]}]
    if not found:
        raise stranger(addresses, module)
    return found


def _explained(store: sqlite3.Connection, report: "StatusReport", address: str, lines: int) -> "WhyReport":
    from ignrun.render.last_change import last_change
    from ignrun.render.why import why_report
    from ignrun.runtime.journal.recall import last_change_of, latest_of
    from ignrun.runtime.journal.store import pointer

    made = last_change_of(store, address)
    changed = last_change(made, address, pointer(store, "current"), pointer(store, "good")) if made else None
    return why_report(report, address, latest_of(store, address, lines), changed)
