"""Owns the files that generations were made from: the bytes of their code, an index for each code digest, the texts of their inputs."""

import hashlib
import os
import stat
import threading
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from ignrun.manifest.inputs import InputFile
from ignrun.protocol.code import BLOBS, CodeIndex, blob_path, index_path
from ignrun.runtime.journal.durable import remove_unfinished, sync_folder, write_synced
from ignrun.runtime.journal.folder import make_private
from ignrun.terms.failure import ChangedWhileRead, StateFolderFailure

NOT_KEPT: Final = frozenset({"env", "file"})
"""Roles of input files whose texts are never kept, only their digests: secrets may come from them."""

SPARED: Final = 64
"""So many of the latest calls of `keep` are spared by `forget`: no generation names their code yet."""

_INDEX: Final = msgspec.json.Decoder(CodeIndex)


class CodeStore:
    """The folder `code` of a state folder: `files/<sha256>` holds bytes, `<digest>.json` names those of a code digest.

    May be called from any thread; calls wait for each other.
    """

    def __init__(self, folder: Path) -> None:
        """Take the folder; it is made when the first code is kept."""
        self._folder = folder
        self._turn = threading.Lock()
        self._checked: dict[str, CodeIndex] = {}
        self._there: frozenset[str] = frozenset()
        self._recent: deque[frozenset[str]] = deque(maxlen=SPARED)

    def index(self, digest: str) -> Path:
        """Say where the index of a code digest lies: what a host is told to import from."""
        return index_path(self._folder, digest)

    def has(self, digest: str) -> bool:
        """Tell whether the code of a digest was here when somebody last asked to keep some; never looks at the disk."""
        return digest in self._there

    def keep(self, code: Mapping[str, CodeIndex], inputs: Iterable[InputFile] = ()) -> None:
        """Make the files behind these code digests durable, the indexes after the bytes that they name; cheap where all is there.

        Of `inputs` those are kept that say nothing secret and have not changed since: a manifest may be edited on while it is applied.
        Bytes that are here already are not read from their files again. Raises ChangedWhileRead when a file of code has other
        bytes by now than its digest promises, StateFolderFailure when the disk refuses; neither leaves half of anything.
        """
        texts = {file.digest: file.path for file in inputs if file.role not in NOT_KEPT}
        with self._turn:
            self._recent.append(frozenset({*code, *texts}))
            fresh = {digest: index for digest, index in code.items() if self._checked.get(digest) != index}
            try:
                if fresh:
                    self._keep_files({sha: path for index in fresh.values() for path, sha in index.files.items()})
                    self._keep_indexes(fresh)
                self._keep_texts(texts)
                self._look()
            except OSError as error:
                raise StateFolderFailure(self._folder.parent, _why(error)) from error
            self._checked.update(fresh)

    def text(self, digest: str) -> bytes | None:
        """Give the bytes of an input, or of a file of code, by their SHA-256; None where they are not kept, or damaged."""
        return self._bytes_of(digest) if self._is_sound(digest) else None

    def read(self, digest: str) -> CodeIndex | None:
        """Give the files behind a code digest, None unless all their bytes are here and sound."""
        try:
            index = _INDEX.decode(self.index(digest).read_bytes())
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None
        return index if all(map(self._is_sound, index.files.values())) else None

    def forget(self, needed: Collection[str]) -> int:
        """Remove the code that none of these digests needs and nobody asked to keep lately; gives the number of files removed.

        Indexes go before bytes: what a crash leaves behind is a surplus, never a gap. Raises OSError.
        """
        with self._turn:
            remove_unfinished(self._folder)
            spared = {*needed, *(digest for some in self._recent for digest in some)}
            indexes = {path.stem: path for path in self._folder.glob("*.json")}
            unneeded = [path for digest, path in indexes.items() if digest not in spared]
            removed = _remove(self._folder, unneeded)
            self._checked = {digest: index for digest, index in self._checked.items() if digest in spared}
            kept = {sha for digest in indexes.keys() & spared for sha in self._files_of(indexes[digest])} | spared
            blobs = [path for path in (self._folder / BLOBS).glob("*") if path.name not in kept]
            self._look()
            return removed + _remove(self._folder / BLOBS, blobs)

    def _look(self) -> None:
        self._there = frozenset(path.stem for path in self._folder.glob("*.json"))

    def _files_of(self, path: Path) -> Iterable[str]:
        try:
            return _INDEX.decode(path.read_bytes()).files.values()
        except (msgspec.DecodeError, UnicodeDecodeError):
            return ()

    def _keep_texts(self, texts: Mapping[str, str]) -> None:
        missing = {sha: path for sha, path in texts.items() if not blob_path(self._folder, sha).exists()}
        found = ((sha, _bytes_of(path)) for sha, path in missing.items())
        sound = [(sha, data) for sha, data in found if data is not None and _digest(data) == sha]
        if sound:
            make_private(self._folder)
            make_private(self._folder / BLOBS)
            _write_all(self._folder / BLOBS, sound)
            sync_folder(self._folder)

    def _keep_files(self, files: Mapping[str, str]) -> None:
        """Keep the bytes with these digests, read from these paths."""
        make_private(self._folder)
        make_private(self._folder / BLOBS)
        missing = {sha: path for sha, path in files.items() if not self._is_sound(sha)}
        _write_all(self._folder / BLOBS, ((sha, _promised(path, sha)) for sha, path in missing.items()))
        sync_folder(self._folder)

    def _keep_indexes(self, code: Mapping[str, CodeIndex]) -> None:
        texts = {self.index(digest): _encoded(index) for digest, index in code.items()}
        _write_all(self._folder, ((path.name, text) for path, text in texts.items() if not _holds(path, text)))

    def _is_sound(self, sha: str) -> bool:
        """Tell whether these bytes are here and are what their name says."""
        data = self._bytes_of(sha)
        return data is not None and _digest(data) == sha

    def _bytes_of(self, sha: str) -> bytes | None:
        try:
            return blob_path(self._folder, sha).read_bytes()
        except OSError:
            return None


