"""Reads wheels and other zip archives within limits, as if their members were files in a folder of their name."""

import functools
import zipfile
from pathlib import Path
from typing import Final

MAX_MEMBER: Final = 4 * 1024 * 1024
MAX_MEMBERS: Final = 50_000
SUFFIXES: Final = (".whl", ".zip")


class Unusable(Exception):  # noqa: N818 - says what an archive is
    """Why an archive, or a member of it, cannot be read."""


def is_archive(path: str) -> bool:
    """Tell whether a path names an archive that exists."""
    return path.endswith(SUFFIXES) and Path(path).is_file()


@functools.lru_cache(64)
def members(archive: str) -> frozenset[str]:
    """Name the members of an archive; raises Unusable."""
    try:
        with zipfile.ZipFile(archive) as opened:
            names = opened.namelist()
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise Unusable(f"`{archive}` is no readable archive: {error}") from error
    if len(names) > MAX_MEMBERS:
        raise Unusable(f"`{archive}` has more than {MAX_MEMBERS:,} members")
    return frozenset(names)


def read_member(archive: str, name: str) -> bytes:
    """Read one member of at most 4 MiB, whatever its header says; raises Unusable."""
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(name) as member:
            data = member.read(MAX_MEMBER + 1)
    except (OSError, zipfile.BadZipFile, ValueError, KeyError, RuntimeError, NotImplementedError, EOFError) as error:
        raise Unusable(f"`{name}` in `{archive}` cannot be read: {error}") from error
    if len(data) > MAX_MEMBER:
        raise Unusable(f"`{name}` in `{archive}` is larger than 4 MiB")
    return data


def split(path: str) -> tuple[str, str] | None:
    """Part `FOLDER/x.whl/package/module.py` into the archive and the member; None where no archive is on the way."""
    for parent in Path(path).parents:
        if is_archive(str(parent)):
            return str(parent), Path(path).relative_to(parent).as_posix()
    return None
