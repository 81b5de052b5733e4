"""Turns the folders of an input set into the lock files that git holds while it changes what lies in them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

_LOCK: Final = "index.lock"


def index_locks(folders: Iterable[str]) -> tuple[str, ...]:
    """Name the lock of each work tree that one of these folders lies in, whether or not it is held."""
    found: dict[str, None] = {}
    known: set[Path] = set()
    for folder in folders:
        for place in (Path(folder), *Path(folder).parents):
            if place in known:
                break
            known.add(place)
            if (git := _git_folder(place / ".git")) is not None:
                found[str(git / _LOCK)] = None
                break
    return tuple(found)


def _git_folder(mark: Path) -> Path | None:
    """Give the folder that `.git` is, or the one that it names in a linked work tree."""
    try:
        if mark.is_dir():
            return mark
        text = mark.read_text(encoding="utf-8", errors="replace")[:4096]
    except OSError:
        return None
    named = text.removeprefix("gitdir:").strip()
    return (mark.parent / named) if text.startswith("gitdir:") and named else None
