"""Owns `ignrun lock`: writes down which version of each definition was chosen, and the hashes of it."""

from pathlib import Path

import click

from ignrun.cli.exit_codes import ExitCode, code_of_rejection
from ignrun.cli.inputs import inputs_of, read, show_diagnostics
from ignrun.cli.options import Aim, Reading, aims_at_plant, reads_manifest, shown_file
from ignrun.cli.plant import plant_to_read
from ignrun.cli.speech import result
from ignrun.cli.verb import verb


@verb("lock", "ignrun lock manifests/demo.yaml", "ignrun lock --check")
@reads_manifest
@aims_at_plant
@click.option("--check", is_flag=True, help="Write nothing; end with 4 when the lock would change.")
def command(aim: Aim, reading: Reading, check: bool) -> ExitCode:
    """Write `ignrun.lock` beside the manifest: the highest versions that fit, with their hashes.

    Later readings prefer what is locked; with --locked they refuse everything else.
    """
    import msgspec

    from ignrun.planner.catalog.lock import NAME, lock_text
    from ignrun.planner.proposal import Base
    from ignrun.runtime.journal.durable import durable_replace
    from ignrun.terms.verdict import Rejected

    plant, manifest = plant_to_read(aim)
    inputs = inputs_of(manifest, plant.folder.path, reading)
    verdict = read(msgspec.structs.replace(inputs, relock=not inputs.locked), Base()).verdict
    errors = verdict.diagnostics if isinstance(verdict, Rejected) else ()
    show_diagnostics(errors)
    if isinstance(verdict, Rejected):
        return code_of_rejection(errors)
    path, text = Path(manifest.parent, NAME), lock_text(verdict.value.pins)
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    shown = shown_file(str(path))
    if text == before:
        result(f"{shown} is up to date\n")
        return ExitCode.DONE
    if check:
        result(f"{shown} would change\n")
        return ExitCode.VERSIONS
    durable_replace(path, text.encode(), 0o644)
    count = len(verdict.value.pins)
    result(f"{shown}: {count} definition{'' if count == 1 else 's'} locked\n")
    return ExitCode.DONE
