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
    from ignrun.terms.verdict import Verdict

FORMATS = ("text", "json", "sarif", "junit", "github")


@verb(
    "validate",
    "ignrun validate manifests/demo.yaml",
    "ignrun validate --mode prod --format sarif > ignrun.sarif",
    "ignrun validate --format github --deny-warnings",
    "ignrun validate --all-modes",
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
@click.option("--all-modes", is_flag=True, help="Check the manifest as it is and in each mode beside it.")
def command(aim: Aim, reading: Reading, form: str, deny_warnings: bool, all_modes: bool) -> ExitCode:
    """Check a manifest, every module's config and all that they refer to; nothing is started.

    All mistakes are told in one run, each with its place. No secrets are needed.
    """
    from ignrun.terms.diagnostics import has_errors, in_order, warnings_denied

    if all_modes and reading.modes:
        raise click.UsageError("`--all-modes` and `--mode` exclude each other")
    plant, manifest = plant_to_read(aim)
    checked = _checked(manifest, plant.folder.path, _in_modes(reading, manifest) if all_modes else [reading])
    told = in_order(one for verdict in checked.values() for one in verdict.diagnostics)
    found = warnings_denied(told) if deny_warnings else told
    valid = not has_errors(found)
    if form == "text":
        show_diagnostics(found, err=False)
    else:
        result(_written(form, found, manifest))
    for modes, verdict in checked.items():
        denied = deny_warnings and has_errors(warnings_denied(verdict.diagnostics))
        line = f"{shown_file(str(manifest))} {_outcome(verdict, denied=denied)}{_in_mode(modes) if all_modes else ''}"
        if (valid or all_modes) and form == "text":
            result(f"{line}{_counted(verdict)}\n")
        elif valid or all_modes:
            say(f"{line}{_counted(verdict)}")
    return ExitCode.DONE if valid else code_of_rejection(found)


def _in_modes(reading: Reading, manifest: Path) -> list[Reading]:
    """Give the reading without a mode, and one for each mode that lies beside the manifest."""
    import msgspec

    from ignrun.manifest.gather import modes_of

    asked: list[tuple[str, ...]] = [(), *((mode,) for mode in modes_of(str(manifest)))]
    return [msgspec.structs.replace(reading, modes=modes) for modes in asked]


def _checked(
    manifest: Path, folder: Path, readings: list[Reading]
) -> "dict[tuple[str, ...], Verdict[Proposal | None]]":
    from ignrun.planner.proposal import Base

    checked: dict[tuple[str, ...], Verdict[Proposal | None]] = {}
    for one in readings:
        checked[one.modes] = read(inputs_of(manifest, folder, one), Base()).verdict  # type: ignore[assignment]
    return checked


def _outcome(verdict: "Verdict[Proposal | None]", *, denied: bool) -> str:
    from ignrun.terms.verdict import Accepted

    return "is valid" if isinstance(verdict, Accepted) and not denied else "is not valid"


def _in_mode(modes: tuple[str, ...]) -> str:
    return f" in mode `{','.join(modes)}`" if modes else " without a mode"


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


def _counted(verdict: "Verdict[Proposal | None]") -> str:
    """Say how much a sound plant has."""
    from ignrun.terms.verdict import Accepted

    if not isinstance(verdict, Accepted) or verdict.value is None:
        return ""
    instances = verdict.value.graph.instances
    modules = len({spec.module for spec in instances.values()})
    words = f": {modules} module{'' if modules == 1 else 's'}"
    return words if modules == len(instances) else f"{words}, {len(instances)} instances"
