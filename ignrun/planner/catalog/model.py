"""Owns Selection: for each module of a manifest the definition that was chosen and the code that it leads to."""

from typing import Literal

import msgspec

from ignrun.manifest.inputs import InputFile
from ignrun.manifest.model import Definition
from ignrun.protocol.code import CodeIndex


class Code(msgspec.Struct, frozen=True):
    """The source of an entry: its file, the SHA-256 (hex) of its bytes, the folder it is imported from.

    `callbacks` are those of the class or function, None where the source does not say; `provides` names
    what dependents may call, `config` tells of a `Config` class, `updates` of its fields marked with `update(..)`. `root` is empty where every
    host finds the code by itself (an installed package). `reach` is the digest of all own files that its imports reach, empty where
    it is not of our own; `packages` are the installed ones that they import, as `name==version`.
    """

    file: str
    digest: str
    root: str = ""
    callbacks: tuple[str, ...] | None = None
    provides: tuple[str, ...] = ()
    config: bool = False
    updates: tuple[tuple[str, str], ...] = ()
    reach: str = ""
    packages: tuple[str, ...] = ()


class Chosen(msgspec.Struct, frozen=True):
    """What one module leads to: `definition` for `uses`, `entry` and `code` for Python modules."""

    definition: Definition | None = None
    entry: str = ""
    code: Code | None = None


class Provenance(msgspec.Struct, frozen=True):
    """Where a definition is from; `root` is what its code is imported from, `digest` that of the thing in a catalog, else empty."""

    place: Literal["sources", "catalog", "installed"]
    root: str = ""
    digest: str = ""


class Pin(msgspec.Struct, frozen=True):
    """One chosen definition as a lock names it; `sha256` is that of the thing in the catalog, else of its `module.yaml`.

    `code` is the SHA-256 of the file that its entry leads to, empty where that is the manifest's own (`sources`).
    """

    id: str
    version: str
    place: str
    sha256: str
    code: str = ""


class Selection(msgspec.Struct, frozen=True):
    """The choice for each enabled module by name; a module whose choice failed is missing.

    `path` is what every host puts in front of its import path; `files` everything that was read on the
    way, `pins` what a lock would say. `code` holds the files behind each `Code.reach`.
    """

    chosen: dict[str, Chosen]
    path: tuple[str, ...]
    files: tuple[InputFile, ...] = ()
    pins: tuple[Pin, ...] = ()
    code: dict[str, CodeIndex] = {}
