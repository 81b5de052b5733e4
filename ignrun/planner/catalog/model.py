"""Owns Selection: for each module of a manifest the definition that was chosen and the code that it leads to."""

import msgspec

from ignrun.manifest.inputs import InputFile
from ignrun.manifest.model import Definition


class Code(msgspec.Struct, frozen=True):
    """The source of an entry: its file, the SHA-256 (hex) of its bytes, the folder it is imported from.

    `callbacks` are those of the class or function, None where the source does not say. `root` is empty where every
    host finds the code by itself (an installed package).
    """

    file: str
    digest: str
    root: str = ""
    callbacks: tuple[str, ...] | None = None


class Chosen(msgspec.Struct, frozen=True):
    """What one module leads to: `definition` for `uses`, `entry` and `code` for Python modules."""

    definition: Definition | None = None
    entry: str = ""
    code: Code | None = None


class Selection(msgspec.Struct, frozen=True):
    """The choice for each enabled module by name; a module whose choice failed is missing.

    `path` is what every host puts in front of its import path; `files` everything that was read on the way.
    """

    chosen: dict[str, Chosen]
    path: tuple[str, ...]
    files: tuple[InputFile, ...] = ()
