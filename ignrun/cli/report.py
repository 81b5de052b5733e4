"""Owns `ignrun report`: writes one archive about a plant for whoever helps, whether or not a runner lives."""

import os
from datetime import datetime
from pathlib import Path

import click

from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.options import Aim, absolute, aims_at_plant
from ignrun.cli.plant import Plant, find_plant, no_runner
from ignrun.cli.speech import result, say
from ignrun.cli.verb import verb
from ignrun.terms.failure import NoRunner


@verb("report", "ignrun report", "ignrun report --out plant.zip")
@aims_at_plant
@click.option("--out", metavar="FILE", help="Where to write it; a name with the date, here, if not said.")
def command(aim: Aim, out: str | None) -> ExitCode:
    """Write one archive about a plant: a page with charts, status, config and where it comes from, events, logs, versions.

    Holds no secret, and of the environment only names. Works when nothing runs; with a runner it holds more.
    """
    plant = find_plant(aim, looking=True)
    packed = _packed(plant)
    path = (
        absolute(out)
        if out
        else Path.cwd() / f"ignrun-report-{plant.name}-{datetime.now().astimezone():%Y%m%d-%H%M%S}.zip"
    )
    _write(path, packed)
    say(f"a report of {len(packed):,} bytes; look through it before you hand it on")
    result(f"{path}\n")
    return ExitCode.DONE


def _packed(plant: Plant) -> bytes:
    record = plant.runner
    if record is not None:
        from ignrun.control.client import Client

        try:
            return Client(record.socket, patience=60.0).report()
        except NoRunner:
            pass  # it has just ended: what lies in the folder is all there is
    if not plant.folder.journal.exists():
        raise no_runner(plant)
    from ignrun.cli.absence import report_of_absent
    from ignrun.runner.report import archive, gather

    return archive(gather(plant.name, plant.folder, status=report_of_absent(plant)))


def _write(path: Path, packed: bytes) -> None:
    """Write the file for its owner alone; nothing that lies there is written over by half."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(packed)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
