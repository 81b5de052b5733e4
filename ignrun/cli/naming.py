"""Turns a manifest's file into the name of its plant, before it is read in earnest: the state folder bears that name."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ignrun.terms.names import MODULE_NAME

_LIMIT: Final = 4 * 2**20
"""Bytes of a manifest; a longer one is refused by the reader anyway."""
_LEVELS: Final = 64
"""Blocks in each other; a text with more is refused by the reader anyway, and would take this process its time."""


def plant_name(manifest: Path) -> str:
    """Give `metadata.name`, else the file's stem made into a name; never fails, the reader tells what is wrong."""
    name = _declared(manifest)
    if name is not None and MODULE_NAME.match(name):
        return name
    stem = re.sub(r"[^a-z0-9]+", "-", manifest.stem.lower()).strip("-")[:63]
    return stem if MODULE_NAME.match(stem) else "plant"


def _declared(manifest: Path) -> str | None:
    try:
        with manifest.open("rb") as file:
            text = file.read(_LIMIT)
    except (OSError, ValueError):
        return None
    if b"metadata" not in text:
        return None  # most manifests: they need not be parsed twice
    import yaml

    try:
        return _name_in(yaml.parse(text, Loader=getattr(yaml, "CLoader", yaml.Loader)))
    except (ValueError, yaml.YAMLError):
        return None


def _name_in(events: Iterator[Any]) -> str | None:
    """Look through the events of a document for the scalar at `metadata.name`, and no further."""
    import yaml

    open_blocks: list[_Block] = []
    for event in events:
        if len(open_blocks) > _LEVELS:
            return None
        if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            open_blocks.pop()
        elif isinstance(event, yaml.NodeEvent):
            scalar = event.value if isinstance(event, yaml.ScalarEvent) else None
            if open_blocks and open_blocks[-1].takes_as_key(scalar):
                continue
            if scalar is not None and [block.key for block in open_blocks] == ["metadata", "name"]:
                return str(scalar)
            if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                open_blocks.append(_Block(isinstance(event, yaml.MappingStartEvent)))
    return None


class _Block:
    """An open mapping, with the key whose value comes next, or an open list."""

    def __init__(self, is_mapping: bool) -> None:
        self.is_mapping = is_mapping
        self.key: str | None = None
        self._key_is_next = True

    def takes_as_key(self, scalar: str | None) -> bool:
        """Tell whether a node is a key of this block; then the next one is its value."""
        if not self.is_mapping:
            return False
        is_key, self._key_is_next = self._key_is_next, not self._key_is_next
        if is_key:
            self.key = scalar
        return is_key
