"""Owns `ignrun run`: is the runner of a plant, always in the foreground."""

from typing import TYPE_CHECKING

import click

from ignrun.cli.converging import listen_option, says_how_to_apply
from ignrun.cli.options import Aim, Reading, aims_at_plant, reads_manifest
from ignrun.cli.planning import says_what_to_plan
from ignrun.cli.plant import plant_to_read
from ignrun.cli.verb import verb

if TYPE_CHECKING:
    from ignrun.cli.converge import Prepared
    from ignrun.control.wire import ApplyOptions


@verb("run", "ignrun run manifests/demo.yaml", "ignrun run ci.yaml --until tests")
@reads_manifest
@aims_at_plant
@says_what_to_plan
@says_how_to_apply
@listen_option
@click.option(
    "--until", default="", metavar="NAME", help="End, with its exit code, when this module has completed or failed."
)
def command(aim: Aim, reading: Reading, options: "ApplyOptions", listen: str, until: str) -> int:
    """Be the runner of a plant, in the foreground: for a terminal, systemd and containers.

    Shows the plan and the progress, then what the modules write. Ctrl-C stops them in reverse order.
    Where the files have become invalid, what was good when the plant last ran is started.
    """
    from ignrun.cli.boot import booting, last_good
    from ignrun.cli.converge import Prepared, prepare, show_plan
    from ignrun.cli.foreground import become_runner

    plant, manifest = plant_to_read(aim)
    prepared = prepare(plant, manifest, reading)
    if not isinstance(prepared, Prepared):
        kept = last_good(plant, manifest, reading)
        return become_runner(kept, options=booting(options), listen=listen) if kept else prepared
    _check(until, prepared)
    options = _unwatched(options) if until else options
    show_plan(prepared)
    return become_runner(prepared, options=booting(options), listen=listen, until=until)


def _unwatched(options: "ApplyOptions") -> "ApplyOptions":
    """Soak nothing that lives for one module, unless that is asked for: its end is all that is waited for."""
    from msgspec.structs import replace

    return replace(options, soak=0.0) if options.soak is None else options


def _check(until: str, prepared: "Prepared") -> None:
    """Refuse to wait for a module that there is not."""
    modules = {spec.module for spec in prepared.proposal.graph.instances.values()}
    if until and until not in modules:
        from ignrun.terms.hints import did_you_mean

        raise click.UsageError(f"--until: there is no module `{until}`; {did_you_mean(until, modules)}".rstrip("; "))
