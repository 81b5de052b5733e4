"""Owns `ignrun export`: writes a plant in the form of other tools."""

import shutil
import sys

import click

from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.options import Aim, absolute, aims_at_plant, shown_file
from ignrun.cli.plant import plant_to_read
from ignrun.cli.speech import result, say
from ignrun.cli.verb import under, verb_group


@verb_group("export", "ignrun export systemd manifests/demo.yaml --out ~/.config/systemd/user/demo.service")
def command() -> None:
    """Write a plant in the form of other tools."""


@under(
    command,
    "systemd",
    "ignrun export systemd manifests/demo.yaml",
    "ignrun export systemd --system --user plant --out /etc/systemd/system/demo.service",
)
@click.argument("manifest", required=False, metavar="[MANIFEST]")
@aims_at_plant
@click.option("--system", "of_system", is_flag=True, help="For the system's manager instead of the user's own.")
@click.option("--user", default="", metavar="NAME", help="The user that the plant runs as (with --system).")
@click.option("--watch", is_flag=True, help="Apply later changes of the files, too.")
@click.option("--out", metavar="FILE", help="Write here instead of to standard output.")
def systemd(*, aim: Aim, of_system: bool, user: str, watch: bool, out: str | None) -> ExitCode:
    """Write the unit of a service that runs the plant: it is up when the first apply has its outcome.

    What was committed is started even when the files have become invalid since.
    """
    from ignrun.interop.systemd import Service, unit_text

    if user and not of_system:
        raise click.UsageError("--user goes with --system: one's own manager runs everything as oneself")
    plant, manifest = plant_to_read(aim)
    service = Service(
        plant=plant.name,
        manifest=str(manifest),
        folder=str(manifest.parent),
        program=_program(),
        arguments=("--watch",) if watch else (),
        user=user,
        of_system=of_system,
    )
    text = unit_text(service)
    if out is None:
        result(text)
        return ExitCode.DONE
    from ignrun.runtime.journal.durable import durable_replace

    file = absolute(out)
    durable_replace(file, text.encode(), 0o644)
    manager = "systemctl" if of_system else "systemctl --user"
    say(f"wrote {shown_file(str(file))}; `{manager} daemon-reload && {manager} enable --now {file.stem}` starts it")
    return ExitCode.DONE


def _program() -> tuple[str, ...]:
    """Name this ignrun in a way that holds without the shell's PATH."""
    beside = shutil.which("ignrun", path=str(absolute(sys.executable).parent))
    return (beside,) if beside else (str(absolute(sys.executable)), "-m", "ignrun")
