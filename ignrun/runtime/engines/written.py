"""Owns the record of what this runner wrote for commands, and takes away what they do not declare any more."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from ignrun.runtime.engines.files import Content
from ignrun.terms.names import Address


class Written:
    """What lies where for which command, by digest; `settle` runs beside the loop, one call after another."""

    def __init__(self) -> None:
        """Nothing has been written."""
        self._of: dict[Address, dict[Path, str]] = {}

    def holds(self, address: Address) -> bool:
        """Tell whether anything was written for a command."""
        return address in self._of

    def settle(self, declared: tuple[Address, Iterable[Content]]) -> tuple[Path, ...]:
        """Note what a command declares now that it goes by it, and give what was taken away.

        A file that somebody has changed since, or that another command declares too, stays.
        """
        address, contents = declared
        now = {content.path: _digest(content.data) for content in contents}
        before = self._of.pop(address, {})
        if now:
            self._of[address] = now
        kept = {path for paths in self._of.values() for path in paths}
        return tuple(path for path, digest in before.items() if path not in kept and _taken_away(path, digest))


def _taken_away(path: Path, digest: str) -> bool:
    try:
        if _digest(path.read_bytes()) != digest:
            return False
        path.unlink()
    except OSError:
        return False
    return True


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
