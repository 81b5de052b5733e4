"""Owns Inputs, everything that reading a manifest depends on, as one frozen value."""

from typing import Any

import msgspec

from ignrun.terms.planning import Planning


class Trial(msgspec.Struct, frozen=True):
    """A change of one module's run-time overlay that is tried before it is written: `values` stand for those in its file.

    `text`, where there is one, is read as the type that the schema asks for and put at `path`. `said` names the command for diagnostics.
    """

    module: str
    values: dict[str, Any]
    said: str
    path: tuple[str, ...] = ()
    text: str | None = None


class Inputs(msgspec.Struct, frozen=True):
    """What the reader is given; it looks at nothing else, neither the process environment nor a clock.

    `manifest` and `state_dir` are absolute paths; `root` is the folder that includes and `${file:}` must stay below,
    `allowed` are further ones (`--allow-path`).
    `environment` is the caller's (all of it on the caller's own machine; only the referenced names once handed to a
    runner). `for_apply` turns an unset `${env:}` or `${secret:}` from `(known at apply)` into an error. `fingerprint_key` keys the
    fingerprints of secrets (random for each plant, kept in the state folder; empty: secrets have none). `locked` refuses what
    `ignrun.lock` does not say, `relock` reads as if there were none.
    `data_folders` names, by address, the data folder of each instance that keeps it from an earlier name; the reading itself finds out.
    `explain` names the module whose config is to be given layer by layer; `trial` is a run-time change that is not written yet.
    """

    manifest: str
    state_dir: str
    root: str
    python: str
    modes: tuple[str, ...] = ()
    vars: dict[str, str] = {}
    sets: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    strict_env: bool = False
    for_apply: bool = False
    fingerprint_key: bytes = b""
    locked: bool = False
    relock: bool = False
    explain: str = ""
    trial: Trial | None = None
    allowed: tuple[str, ...] = ()
    planning: Planning = Planning()
    data_folders: dict[str, str] = {}


class InputFile(msgspec.Struct, frozen=True):
    """One file that was read, by its absolute path, with the SHA-256 (hex) of its bytes; counts towards the target digest."""

    path: str
    digest: str
    role: str  # manifest | include | overlay | definition | schema | env | file | code | lock
