"""Owns `ignrun test`: runs a plant once from creation to its end, in a folder of its own, and reports on every module."""

import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ignrun.cli.background import apply_detached
from ignrun.cli.converge import Prepared, operator, prepare
from ignrun.cli.ending import end_runner
from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.options import DURATION, Aim, Reading, aims_at_plant, reads_manifest
from ignrun.cli.plant import Plant, plant_to_read
from ignrun.cli.settling import settled_report
from ignrun.cli.speech import paint_for, result
from ignrun.cli.verb import verb

if TYPE_CHECKING:
    from ignrun.render.check_report import CheckReport
    from ignrun.render.outcome import OutcomeReport
    from ignrun.render.status_report import StatusReport
    from ignrun.terms.events import Event


@verb("test", "ignrun test", "ignrun test manifests/demo.yaml --format junit > report.xml")
@reads_manifest
@aims_at_plant
@click.option("--format", "form", type=click.Choice(["text", "json", "junit"]), default="text", show_default=True)
@click.option(
    "--timeout", type=DURATION, default="60s", show_default=True, help="How long modules may take to be healthy."
)
def command(aim: Aim, reading: Reading, form: str, timeout: float) -> ExitCode:
    """Check the whole lifecycle of every module: creation, configuration, lifecycle, health, configuration backup.

    The plant runs for real, once, with a state folder of its own that is removed afterwards. Ends with 0 when every
    check has passed, else with 1; with 3 when the manifest is invalid.
    """
    named, manifest = plant_to_read(aim)
    folder = Path(tempfile.mkdtemp(prefix="ignrun-test-"))
    try:
        plant = Plant(named.name, type(named.folder)(folder / named.name), manifest)
        prepared = prepare(plant, manifest, reading)
        if not isinstance(prepared, Prepared):
            return prepared
        with _taken_down(plant):
            report = _checked(prepared, timeout)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _write(report, form)
    return ExitCode.DONE if report.passed else ExitCode.FAILURE


@contextmanager
def _taken_down(plant: Plant) -> Iterator[None]:
    """Leave no runner behind, however this ends: SIGTERM, as from a CI job that is broken off, is like Ctrl-C."""

    def broken_off(*_: object) -> None:
        raise SystemExit(ExitCode.TERMINATED)

    before = signal.signal(signal.SIGTERM, broken_off)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        if record := plant.runner:
            end_runner(record, by=operator())


def _checked(prepared: Prepared, timeout: float) -> "CheckReport":
    from ignrun.cli.lifecycle_check import Seen, checks_of
    from ignrun.cli.schema_check import schema_checks
    from ignrun.render.check_report import check_report
    from ignrun.render.outcome import OutcomeReport

    began = time.monotonic()
    outcome = apply_detached(prepared) or OutcomeReport("", 0, "refused", 0, "")
    again = _reconfigured(prepared) if outcome.result == "committed" else None
    status = _exercised(prepared, timeout)
    folder = prepared.plant.folder
    seen = Seen(prepared.proposal.graph, outcome, again, status, _events(folder.journal), folder.config)
    checks = (*checks_of(seen), *schema_checks(seen.graph))
    return check_report(prepared.plant.name, checks, time.monotonic() - began)


def _reconfigured(prepared: Prepared) -> "OutcomeReport | None":
    """Have everybody take his own config once more, as a change of it would."""
    from msgspec.structs import replace

    from ignrun.cli.converge import through_runner

    record = prepared.plant.runner
    if record is None:
        return None
    planning = replace(prepared.inputs.planning, once_more=True)
    again = replace(prepared, inputs=replace(prepared.inputs, planning=planning))
    return through_runner(record.socket, again, wait=True)


def _exercised(prepared: Prepared, timeout: float) -> "StatusReport":
    """Look at the plant once it has settled, and take it down."""
    from ignrun.cli.absence import report_of_absent
    from ignrun.control.client import Client

    record = prepared.plant.runner
    if record is None:
        return report_of_absent(prepared.plant)
    client = Client(record.socket)
    try:
        return settled_report(client.status, patience=timeout)
    finally:
        end_runner(record, by=operator())


def _events(journal: Path) -> "tuple[Event, ...]":
    from ignrun.runtime.journal.schema import open_for_reading
    from ignrun.runtime.journal.store import last_event, read_events

    with closing(open_for_reading(journal)) as store:
        return read_events(store, 0, last_event(store))


def _write(report: "CheckReport", form: str) -> None:
    from ignrun.render.check_report import check_json, check_junit, check_text

    match form:
        case "json":
            result(check_json(report))
        case "junit":
            result(check_junit(report))
        case _:
            result(check_text(report, paint_for()))
