"""Owns where the JSON Schemas lie: inside an installed package, or beside it in a checkout."""

import functools
from pathlib import Path
from typing import Any

import msgspec

_PACKAGE = Path(__file__).resolve().parent.parent


def schema_text(name: str) -> str:
    """Give the text of one shipped schema, `manifest`, `module` or `overlay`; raises FileNotFoundError for any other name."""
    file = f"{name}.schema.json"
    inside = _PACKAGE / "schemas" / file
    found = inside if inside.is_file() else _PACKAGE.parent / "schemas" / file
    return found.read_text(encoding="utf-8")


@functools.cache
def schema(name: str) -> Any:
    """Give one shipped schema as a tree, read once."""
    return msgspec.json.decode(schema_text(name))
