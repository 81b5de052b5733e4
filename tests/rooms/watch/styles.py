"""Owns the ways in which programs save a file, each a function of the file and its new text."""

import itertools
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

_VERSIONS = itertools.count()

Save = Callable[[Path, str], None]


def in_place(file: Path, text: str) -> None:
    """Write over what is there, then cut off the rest."""
    with file.open("r+") as opened:
        opened.write(text)
        opened.truncate()


def truncate_and_write(file: Path, text: str) -> None:
    """Empty the file first; what is read in between is nothing."""
    with file.open("w") as opened:
        opened.flush()
        os.fsync(opened.fileno())
        opened.write(text)


def in_pieces(file: Path, text: str) -> None:
    """Write piece by piece, each seen by whoever looks."""
    with file.open("w") as opened:
        for letter in text:
            opened.write(letter)
            opened.flush()


def temporary_and_rename(file: Path, text: str) -> None:
    """Write beside it, then put it in its place, as most editors do."""
    beside = file.with_name(f".{file.name}.tmp")
    beside.write_text(text)
    beside.replace(file)


def vim_backup_rename(file: Path, text: str) -> None:
    """Move the old one away, write a new one under the name, remove the old one."""
    backup = file.with_name(f"{file.name}~")
    file.rename(backup)
    file.write_text(text)
    backup.unlink()


def removed_and_made(file: Path, text: str) -> None:
    """Delete, then create."""
    file.unlink()
    file.write_text(text)


def sed_in_place(file: Path, text: str) -> None:
    """Have `sed -i` put a line in the place of the text."""
    subprocess.run(["sed", "-i", f"1s/.*/{text}/", str(file)], check=True, stdin=subprocess.DEVNULL)


def hard_link(file: Path, text: str) -> None:
    """Write another file and link it into the place."""
    beside = file.with_name("linked")
    beside.unlink(missing_ok=True)
    beside.write_text(text)
    named = file.with_name("linked.name")
    os.link(beside, named)
    named.replace(file)


def symlink_swap(file: Path, text: str) -> None:
    """Let the name point to another version, in one step."""
    number = sum(1 for _ in file.parent.glob("version-*"))
    version = file.with_name(f"version-{number}")
    version.write_text(text)
    link = file.with_name(".link")
    link.symlink_to(version.name)
    link.replace(file)


def config_map(file: Path, text: str) -> None:
    """Swap `..data`, as Kubernetes does: the file is a link through a link to a folder."""
    folder = file.parent
    fresh = folder / f"..2026_{next(_VERSIONS)}"
    fresh.mkdir()
    (fresh / file.name).write_text(text)
    old = folder / "..data"
    before = (folder / old.readlink()) if old.is_symlink() else None
    link = folder / "..data_tmp"
    link.symlink_to(fresh.name)
    link.replace(old)
    if not file.is_symlink():
        file.unlink()
        file.symlink_to(f"..data/{file.name}")
    if before:
        shutil.rmtree(before)


def folder_swap(file: Path, text: str) -> None:
    """Put another folder in the place of the one that holds the file."""
    folder = file.parent
    fresh, old = folder.with_name("fresh"), folder.with_name("old")
    fresh.mkdir()
    (fresh / file.name).write_text(text)
    folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old)


def same_size_and_time(file: Path, text: str) -> None:
    """Write a text of the same length and put the time back."""
    status = file.stat()
    file.write_text(text)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def copied_over(file: Path, text: str) -> None:
    """Copy another file over it, its times included."""
    beside = file.with_name("beside")
    beside.write_text(text)
    shutil.copy2(beside, file)


CHANGING: dict[str, Save] = {
    one.__name__: one
    for one in (
        in_place, truncate_and_write, in_pieces, temporary_and_rename, vim_backup_rename, removed_and_made,
        sed_in_place, hard_link, symlink_swap, config_map, folder_swap, same_size_and_time, copied_over,
    )
}  # fmt: skip
"""Ways that change the content."""


def chmod_only(file: Path, _: str) -> None:
    """Change who may read it."""
    file.chmod(0o640 if file.stat().st_mode & 0o777 == 0o644 else 0o644)


def touch_only(file: Path, _: str) -> None:
    """Change its times."""
    file.touch()


def same_text(file: Path, _: str) -> None:
    """Save without an edit."""
    file.write_text(file.read_text())


def read_only(file: Path, __: str) -> None:
    """Open, read and close."""
    for _ in range(50):
        file.read_text()


UNCHANGING: dict[str, Save] = {one.__name__: one for one in (chmod_only, touch_only, same_text, read_only)}
"""Ways that change nothing."""