def _write_all(folder: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write files durably under temporary names, then give them their own; raises and leaves none of the temporary ones."""
    written: list[tuple[Path, Path]] = []
    try:
        for name, data in files:
            temporary = folder / f".{name}.{os.getpid()}.tmp"
            written.append((temporary, folder / name))
            temporary.unlink(missing_ok=True)
            write_synced(temporary, data, 0o600)
        for temporary, path in written:
            temporary.rename(path)
    finally:
        for temporary, _ in written:
            with suppress(OSError):
                temporary.unlink()
    if written:
        sync_folder(folder)


def _promised(path: str, sha: str) -> bytes:
    data = _bytes_of(path)
    if data is None or _digest(data) != sha:
        raise ChangedWhileRead(Path(path))
    return data


def _bytes_of(path: str) -> bytes | None:
    """Read a file as it is now, None where there is none any more; never waits for a pipe that took its place."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with open(descriptor, "rb") as file:  # noqa: PTH123 - the flags are given by os.open
        return file.read() if stat.S_ISREG(os.fstat(descriptor).st_mode) else None


def _holds(path: Path, text: bytes) -> bool:
    try:
        return path.read_bytes() == text
    except OSError:
        return False


def _remove(folder: Path, paths: Iterable[Path]) -> int:
    removed = sum(1 for path in _gone(paths))
    if removed:
        sync_folder(folder)
    return removed


def _gone(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        path.unlink(missing_ok=True)
        yield path


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _encoded(index: CodeIndex) -> bytes:
    return msgspec.json.format(msgspec.json.encode(index, order="sorted")) + b"\n"


def _why(error: OSError) -> str:
    return error.strerror or str(error)
