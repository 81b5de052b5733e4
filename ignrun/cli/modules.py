"""Owns `ignrun modules`: lists, searches and shows the definitions that modules can use."""

from typing import TYPE_CHECKING

import click

from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.inputs import inputs_of, show_diagnostics
from ignrun.cli.options import Aim, Reading, aims_at_plant, output_option, says_how_to_read
from ignrun.cli.plant import DEFAULT_MANIFEST, plant_to_read
from ignrun.cli.speech import paint_for, result
from ignrun.cli.verb import under, verb_group
from ignrun.terms.failure import Failure
from ignrun.terms.hints import did_you_mean

if TYPE_CHECKING:
    from ignrun.planner.catalog.survey import Visible


@verb_group("modules", "ignrun modules list", "ignrun modules show org.ignrun.tags")
def command() -> None:
    """List, search and show the definitions that can be used: in sources, in catalogs, installed. Nothing is imported.

    The manifest is the one named with -m, else `./ignrun.yaml` where there is one, else only what is installed counts.
    """


@under(command, "list", "ignrun modules list", "ignrun modules list -m plant.yaml -o json")
@says_how_to_read
@aims_at_plant
@output_option("text", "json")
def list_(aim: Aim, reading: Reading, output: str) -> ExitCode:
    """List every definition, the highest version of each first."""
    return _table(_visible(aim, reading), output)


@under(command, "search", "ignrun modules search historian", "ignrun modules search tag -o json")
@click.argument("words", nargs=-1, required=True)
@says_how_to_read
@aims_at_plant
@output_option("text", "json")
def search(aim: Aim, reading: Reading, words: tuple[str, ...], output: str) -> ExitCode:
    """List the definitions whose id, name, vendor or description holds all of WORDS; 1 when there is none."""
    found = tuple(one for one in _visible(aim, reading) if all(word.lower() in _text(one) for word in words))
    _table(found, output)
    return ExitCode.DONE if found else ExitCode.FAILURE


@under(command, "show", "ignrun modules show org.ignrun.tags", "ignrun modules show org.ignrun.tags -o json")
@click.argument("identifier", metavar="ID[@VERSION]")
@says_how_to_read
@aims_at_plant
@output_option("text", "json")
def show(aim: Aim, reading: Reading, identifier: str, output: str) -> ExitCode:
    """Show one definition: its slots, its config, and what its class offers, as its source says."""
    from ignrun.render.catalog import catalog_entry, catalog_json

    visible = _visible(aim, reading)
    name, _, version = identifier.partition("@")
    same = [one for one in visible if one.metadata.id == name]
    found = [one for one in same if version in {"", one.metadata.version}]
    if not found:
        known = [one.metadata.version for one in same] if same else [one.metadata.id for one in visible]
        hint = did_you_mean(version if same else name, known) or "`ignrun modules list` lists what there is"
        raise Failure(f"there is no definition `{identifier}`", hint)
    others = (one.metadata.version for one in same if one is not found[0])
    result(catalog_json(found[:1]) if output == "json" else catalog_entry(found[0], others))
    return ExitCode.DONE


def _table(visible: "tuple[Visible, ...]", output: str) -> ExitCode:
    from ignrun.render.catalog import catalog_json, catalog_table

    result(catalog_json(visible) if output == "json" else catalog_table(visible, paint=paint_for()))
    return ExitCode.DONE


def _text(one: "Visible") -> str:
    said = one.metadata
    return f"{said.id} {said.name} {said.vendor} {said.description}".lower()


def _visible(aim: Aim, reading: Reading) -> "tuple[Visible, ...]":
    from pathlib import Path

    from ignrun.planner.reader import survey_bounded

    inputs = None
    if aim != Aim() or Path(DEFAULT_MANIFEST).exists():
        plant, manifest = plant_to_read(aim)
        inputs = inputs_of(manifest, plant.folder.path, reading)
    found = survey_bounded(inputs)
    show_diagnostics(found.diagnostics)
    return found.visible
