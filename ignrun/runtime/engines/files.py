"""Turns the `files` of a command into files that are whole and durable before it starts."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from ignrun.runtime.engines.launch import CommandLaunch

_MODE: Final = 0o600


def write_files(launch: CommandLaunch) -> None:
    """Write every file of a command, replacing what was there at once; raises OSError, ValueError or LookupError (no such user)."""
    owner = owner_of(launch.user)
    for one in launch.files:
        path = Path(launch.cwd, str(one["path"]))
        _replace(path, content_of(one), _mode_of(one.get("mode")), owner)


def content_of(one: Mapping[str, Any]) -> bytes:
    """Render what one file holds."""
    if "json" in one:
        return msgspec.json.format(msgspec.json.encode(one["json"]), indent=2) + b"\n"
    if "yaml" in one:
        import yaml

        return yaml.safe_dump(one["yaml"], sort_keys=False, allow_unicode=True).encode()
    return str(one.get("text", "")).encode()


def owner_of(user: str | None) -> tuple[int, int] | None:
    """Give the numbers of a user and his group; None for the runner's own."""
    if user is None:
        return None
    import pwd

    try:
        found = pwd.getpwuid(int(user)) if user.isdigit() else pwd.getpwnam(user)
    except KeyError:
        raise ValueError(f"there is no user `{user}`") from None
    return found.pw_uid, found.pw_gid


def _mode_of(mode: object) -> int:
    return _MODE if mode is None else mode if isinstance(mode, int) else int(str(mode), 8)


def _replace(path: Path, data: bytes, mode: int, owner: tuple[int, int] | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    with suppress(FileNotFoundError):
        beside.unlink()
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, _MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if owner is not None:
                os.fchown(file.fileno(), *owner)
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
