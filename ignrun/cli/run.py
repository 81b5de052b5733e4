"""Owns `ignrun run`: is the runner of a plant, always in the foreground."""

import click

from ignrun.cli.options import DURATION, Aim, Reading, aims_at_plant, reads_manifest
from ignrun.cli.plant import plant_to_read
from ignrun.cli.verb import verb


@verb("run", "ignrun run manifests/demo.yaml")
@reads_manifest
@aims_at_plant
@click.option("--soak", type=DURATION, help="How long the change must hold before it is committed; not in effect yet.")
def command(aim: Aim, reading: Reading, soak: float | None) -> int:
    """Be the runner of a plant, in the foreground: for a terminal, systemd and containers.

    Shows the plan and the progress, then what the modules write. Ctrl-C stops them in reverse order.
    """
    from ignrun.cli.converge import Prepared, prepare, show_plan
    from ignrun.cli.foreground import become_runner

    plant, manifest = plant_to_read(aim)
    prepared = prepare(plant, manifest, reading)
    if not isinstance(prepared, Prepared):
        return prepared
    show_plan(prepared)
    return become_runner(prepared, soak=soak)
