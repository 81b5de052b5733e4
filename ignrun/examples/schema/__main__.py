"""Turns a config with a `path` into an SQLite file that a historian can write to, then ends."""

import os
import sqlite3
import sys
from pathlib import Path

import msgspec

from ignrun.examples.historian.store import create


class Config(msgspec.Struct, frozen=True):
    """What the file named in `IGNRUN_CONFIG` holds."""

    path: str


def main() -> int:
    """Create the file and its table; 0 when they are there, 1 when they cannot be made, 2 without a config."""
    try:
        config = msgspec.json.decode(Path(os.environ["IGNRUN_CONFIG"]).read_bytes(), type=Config)
    except (KeyError, OSError, msgspec.DecodeError) as error:
        sys.stderr.write(f"IGNRUN_CONFIG names no config with a `path`: {error}\n")
        return 2
    try:
        create(Path(config.path))
    except (OSError, sqlite3.Error) as error:
        sys.stderr.write(f"`{config.path}` cannot be created: {error}\n")
        return 1
    sys.stdout.write(f"`{config.path}` is ready\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
