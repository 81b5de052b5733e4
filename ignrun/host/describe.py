"""Turns an entry into the JSON Schema of its `Config`, in a process of its own as code of modules runs when it is imported: `python -m ignrun.host.describe`."""

import os
import sys
from typing import Any

import msgspec

from ignrun.host.faults import import_fault
from ignrun.host.masking import Masker
from ignrun.sdk.described import schema_of
from ignrun.sdk.module import module_class


class Described(msgspec.Struct, frozen=True):
    """The answer: the schema of the class (None: it has no `Config`), or why there is none."""

    schema: dict[str, Any] | None = None
    fault: str = ""


def main() -> None:
    """Take an entry and the folders of its import path; answer on standard output, where nothing of the module's own may go."""
    out = os.dup(1)
    os.dup2(2, 1)
    entry, *path = sys.argv[1:]
    sys.path[:0] = path
    with os.fdopen(out, "wb") as answer:
        answer.write(msgspec.json.encode(describe(entry)))
        answer.flush()
        os._exit(0)  # threads that the import began do not keep this process


def describe(entry: str) -> Described:
    """Import an entry and describe the `Config` of its class."""
    from importlib import import_module

    name, _, inner = entry.partition(":")
    try:
        kind = module_class(getattr(import_module(name), inner), entry)
        return Described(schema_of(kind.Config) if kind.Config is not None else None)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - code of modules runs while it is imported
        return Described(fault=import_fault(error, entry, Masker()).summary)


if __name__ == "__main__":
    main()
