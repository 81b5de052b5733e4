"""Turns what a file of our own imports into the file that defines it, so that a base class in another file is known."""

from collections.abc import Callable
from pathlib import Path

from ignrun.planner.catalog.source import Follow, Outline, Place, Taken

Locate = Callable[[str, tuple[str, ...]], tuple[Path, str] | None]
"""Finds the file of a module below folders."""

Read = Callable[[Path], Outline | None]
"""Gives what a file says of itself; None where it cannot be read."""


def follow_from(module: str, file: Path, own: tuple[str, ...], locate: Locate, read: Read) -> Follow:
    """Give a way to follow the imports of `module`, which lies in `file`, into files below `own`; others are not looked into."""
    parts = module.split(".")
    package = parts if file.name == "__init__.py" else parts[:-1]

    def follow(taken: Taken) -> Place | None:
        name = _absolute(taken, package)
        found = locate(name, own) if name and taken.name else None
        outline = read(found[0]) if found else None
        if found is None or outline is None:
            return None
        return Place(outline, taken.name, follow_from(name, found[0], own, locate, read))

    return follow


def _absolute(taken: Taken, package: list[str]) -> str:
    """Give the full name of the module that is imported from; empty where there are more dots than packages."""
    if not taken.level:
        return taken.module
    if taken.level > len(package):
        return ""
    base = package[: len(package) - taken.level + 1]
    return ".".join((*base, *filter(None, [taken.module])))
