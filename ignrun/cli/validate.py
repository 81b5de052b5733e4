"""Owns `ignrun validate`: reads a manifest and tells everything that is wrong with it."""

from typing import TYPE_CHECKING

import click

from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.inputs import inputs_of, read, show_diagnostics
from ignrun.cli.options import Aim, Reading, aims_at_plant, reads_manifest, shown_file
from ignrun.cli.plant import plant_to_read
from ignrun.cli.speech import result
from ignrun.cli.verb import verb

if TYPE_CHECKING:
    from ignrun.planner.proposal import Proposal
    from ignrun.terms.diagnostics import Diagnostic


@verb("validate", "ignrun validate manifests/demo.yaml", "ignrun validate --format json --mode prod")
@reads_manifest
@aims_at_plant
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--deny-warnings", is_flag=True, help="Let warnings count as errors.")
def command(aim: Aim, reading: Reading, form: str, deny_warnings: bool) -> ExitCode:
    """Check a manifest, every module's config and all that they refer to; nothing is started.

    All mistakes are told in one run, each with its place. No secrets are needed.
    """
    from ignrun.planner.proposal import Base
    from ignrun.terms.verdict import Accepted

    plant, manifest = plant_to_read(aim)
    verdict = read(inputs_of(manifest, plant.folder.path, reading), Base()).verdict
    valid = isinstance(verdict, Accepted) and not (deny_warnings and _warned(verdict.diagnostics))
    if form == "json":
        result(_json(verdict.diagnostics))
    else:
        show_diagnostics(verdict.diagnostics, err=False)
        if isinstance(verdict, Accepted):
            result(f"{shown_file(str(manifest))} is valid: {_counted(verdict.value)}\n")
    return ExitCode.DONE if valid else ExitCode.INVALID


def _warned(diagnostics: "tuple[Diagnostic, ...]") -> bool:
    from ignrun.terms.diagnostics import Severity

    return any(one.severity is Severity.WARNING for one in diagnostics)


def _json(diagnostics: "tuple[Diagnostic, ...]") -> bytes:
    import msgspec

    from ignrun.render.diagnostics import diagnosis

    return msgspec.json.format(msgspec.json.encode(diagnosis(diagnostics)), indent=2) + b"\n"


def _counted(proposal: "Proposal") -> str:
    instances = proposal.graph.instances
    modules = len({spec.module for spec in instances.values()})
    words = f"{modules} module{'' if modules == 1 else 's'}"
    return words if modules == len(instances) else f"{words}, {len(instances)} instances"
