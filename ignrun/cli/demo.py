"""Owns `ignrun demo`: applies a real plant, shows that it works, and takes it down again."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from ignrun.cli.background import apply_detached
from ignrun.cli.converge import Prepared, operator, prepare
from ignrun.cli.ending import end_runner
from ignrun.cli.exit_codes import ExitCode, code_of_result
from ignrun.cli.options import Aim, Reading, absolute, shown_file
from ignrun.cli.page import page_lines
from ignrun.cli.plant import plant_to_read, runner_of
from ignrun.cli.settling import is_well, settled_report
from ignrun.cli.shipped import checkout_manifest, copied_manifest
from ignrun.cli.speech import result, say
from ignrun.cli.status import show
from ignrun.cli.verb import verb
from ignrun.render.outcome import outcome_text
from ignrun.render.status_report import StatusReport
from ignrun.terms.failure import WaitTimedOut

_NAME: Final = "demo.yaml"
_PORT: Final = "DEMO_WEB_PORT"
_USUAL_PORT: Final = 18765
_PATIENCE: Final = 60.0


@verb("demo", "ignrun demo", "ignrun demo my-first-plant --keep")
@click.argument("folder", required=False)
@click.option("--keep", is_flag=True, help="Leave the plant running.")
def command(folder: str | None, keep: bool) -> ExitCode:
    """Apply a real plant, show its status and the page that it serves, and take it down again.

    Six modules measure this machine, store what they measure and show it. FOLDER, if given, gets a copy of the manifest
    to play with; without it an installed ignrun uses a temporary one.
    """
    with _place(folder, keep) as place:
        plant, manifest = plant_to_read(Aim(str(place)))
        if plant.runner:
            say(f"the demo plant already runs (`ignrun status -m {shown_file(str(manifest))}`); nothing was changed")
            return ExitCode.DONE
        _choose_port()
        say(f"$ ignrun apply {shown_file(str(manifest))} -d")
        prepared = prepare(plant, manifest, Reading())
        return _shown(prepared, keep) if isinstance(prepared, Prepared) else prepared


def _shown(prepared: Prepared, keep: bool) -> ExitCode:
    outcome = apply_detached(prepared)
    if outcome is None or outcome.result not in {"committed", "unchanged"}:
        result(outcome_text(outcome) if outcome else "")
        _end(prepared)
        return code_of_result(outcome.result) if outcome else ExitCode.FAILURE
    result(outcome_text(outcome))
    try:
        _look_around(prepared)
    finally:
        if not keep:
            _end(prepared)
    manifest = shown_file(str(prepared.manifest))
    if keep:
        say(f"the plant keeps running: `ignrun status -m {manifest}`, `ignrun down -m {manifest}`")
    else:
        say(f"to leave it running: ignrun apply {manifest} -d   (or: ignrun demo --keep)")
    return ExitCode.DONE


def _look_around(prepared: Prepared) -> None:
    report = _healthy_report(prepared)
    say("$ ignrun status")
    show(report, "text")
    url = next((one.exports["url"] for one in report.instances if "url" in one.exports), None)
    if url:
        say(f"$ curl {url}")
        result("\n".join(page_lines(str(url), patience=_PATIENCE)) + "\n")


def _healthy_report(prepared: Prepared) -> StatusReport:
    """Wait until every instance is healthy or has completed; raises WaitTimedOut."""
    from ignrun.control.client import Client

    client = Client(runner_of(prepared.plant).socket)
    report = settled_report(client.status, patience=_PATIENCE)
    waiting = [one.address for one in report.instances if not is_well(one)]
    if waiting:
        show(report, "text")
        raise WaitTimedOut(f"not healthy within {_PATIENCE:g} s: {', '.join(waiting)}")
    return report


def _end(prepared: Prepared) -> None:
    record = prepared.plant.runner
    if record:
        say("$ ignrun down")
        end_runner(record, by=operator())
        say(f"plant `{prepared.plant.name}` is down")


@contextmanager
def _place(folder: str | None, keep: bool) -> Iterator[Path]:
    """Say where the manifest of the demo lies: in the folder given, in the checkout, or in a temporary folder."""
    here = checkout_manifest(_NAME)
    if folder is not None:
        yield copied_manifest(_NAME, absolute(folder))
    elif here is not None:
        yield here
    else:
        temporary = Path(tempfile.mkdtemp(prefix="ignrun-demo-"))
        try:
            yield copied_manifest(_NAME, temporary)
        finally:
            if not keep:
                shutil.rmtree(temporary, ignore_errors=True)


def _choose_port() -> None:
    """Where somebody else has the usual port, let the demo take a free one."""
    if _PORT in os.environ:
        return
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", _USUAL_PORT))
            return
        except OSError:
            probe.bind(("127.0.0.1", 0))
            os.environ[_PORT] = str(probe.getsockname()[1])
    say(f"port {_USUAL_PORT} is taken: the page is served on {os.environ[_PORT]}")
