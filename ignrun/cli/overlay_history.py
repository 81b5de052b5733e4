"""Turns the backups of a module's run-time values into their report."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from ignrun.cli.settings import Site
from ignrun.render.config import FORMAT_VERSION, BackupReport, BackupsReport
from ignrun.runtime.journal.overlays import Backup


def backups_of(site: Site, module: str) -> BackupsReport:
    """List the backups; one that cannot be read is listed without what was set in it."""
    return BackupsReport(FORMAT_VERSION, module, tuple(map(_described, site.overlays.backups(module))))


def _described(backup: Backup) -> BackupReport:
    try:
        values = msgspec.json.decode(backup.path.read_bytes(), type=dict[str, Any])
        at = datetime.fromtimestamp(backup.path.stat().st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return BackupReport(backup.number, "", ())
    return BackupReport(backup.number, at, tuple(_paths(values, "")))


def _paths(values: dict[str, Any], above: str) -> Iterator[str]:
    for key, value in values.items():
        if key.startswith("x-ignrun-"):
            continue
        if isinstance(value, dict) and value:
            yield from _paths(value, f"{above}{key}.")
        else:
            yield f"{above}{key}"
