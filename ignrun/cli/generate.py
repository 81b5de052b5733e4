"""Owns `ignrun generate`: makes files out of what code says of itself."""

import os
import sys
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.options import absolute, shown_file
from ignrun.cli.speech import result
from ignrun.cli.verb import under, verb_group
from ignrun.terms.failure import Failure

_TIMEOUT: Final = 60.0
"""Seconds that the import of a class may take."""


@verb_group(
    "generate", "ignrun generate schema plant.historian:Historian", "ignrun generate schema modules/pump/module.yaml"
)
def command() -> None:
    """Make files out of what code says of itself."""


@under(
    command,
    "schema",
    "ignrun generate schema plant.historian:Historian",
    "ignrun generate schema modules/pump/module.yaml --check",
)
@click.argument("source", metavar="ENTRY|MODULE.YAML")
@click.option(
    "--path", "folders", multiple=True, metavar="FOLDER", help="Look for the code here first; may be repeated."
)
@click.option("--out", metavar="FILE", help="Write here instead of beside the code; `-` is standard output.")
@click.option("--check", is_flag=True, help="Write nothing; end with 1 when the file would change.")
def schema(source: str, folders: tuple[str, ...], out: str | None, check: bool) -> ExitCode:
    """Write the JSON Schema of the `Config` of a class, beside its code as NAME.config.schema.json.

    The class is imported in a process of its own. Without this file its config is checked when it is applied only.
    """
    entry, path = _entry_and_path(source, folders)
    text, beside = generated(entry, path)
    if out == "-":
        result(text)
        return ExitCode.DONE
    file = absolute(out) if out else beside
    shown = shown_file(str(file))
    if file.is_file() and file.read_bytes() == text:
        result(f"{shown} is up to date\n")
        return ExitCode.DONE
    if check:
        result(f"{shown} would change\n")
        return ExitCode.FAILURE
    from ignrun.runtime.journal.durable import durable_replace

    durable_replace(file, text, 0o644)
    result(f"{shown} written\n")
    return ExitCode.DONE


def _entry_and_path(source: str, folders: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Take an entry as it is, and out of a definition its entry with the folders beside it."""
    path = tuple(str(absolute(folder)) for folder in (*folders, "."))
    if not source.endswith((".yaml", ".yml")):
        return source, path
    from ignrun.cli.inputs import show_diagnostics
    from ignrun.manifest.read import read_definition
    from ignrun.terms.verdict import Accepted

    verdict = read_definition(str(absolute(source)))
    if not isinstance(verdict, Accepted) or verdict.value is None:
        show_diagnostics(verdict.diagnostics)
        raise Failure(f"`{source}` is no definition that can be used", "mend what is told above")
    folder = Path(verdict.value.folder)
    return verdict.value.entry, (*path, str(folder), *map(str, folder.parents[:4]))


def generated(entry: str, path: tuple[str, ...]) -> tuple[bytes, Path]:
    """Generate the schema of an entry, and say which file it belongs into; raises Failure."""
    from ignrun.planner.catalog.entry import Eyes, Missing, find_code, schema_file

    code = find_code(entry, path, (), Eyes.remembering())
    if isinstance(code, Missing):
        raise Failure(code.summary, code.hint)
    described = _described(entry, (code.root, *path) if code.root else path)
    if described.get("fault"):
        raise Failure(f"`{entry}` cannot be described: {described['fault']}", "import it by hand to see more")
    if described.get("schema") is None:
        raise Failure(f"the class of `{entry}` has no `Config`", "give it a dataclass or msgspec Struct of that name")
    text = msgspec.json.format(msgspec.json.encode(described["schema"]), indent=2) + b"\n"
    return text, schema_file(entry, code.file)


def _described(entry: str, path: tuple[str, ...]) -> dict[str, Any]:
    """Ask a process like a host: code of modules is never imported here."""
    import subprocess

    try:
        ended = subprocess.run(
            [sys.executable, "-m", "ignrun.host.describe", entry, *dict.fromkeys(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=_TIMEOUT,
            check=False,
            env=dict(os.environ),
        )
        answer: dict[str, Any] = msgspec.json.decode(ended.stdout, type=dict[str, Any])
    except subprocess.TimeoutExpired:
        raise Failure(f"the import of `{entry}` took longer than {_TIMEOUT:g} s") from None
    except msgspec.DecodeError:
        raise Failure(f"the process that imported `{entry}` ended without an answer") from None
    return answer
