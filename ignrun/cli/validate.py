"""Owns `ignrun validate`: reads a manifest and tells everything that is wrong with it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ignrun.cli.exit_codes import ExitCode, code_of_rejection
from ignrun.cli.inputs import inputs_of, read, show_diagnostics
from ignrun.cli.options import Aim, Reading, aims_at_plant, reads_manifest, shown_file
from ignrun.cli.plant import plant_to_read
from ignrun.cli.speech import result, say
from ignrun.cli.verb import verb

if TYPE_CHECKING:
    from ignrun.planner.proposal import Proposal
    from ignrun.terms.diagnostics import Diagnostic

FORMATS = ("text", "json", "sarif", "junit", "github")


@verb(
    "validate",
    "ignrun validate manifests/demo.yaml",
    "ignrun validate --mode prod --format sarif > ignrun.sarif",
    "ignrun validate --format github --deny-warnings",
)
@reads_manifest
@aims_at_plant
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="Form of the output: for people, programs, code hosts, test reports, GitHub's workflow log.",
)
@click.option("--deny-warnings", is_flag=True, help="Let warnings count as errors.")
def command(aim: Aim, reading: Reading, form: str, deny_warnings: bool) -> ExitCode:
    """Check a manifest, every module's config and all that they refer to; nothing is started.

    All mistakes are told in one run, each with its place. No secrets are needed.
    """
    from ignrun.planner.proposal import Base
    from ignrun.terms.diagnostics import has_errors, warnings_denied
    from ignrun.terms.verdict import Accepted

    plant, manifest = plant_to_read(aim)
    verdict = read(inputs_of(manifest, plant.folder.path, reading), Base()).verdict
    found = warnings_denied(verdict.diagnostics) if deny_warnings else verdict.diagnostics
    valid = isinstance(verdict, Accepted) and not has_errors(found)
    if form == "text":
        show_diagnostics(found, err=False)
    else:
        result(_written(form, found, manifest))
    if valid and isinstance(verdict, Accepted):
        (result if form == "text" else _say)(f"{shown_file(str(manifest))} is valid: {_counted(verdict.value)}\n")
    return ExitCode.DONE if valid else code_of_rejection(found)


def _say(line: str) -> None:
    say(line.removesuffix("\n"))


def _written(form: str, found: "tuple[Diagnostic, ...]", manifest: Path) -> bytes | str:
    """Write diagnostics for a program."""
    from ignrun.render.diagnostics import diagnosis, diagnosis_json

    told = diagnosis(found)
    match form:
        case "sarif":
            from ignrun.render.diagnostics_sarif import diagnostics_sarif

            return diagnostics_sarif(told.diagnostics, os.getcwd(), shown_file)  # noqa: PTH109 - a text is wanted
        case "junit":
            from ignrun.render.diagnostics_junit import diagnostics_junit

            return diagnostics_junit(told, str(manifest), shown_file)
        case "github":
            from ignrun.render.diagnostics_github import diagnostics_github

            return diagnostics_github(told.diagnostics, _file_in_checkout)
        case _:
            return diagnosis_json(told)


def _file_in_checkout(path: str) -> str:
    """Show a path as a workflow's annotations want it: relative to the checkout, wherever the command runs."""
    checkout = os.environ.get("GITHUB_WORKSPACE", "")
    below = checkout and path.startswith(checkout.rstrip(os.sep) + os.sep)
    return os.path.relpath(path, checkout) if below else shown_file(path)


def _counted(proposal: "Proposal") -> str:
    instances = proposal.graph.instances
    modules = len({spec.module for spec in instances.values()})
    words = f"{modules} module{'' if modules == 1 else 's'}"
    return words if modules == len(instances) else f"{words}, {len(instances)} instances"
