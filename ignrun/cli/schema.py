"""Owns `ignrun schema`: prints the JSON Schema by which an editor completes and checks what people write."""

from pathlib import Path

import click

from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.inputs import inputs_of, show_diagnostics
from ignrun.cli.options import Aim, Reading, aims_at_plant
from ignrun.cli.plant import DEFAULT_MANIFEST, plant_to_read
from ignrun.cli.speech import result, say
from ignrun.cli.verb import verb
from ignrun.manifest.inputs import Inputs


@verb("schema", "ignrun schema -m plant.yaml --out .ignrun/manifest.schema.json", "ignrun schema --kind overlay")
@aims_at_plant
@click.option(
    "--kind",
    type=click.Choice(["manifest", "module", "overlay"]),
    default="manifest",
    show_default=True,
    help="Kind of document.",
)
@click.option("--out", metavar="FILE", help="Write it into a file instead, for the modeline of a document to name.")
def command(aim: Aim, kind: str, out: str | None) -> ExitCode:
    """Print the JSON Schema of a kind of document, with the config schemas of all visible definitions merged in.

    Visible is what lies in the `sources` of the manifest, what its `catalog` lists and what is installed. Name the file in the first line of a
    document, `# yaml-language-server: $schema=FILE`, and an editor completes the config of each module.
    """
    from ignrun.manifest.shipped import schema
    from ignrun.planner.reader.look import look_bounded
    from ignrun.render.editor_schema import editor_schema, schema_text
    from ignrun.terms.verdict import examined

    verdict = look_bounded(_inputs(aim)).verdict
    show_diagnostics(verdict.diagnostics)
    view = examined(verdict)
    if view is None:
        return ExitCode.INVALID
    text = schema_text(editor_schema(kind, schema(kind), view))
    if out is None:
        result(text)
    else:
        _write(Path(out), text)
        say(f"{out}: {len(view.offers)} definitions")
    return ExitCode.DONE


def _inputs(aim: Aim) -> Inputs | None:
    """Read the named manifest, else the one in this folder if there is one."""
    if not (aim.manifest or aim.name) and not Path(DEFAULT_MANIFEST).exists():
        return None
    plant, manifest = plant_to_read(aim)
    return inputs_of(manifest, plant.folder.path, Reading())


def _write(file: Path, text: bytes) -> None:
    """Write the file whole or not at all: an editor may be reading it."""
    from ignrun.runtime.journal.durable import durable_replace
    from ignrun.terms.failure import Failure

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        durable_replace(file, text, 0o644)
    except OSError as error:
        raise Failure(f"`{file}` cannot be written: {error.strerror}", "name another file") from error
