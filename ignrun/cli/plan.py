"""Owns `ignrun plan`: shows what an apply would change, and why, without touching anything."""

import click

from ignrun.cli.exit_codes import ExitCode, code_of_rejection
from ignrun.cli.inputs import inputs_of, read, show_diagnostics
from ignrun.cli.options import Aim, Reading, aims_at_plant, output_option, reads_manifest, shown_file
from ignrun.cli.plant import Plant, plant_to_read
from ignrun.cli.speech import paint_for, result, say
from ignrun.cli.verb import verb


@verb("plan", "ignrun plan manifests/demo.yaml", "ignrun plan -o json --detailed-exitcode")
@reads_manifest
@aims_at_plant
@output_option("text", "json")
@click.option("--detailed-exitcode", is_flag=True, help="End with 10 when there are changes.")
def command(aim: Aim, reading: Reading, output: str, detailed_exitcode: bool) -> ExitCode:
    """Show what an apply would change, step by step, each with its cause.

    Compares the manifest with the generation in force. Starts nothing, writes nothing, needs no secrets.
    """
    from ignrun.planner.proposal import Base
    from ignrun.render.plan import encode_plan, plan_report, plan_text, rejected_report
    from ignrun.runtime.journal.current import read_current
    from ignrun.terms.verdict import Rejected

    plant, manifest = plant_to_read(aim)
    base = read_current(plant.folder.path) or Base()
    inputs = inputs_of(manifest, plant.folder.path, reading, key=known_key(plant))
    verdict = read(inputs, base).verdict
    if output == "text":
        show_diagnostics(verdict.diagnostics)
    if isinstance(verdict, Rejected):
        if output == "json":
            result(encode_plan(rejected_report(base.generation, verdict.diagnostics)))
        return code_of_rejection(verdict.diagnostics)
    plan = verdict.value.plan
    report = plan_report(plan, verdict.diagnostics)
    if output == "json":
        result(encode_plan(report))
    else:
        say(_compared(plant, base.generation))
        addresses = verdict.value.graph.instances
        result(plan_text(report, addresses=addresses, shown_file=shown_file, paint=paint_for()))
    return ExitCode.CHANGES if detailed_exitcode and not plan.is_empty else ExitCode.DONE


def known_key(plant: Plant) -> bytes:
    """Give the key of the plant's fingerprints where there is one already; a plan makes none."""
    from ignrun.runtime.journal.folder import fingerprint_key

    return fingerprint_key(plant.folder) if plant.folder.key.exists() else b""


def _compared(plant: Plant, generation: int) -> str:
    if not generation:
        return "compared with nothing: no generation of this plant is in force"
    down = "" if plant.runner else "; the plant is down"
    return f"compared with generation {generation}{down}"
