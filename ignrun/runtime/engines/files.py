"""Turns the `files` of a command into files that are whole and durable, all of them or none."""

import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, Final

import msgspec

from ignrun.runtime.engines.accounts import account_of
from ignrun.runtime.engines.launch import CommandLaunch

_MODE: Final = 0o600
_NUMBERS: Final = count()

Owner = tuple[int, int]


class Content(msgspec.Struct, frozen=True):
    """What one file is to hold: its bytes, its mode, and user and group by number (None: the runner's own)."""

    path: Path
    data: bytes
    mode: int = _MODE
    owner: Owner | None = None


class _Laid(msgspec.Struct, frozen=True):
    """A file that lies, written and durable, beside its place."""

    path: Path
    beside: Path


class Former(msgspec.Struct, frozen=True):
    """What was at a place before: None where there was nothing."""

    path: Path
    content: Content | None


def write_files(contents: Iterable[Content]) -> tuple[Former, ...]:
    """Put every file in its place and give what was there; raises OSError, and everything is as it was then."""
    return _swap(_lay_beside(contents))


def contents_of(launch: CommandLaunch) -> tuple[Content, ...]:
    """Render the files of a command; raises ValueError where a mode is none, or there is no such user."""
    account = account_of(launch.user)
    owner = account.owner if account else None
    return tuple(
        Content(Path(launch.cwd, str(one["path"])), content_of(one), _mode_of(one.get("mode")), owner)
        for one in launch.files
    )


def content_of(one: Mapping[str, Any]) -> bytes:
    """Render what one file holds."""
    if "json" in one:
        return msgspec.json.format(msgspec.json.encode(one["json"]), indent=2) + b"\n"
    if "yaml" in one:
        import yaml

        return yaml.safe_dump(one["yaml"], sort_keys=False, allow_unicode=True).encode()
    return str(one.get("text", "")).encode()


def _mode_of(mode: object) -> int:
    if mode is None or isinstance(mode, int):
        return _MODE if mode is None else mode
    try:
        return int(str(mode), 8)
    except ValueError:
        raise ValueError(f"`{mode}` is no file mode in octal") from None


def _lay_beside(contents: Iterable[Content]) -> tuple[_Laid, ...]:
    """Write every file beside its place; raises OSError, and nothing is left then."""
    laid: list[_Laid] = []
    try:
        for content in contents:
            content.path.parent.mkdir(parents=True, exist_ok=True)
            laid.append(_lay(content))
    except OSError:
        _discard(laid)
        raise
    return tuple(laid)


def _lay(content: Content) -> _Laid:
    beside = content.path.with_name(f".{content.path.name}.{os.getpid()}-{next(_NUMBERS)}.new")
    with suppress(FileNotFoundError):
        beside.unlink()
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, _MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.data)
            file.flush()
            if content.owner is not None:
                os.fchown(file.fileno(), *content.owner)
            os.fchmod(file.fileno(), content.mode)
            os.fsync(file.fileno())
    except OSError:
        beside.unlink()
        raise
    return _Laid(content.path, beside)


def _swap(laid: Iterable[_Laid]) -> tuple[Former, ...]:
    """Put every file in its place and give what was there; raises OSError, and everything is as it was then."""
    laid = tuple(laid)
    done: list[Former] = []
    try:
        formers = tuple(_former(one.path) for one in laid)
        for one, former in zip(laid, formers, strict=True):
            one.beside.replace(one.path)
            done.append(former)
    except OSError:
        _discard(laid)
        put_back(done)
        raise
    _sync({one.path.parent for one in laid})
    return formers


def put_back(formers: Iterable[Former]) -> None:
    """Make it as it was; raises OSError."""
    formers = tuple(formers)
    for former in formers:
        if former.content is None:
            former.path.unlink(missing_ok=True)
    for laid in _lay_beside(former.content for former in formers if former.content is not None):
        laid.beside.replace(laid.path)
    _sync({former.path.parent for former in formers})


def _discard(laid: Iterable[_Laid]) -> None:
    """Take away what lies beside its place."""
    for one in laid:
        with suppress(OSError):
            one.beside.unlink()


def _former(path: Path) -> Former:
    if not path.is_file():
        return Former(path, None)  # what is no file is in the way, or is gone for good
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            content = Content(path, file.read(), stat.S_IMODE(found.st_mode), (found.st_uid, found.st_gid))
            return Former(path, content)
    except FileNotFoundError:
        return Former(path, None)


def _sync(folders: Iterable[Path]) -> None:
    for path in folders:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
