"""Owns the token of a plant, which a client shows where no peer credentials speak for it, and the address it is shown at."""

import secrets
import stat
from pathlib import Path
from typing import Final

import msgspec

from ignrun.runtime.journal.durable import durable_replace
from ignrun.terms.failure import Failure, StateFolderFailure

_BYTES: Final = 32
_LONGEST: Final = 256
_HIGHEST_PORT: Final = 65535
LOOPBACK: Final = {"localhost": "127.0.0.1", "127.0.0.1": "127.0.0.1", "[::1]": "::1"}
"""The hosts that may be listened on, with the address of each."""


class Listening(msgspec.Struct, frozen=True):
    """An address on loopback: `host` as it stands in a URL; port 0 is any free one."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The address as clients name it."""
        return f"http://{self.host}:{self.port}"


def listening_at(text: str) -> Listening:
    """Read `HOST:PORT`; raises Failure for what is no address on loopback."""
    host, _, port = text.rpartition(":")
    if host not in LOOPBACK:
        names = ", ".join(f"`{one}:PORT`" for one in LOOPBACK)
        raise Failure(f"`{text}` cannot be listened on: the API is served on loopback only", f"write {names}")
    if not (port.isascii() and port.isdecimal()) or int(port[:6]) > _HIGHEST_PORT:
        raise Failure(f"`{text}` cannot be listened on: `{port}` is no port", "a port is a number up to 65535")
    return Listening(host, int(port))


def token_file(state_dir: Path) -> Path:
    """Say where the token of a plant lies."""
    return state_dir / "token"


def access_token(state_dir: Path) -> str:
    """Give the token of a plant, made at first use and readable for its owner only; raises StateFolderFailure.

    One that others could have read is replaced.
    """
    file = token_file(state_dir)
    try:
        if file.exists() and not stat.S_IMODE(file.lstat().st_mode) & 0o077:
            found = file.read_text("ascii", "replace").strip()
            if _BYTES <= len(found) <= _LONGEST and found.isascii() and found.isprintable():
                return found
        made = secrets.token_urlsafe(_BYTES)
        durable_replace(file, made.encode() + b"\n")
    except OSError as error:
        raise StateFolderFailure(state_dir, error.strerror or str(error)) from error
    return made
