"""Owns `ignrun run`: is the runner of a plant, always in the foreground."""

from typing import TYPE_CHECKING

from ignrun.cli.converging import listen_option, says_how_to_apply
from ignrun.cli.options import Aim, Reading, aims_at_plant, reads_manifest
from ignrun.cli.planning import says_what_to_plan
from ignrun.cli.plant import plant_to_read
from ignrun.cli.verb import verb

if TYPE_CHECKING:
    from ignrun.control.wire import ApplyOptions


@verb("run", "ignrun run manifests/demo.yaml")
@reads_manifest
@aims_at_plant
@says_what_to_plan
@says_how_to_apply
@listen_option
def command(aim: Aim, reading: Reading, options: "ApplyOptions", listen: str) -> int:
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
    show_plan(prepared)
    return become_runner(prepared, options=booting(options), listen=listen)
