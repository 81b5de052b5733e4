"""Owns CodeIndex, which files of code an instance imports and where their committed bytes are kept."""

from pathlib import Path
from typing import Final

import msgspec

BLOBS: Final = "files"
"""Folder beside the indexes with the bytes of every file, named by their digest."""


class CodeIndex(msgspec.Struct, frozen=True):
    """The files that an instance's imports reach, by their absolute original path, each with the SHA-256 (hex) of its bytes."""

    files: dict[str, str]


def index_path(folder: Path, digest: str) -> Path:
    """Say where the index of a code digest lies in the folder `code` of a state folder."""
    return folder / f"{digest}.json"


def blob_path(folder: Path, digest: str) -> Path:
    """Say where the bytes of a file with this digest lie in the folder `code` of a state folder."""
    return folder / BLOBS / digest
