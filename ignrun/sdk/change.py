"""Owns ConfigChange, what `prepare_reconfigure` and `reconfigure` are told."""

from typing import Any

import msgspec


class ConfigChange(msgspec.Struct, frozen=True):
    """From which config to which; `old` and `new` are what `self.config` is: the author's `Config`, or a read-only mapping.

    `paths` are the places at which they differ, written as `flush` or `servers[0].port`, in their order.
    """

    old: Any
    new: Any
    paths: tuple[str, ...]

    def touches(self, path: str) -> bool:
        """Tell whether anything at this path, below it or above it differs."""
        return any(_is_within(one, path) or _is_within(path, one) for one in self.paths)


def _is_within(path: str, outer: str) -> bool:
    return path.startswith(outer) and (len(path) == len(outer) or path[len(outer)] in ".[")
