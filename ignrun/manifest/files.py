"""Turns the path of a text file into its text and digest, or into a diagnostic that says why it cannot be read."""

import hashlib
import os
import stat
from pathlib import Path
from typing import Final

import msgspec

from ignrun.manifest.places import at_file, shown_line
from ignrun.manifest.seen import UNREAD, saw
from ignrun.terms.diagnostics import Diagnostic, diagnose
from ignrun.terms.spans import Span
from ignrun.terms.verdict import Accepted, Rejected, Verdict

MAX_BYTES: Final = 4 * 1024 * 1024
_CODES: Final = {FileNotFoundError: "IGN101", NotADirectoryError: "IGN101", IsADirectoryError: "IGN102"}


class TextFile(msgspec.Struct, frozen=True):
    """A text that was read: its absolute path, its text without a byte order mark, and the SHA-256 (hex) of its bytes."""

    path: str
    text: str
    digest: str


class Roots(msgspec.Struct, frozen=True):
    """Folders that a file has to lie below one of, as they are named and as they really are; none: it may lie anywhere."""

    named: tuple[str, ...] = ()
    real: tuple[str, ...] = ()

    @classmethod
    def of(cls, folders: str | tuple[str, ...]) -> "Roots":
        """Follow the links of these folders; below one that cannot be, for a NUL character in it, lies nothing."""
        named = ((folders,) if folders else ()) if isinstance(folders, str) else folders
        return cls(named, tuple(one if "\0" in one else os.path.realpath(one) for one in named))


def read_text(path: str, root: str | tuple[str, ...] | Roots = "") -> Verdict[TextFile | None]:
    """Read a UTF-8 text of at most 4 MiB; with `root`, only what really lies below it (one of them), symbolic links followed.

    What counts is the file that was opened: one that is swapped for a link to somewhere else meanwhile is refused as well.
    """
    roots = root if isinstance(root, Roots) else Roots.of(root)
    saw(path, "")
    try:
        if roots.real and not _lies_in(os.path.realpath(path), roots.real):
            return _outside(path, roots.named)
        data = _bytes_of(path, roots.real)
    except _OutsideError:
        return _outside(path, roots.named)
    except ValueError:
        return _refused(at_file(path, "IGN101", "a path cannot hold a NUL character"))
    except OSError as error:
        return _refused(_unreadable(path, error))
    if data is None:
        return _refused(at_file(path, "IGN102", f"`{Path(path).name}` is not a regular file", hint="name a text file"))
    digest = hashlib.sha256(data).hexdigest()
    saw(path, digest)
    if len(data) > MAX_BYTES:
        return _refused(
            at_file(path, "IGN104", "the file is larger than 4 MiB", hint="split it, or keep data elsewhere")
        )
    return _decoded(path, data, digest)


def below(path: str, *roots: str) -> bool:
    """Tell whether `path` lies below one of `roots` once every symbolic link is followed."""
    return _lies_in(os.path.realpath(path), tuple(os.path.realpath(root) for root in roots))


def _lies_in(real: str, roots: tuple[str, ...]) -> bool:
    """Tell whether a path without links is one of `roots`, which have none either, or lies below it."""
    return any(real == root or real.startswith(root.rstrip("/") + "/") for root in roots)


class _OutsideError(Exception):
    """The file that was opened is not the one that was looked at before."""


def _bytes_of(path: str, roots: tuple[str, ...]) -> bytes | None:
    """Read one byte more than the limit at most; never waits for a pipe, None for what is no regular file. `roots` are real paths."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        if roots and not _lies_in(_opened(descriptor, path), roots):
            raise _OutsideError
        return file.read(MAX_BYTES + 1)


def _opened(descriptor: int, path: str) -> str:
    """Name the file that a descriptor stands for: as the system says, else by its identity; `/` when it is another one by now."""
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}").removesuffix(" (deleted)")  # noqa: PTH115 - called for every file
    except OSError:
        real = os.path.realpath(path)
        return real if os.path.samestat(os.stat(real), os.fstat(descriptor)) else "/"  # noqa: PTH116 - identity only


def _outside(path: str, roots: tuple[str, ...]) -> Verdict[TextFile | None]:
    saw(path, UNREAD)
    shown = " and ".join(f"`{root}`" for root in roots)
    hint = "move it below that folder, or allow its own with `--allow-path`"
    return _refused(at_file(path, "IGN107", f"`{Path(path).name}` lies outside of {shown}", hint=hint))


def _decoded(path: str, data: bytes, digest: str) -> Verdict[TextFile | None]:
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        return _refused(_not_utf8(path, digest, data, error.start))
    return Accepted(TextFile(path, text, digest))


def _not_utf8(path: str, digest: str, data: bytes, at: int) -> Diagnostic:
    before = data[:at].decode("utf-8")
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    whole = data.split(b"\n", line)[line - 1].decode("utf-8", "replace").rstrip("\r")
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    hint = "the file looks like UTF-16; save it as UTF-8" if wide else "save the file as UTF-8"
    span = Span(path, line, column, column + 1, digest)
    return diagnose(span, "IGN105", "the file is not UTF-8 text", hint=hint, excerpt=shown_line(whole))


def _unreadable(path: str, error: OSError) -> Diagnostic:
    code = _CODES.get(type(error), "IGN103")
    name = Path(path).name
    if code == "IGN101":
        return at_file(path, code, f"there is no file `{name}`", hint="check the path and the folder you are in")
    if code == "IGN102":
        inside = (Path(path) / "ignrun.yaml").exists()
        hint = f"name the manifest in it: `{name}/ignrun.yaml`" if inside else "name a file in it"
        return at_file(path, code, f"`{name}` is a folder", hint=hint)
    reason = (error.strerror or type(error).__name__).lower()
    return at_file(
        path, code, f"`{name}` cannot be read: {reason}", hint="check the rights of the file and its folders"
    )


def _refused(diagnostic: Diagnostic) -> Rejected[TextFile | None]:
    return Rejected(None, (diagnostic,))
