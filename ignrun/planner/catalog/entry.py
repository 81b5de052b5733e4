"""Turns an entry such as `plant.jobs:Poller` into the code it leads to, checked by reading its source."""

import functools
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from ignrun.manifest.seen import saw
from ignrun.planner.catalog.archive import Unusable, read_member, split
from ignrun.planner.catalog.bases import follow_from
from ignrun.planner.catalog.imports import NONE, Imports
from ignrun.planner.catalog.locate import digest_of, file_of, installed_folders
from ignrun.planner.catalog.model import Code
from ignrun.planner.catalog.outlines import Outlines
from ignrun.planner.catalog.source import Follow, Outline, nowhere, traits_of
from ignrun.terms.hints import did_you_mean

_ENTRY: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*\Z")


class Missing(msgspec.Struct, frozen=True):
    """Why an entry leads to no code."""

    code: str
    summary: str
    hint: str = ""


class Source(msgspec.Struct, frozen=True):
    """A file of code as it was read; `fault` says why it cannot be used, `line` where that is (0: nowhere in particular)."""

    file: str
    digest: str
    outline: Outline | None = None
    fault: str = ""
    imports: Imports = NONE
    line: int = 0


class Eyes(msgspec.Struct, frozen=True):
    """How files are found and read; `remembering` makes a pair that looks at each only once."""

    locate: Callable[[str, tuple[str, ...]], tuple[Path, str] | None]
    read: Callable[[Path], Source]

    @classmethod
    def remembering(cls, outlines: Outlines | None = None) -> "Eyes":
        """Make eyes that remember, for one selection."""
        outlines = outlines or Outlines()
        return cls(functools.cache(file_of), functools.cache(lambda file: read_source(file, outlines)))


def find_code(entry: str, path: tuple[str, ...], beside: tuple[str, ...], eyes: Eyes) -> Code | Missing:
    """Find and check the source of `package.module:Name`.

    `path` is what its host has in front of its import path anyway, `beside` the folders that may be added to it for this
    entry; after them comes what is installed.
    """
    if not _ENTRY.match(entry):
        return Missing("IGN306", f"`{entry}` is not an entry", "write it as `package.module:Name`")
    module, _, name = entry.partition(":")
    own = (*path, *beside)
    found = eyes.locate(module, own) or eyes.locate(module, installed_folders(module))
    if found is None:
        return Missing("IGN304", f"the module `{module}` of entry `{entry}` does not exist", _where(module, own))
    file, folder = found
    source = eyes.read(file)
    follow = follow_from(module, file, own, eyes.locate, lambda other: eyes.read(other).outline)
    code = _checked(entry, name, source, folder if folder in own else "", follow)
    if isinstance(code, Missing):
        saw(source.file, source.digest)  # its repair is what a watcher waits for
    return code


def schema_file(entry: str, code: str) -> Path:
    """Say where the generated config schema of a class is kept: beside its code, named like it (`pump-house.config.schema.json`)."""
    return Path(schema_path(entry, code))


def schema_path(entry: str, code: str) -> str:
    """Say as a text what `schema_file` says: there is one question for every module."""
    name = _WORD_BEGINS.sub("-", entry.partition(":")[2]).lower()
    return os.path.join(os.path.dirname(code), f"{name.replace('_', '-')}.config.schema.json")  # noqa: PTH118, PTH120


_WORD_BEGINS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def _where(module: str, folders: Sequence[str]) -> str:
    """Say which folder the file was looked for in, or which sibling was meant."""
    *parents, last = module.split(".")
    for folder in folders:
        place = Path(folder, *parents)
        if not place.is_dir():
            continue
        hint = did_you_mean(
            last, [one.stem for one in place.glob("*.py")] + [one.name for one in place.iterdir() if one.is_dir()]
        )
        if hint:
            return hint
    file = os.path.join(*module.split("."))  # noqa: PTH118 - text for people, not a path to open
    return f"there is no `{file}.py` below {', '.join(f'`{folder}`' for folder in folders)}"


def _checked(entry: str, name: str, source: Source, root: str, follow: Follow) -> Code | Missing:
    if source.fault:
        return Missing(
            "IGN306",
            f"the module of entry `{entry}` is not Python: {source.fault}",
            f"see `{source.file}{f':{source.line}' if source.line else ''}`",
        )
    outline = source.outline
    if outline is None:
        return Code(source.file, source.digest, root)
    if name not in outline.names and not outline.open:
        hint = did_you_mean(name, outline.names) or f"`{source.file}` defines no such name"
        return Missing("IGN305", f"`{name}` of entry `{entry}` does not exist", hint)
    traits = traits_of(outline, name, follow if root else nowhere)
    return Code(source.file, source.digest, root, traits.callbacks, traits.provides, traits.config, traits.updates)


def read_source(file: Path, outlines: Outlines) -> Source:
    """Read a file once for all the entries in it; one that is compiled has no outline."""
    try:
        inside = None if file.is_file() else split(str(file))
        content = read_member(*inside) if inside else file.read_bytes()
    except OSError as error:
        return Source(str(file), "", fault=f"it cannot be read: {error.strerror}")
    except Unusable as error:
        return Source(str(file), "", fault=f"it cannot be read: {error}")
    digest = digest_of(content)
    if file.suffix != ".py":
        return Source(str(file), digest)
    try:
        said = outlines.of(digest, content)
        return Source(str(file), digest, said.outline, imports=said.imports)
    except SyntaxError as error:
        return Source(str(file), digest, fault=error.msg, line=error.lineno or 0)
    except (ValueError, RecursionError) as error:
        return Source(str(file), digest, fault=str(error))
