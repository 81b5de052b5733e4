"""Owns `ignrun graph`: shows which instance needs which."""

import click

from ignrun.cli.exit_codes import ExitCode, code_of_rejection
from ignrun.cli.inputs import inputs_of, read, show_diagnostics
from ignrun.cli.options import Aim, Reading, aims_at_plant, reads_manifest
from ignrun.cli.plant import plant_to_read
from ignrun.cli.speech import result
from ignrun.cli.verb import verb


@verb("graph", "ignrun graph manifests/demo.yaml", "ignrun graph --format mermaid > plant.mmd")
@reads_manifest
@aims_at_plant
@click.option(
    "--format", "form", type=click.Choice(["text", "mermaid", "dot", "json"]), default="text", show_default=True
)
def command(aim: Aim, reading: Reading, form: str) -> ExitCode:
    """Show which module needs which: as a tree, a Mermaid or Graphviz (dot) diagram, or JSON."""
    from ignrun.planner.proposal import Base
    from ignrun.render.graph import graph_dot, graph_json, graph_mermaid, graph_text
    from ignrun.terms.verdict import Rejected

    plant, manifest = plant_to_read(aim)
    verdict = read(inputs_of(manifest, plant.folder.path, reading), Base()).verdict
    show_diagnostics(verdict.diagnostics)
    if isinstance(verdict, Rejected):
        return code_of_rejection(verdict.diagnostics)
    graph = verdict.value.graph
    match form:
        case "text":
            result(graph_text(graph))
        case "mermaid":
            result(graph_mermaid(graph))
        case "dot":
            result(graph_dot(graph))
        case _:
            result(graph_json(graph))
    return ExitCode.DONE
