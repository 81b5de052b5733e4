"""Owns `ignrun plan`: shows what an apply would change, and why, without touching anything."""

from typing import TYPE_CHECKING

import click

from ignrun.cli.exit_codes import ExitCode, code_of_rejection
from ignrun.cli.inputs import inputs_of, read, show_diagnostics
from ignrun.cli.options import Aim, Reading, aims_at_plant, output_option, reads_manifest, shown_file
from ignrun.cli.planning import says_what_to_plan
from ignrun.cli.plant import Plant, plant_to_read, tell_of_former_name
from ignrun.cli.speech import paint_for, result, say
from ignrun.cli.verb import verb

if TYPE_CHECKING:
    from ignrun.planner.proposal import Base


@verb(
    "plan",
    "ignrun plan manifests/demo.yaml",
    "ignrun plan -o json --detailed-exitcode",
    "ignrun plan --out plan.json",
)
@reads_manifest
@says_what_to_plan
@aims_at_plant
@output_option("text", "json")
@click.option(
    "--out", metavar="FILE", help="Write the plan into a file, too: `ignrun apply FILE` does that, or nothing."
)
@click.option("--base", "base_file", metavar="FILE", help="Compare with this copy of a plant's `current` file.")
@click.option("--detailed-exitcode", is_flag=True, help="End with 10 when there are changes.")
def command(
    *, aim: Aim, reading: Reading, output: str, out: str | None, base_file: str | None, detailed_exitcode: bool
) -> ExitCode:
    """Show what an apply would change, step by step, each with its cause.

    Compares the manifest with the generation in force. Starts nothing, writes nothing, needs no secrets.
    """
    from ignrun.cli.written_plan import write_plan
    from ignrun.planner.proposal import Base
    from ignrun.render.plan import encode_plan, plan_report, plan_text, rejected_report
    from ignrun.runtime.journal.current import read_current, read_current_file
    from ignrun.terms.verdict import Rejected

    plant, manifest = plant_to_read(aim)
    tell_of_former_name(plant)
    base = read_current_file(base_file) if base_file else read_current(plant.folder.path) or Base()
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
        say(_compared(plant, base, base_file))
        addresses = verdict.value.graph.instances
        result(plan_text(report, addresses=addresses, shown_file=shown_file, paint=paint_for()))
    if out:
        write_plan(out, report, inputs, verdict.value.graph)
    return ExitCode.CHANGES if detailed_exitcode and not plan.is_empty else ExitCode.DONE


def known_key(plant: Plant) -> bytes:
    """Give the key of the plant's fingerprints where there is one already; a plan makes none."""
    from ignrun.runtime.journal.folder import fingerprint_key

    return fingerprint_key(plant.folder) if plant.folder.key.exists() else b""


def _compared(plant: Plant, base: "Base", file: str | None) -> str:
    if file:
        return f"compared with generation {base.generation} in {shown_file(file)}"
    if not base.generation:
        return "compared with nothing: no generation of this plant is in force"
    down = "" if plant.runner else "; the plant is down"
    return f"compared with generation {base.generation}{down}"
