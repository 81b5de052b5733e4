"""Owns `ignrun why`: explains one module, from what it is to the root cause."""

from contextlib import closing
from datetime import UTC, datetime

import click
import msgspec

from ignrun.cli.completing import module_names
from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.options import Aim, aims_at_plant, output_option
from ignrun.cli.plant import find_plant, runner_of
from ignrun.cli.speech import result
from ignrun.cli.verb import verb


@verb("why", "ignrun why historian", "ignrun why basic@designer -o json")
@click.argument("module", metavar="MODULE[@SCOPE]", shell_complete=module_names)
@click.option("--lines", type=click.IntRange(min=0), default=10, show_default=True, help="How many of its last events.")
@aims_at_plant
@output_option("text", "json")
def command(module: str, lines: int, aim: Aim, output: str) -> ExitCode:
    """Explain why a module is as it is: state, cause, fault, whom it waits for, down to the root cause, and what happened last."""
    from ignrun.cli.operating import meant
    from ignrun.control.client import Client
    from ignrun.render.why import why_report, why_text
    from ignrun.runtime.journal.recall import latest_of
    from ignrun.runtime.journal.schema import open_for_reading

    plant = find_plant(aim, looking=True)
    status = Client(runner_of(plant).socket).status()
    with closing(open_for_reading(plant.folder.journal)) as store:
        found = [
            why_report(status, one.address, latest_of(store, one.address, lines)) for one in meant(status, (module,))
        ]
    if output == "json":
        result(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
        return ExitCode.DONE
    addresses = [one.address for one in status.instances]
    now = datetime.now(UTC)
    result("\n".join(why_text(one, addresses, now) for one in found))
    return ExitCode.DONE
