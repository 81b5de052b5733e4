"""Turns what a reading saw into the picture that the watcher compares, and a picture into its digest."""

import hashlib

from ignrun.manifest.seen import UNREAD, Seen
from ignrun.runtime.watch.model import Picture


def picture_of(seen: Seen, *, code: bool) -> Picture:
    """Give the input set as a reading saw it; files of code count with `code` alone."""
    files = {path: digest for path, digest in seen.files.items() if path not in seen.code}
    listed = {place_of(one.folder, one.pattern): digest_of_names(one.names) for one in seen.listings}
    return listed | files | (seen.code if code else {})


def place_of(folder: str, pattern: str) -> str:
    """Name a pattern in a folder, as a path."""
    return f"{folder.rstrip('/')}/{pattern}"


def digest_of_names(names: tuple[str, ...]) -> str:
    """Give the digest (hex) of a listing."""
    return hashlib.sha256("\0".join(names).encode(errors="surrogateescape")).hexdigest()


def digest_of(picture: Picture) -> str:
    """Give the digest (hex) of a whole picture."""
    lines = (f"{path}\0{digest}\n" for path, digest in sorted(picture.items()))
    return hashlib.sha256("".join(lines).encode(errors="surrogateescape")).hexdigest()


def differing(base: Picture, truth: Picture) -> tuple[str, ...]:
    """Name the paths of `truth` that are not as in `base`; one whose content nobody has told yet does not differ."""
    return tuple(
        path for path, digest in truth.items() if base.get(path, UNREAD) != digest and base.get(path, UNREAD) != UNREAD
    )


def with_told(base: Picture, truth: Picture) -> Picture:
    """Take over, where nobody has told the content of a file, how it is now."""
    return base | {path: digest for path, digest in truth.items() if base.get(path, UNREAD) == UNREAD}


def merged(known: Seen, seen: Seen) -> Seen:
    """Go on from what was seen last; where a reading came to no code that can be used, the code that was known counts on, as it was read."""
    as_read = {path: seen.files.get(path, digest) for path, digest in known.code.items()}
    return Seen(seen.files, seen.listings, seen.code or as_read)
