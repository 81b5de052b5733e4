"""Imports the files of a generation from the bytes that were committed, whatever lies in their place by now."""

import hashlib
import importlib.abc
import linecache
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import decode_source, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Final

import msgspec

from ignrun.protocol.code import CodeIndex, blob_path

_INDEX: Final = msgspec.json.Decoder(CodeIndex)


class Committed(importlib.abc.MetaPathFinder):
    """Finds what the indexes learnt so far name, and only that; one for a whole process, since its modules are."""

    def __init__(self) -> None:
        """Know nothing; `learn` puts it among the finders of this process."""
        self._learnt: set[str] = set()
        self._files: dict[str, tuple[str, Path]] = {}
        self._folders: set[str] = set()
        self._real: dict[str, str] = {}

    def learn(self, path: str) -> None:
        """Import the files of this index from their committed bytes from now on; raises ImportError.

        An index can only be taken in where none of its files is in this process with other bytes.
        """
        if path in self._learnt:
            return
        fresh = {
            file: (digest, blob_path(Path(path).parent, digest))
            for file, digest in _read(path).files.items()
            if self._files.get(file, ("",))[0] != digest
        }
        self._refuse_other_bytes(fresh)
        self._files |= fresh
        self._folders |= {folder for file in fresh for folder in _folders_of(file)}
        self._learnt.add(path)
        self._take_place()

    def _refuse_other_bytes(self, fresh: dict[str, tuple[str, Path]]) -> None:
        for file, (digest, _) in fresh.items():
            if file in self._files:
                known = self._files[file][0]
                message = f"`{file}` is in this host with other bytes already ({known[:12]}, not {digest[:12]})"
                raise ImportError(message + ": two versions of a file need two hosts")
        for name, module in [*sys.modules.items()]:
            origin = getattr(module, "__file__", None)
            if isinstance(origin, str) and origin in fresh:
                message = f"`{name}` was imported from `{origin}` before its committed bytes were known"
                raise ImportError(message + ": it needs another host")

    def _take_place(self) -> None:
        """Stand before the finder that looks on the disk, behind those of what Python brings itself."""
        if self not in sys.meta_path:
            last = sys.meta_path.index(PathFinder) if PathFinder in sys.meta_path else len(sys.meta_path)
            sys.meta_path.insert(last, self)

    def withdraw(self) -> None:
        """Find nothing any more."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    # --- what Python asks ---------------------------------------------------------------------------------------------

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a committed file, a package, or a folder of committed files without an `__init__.py`."""
        entries = [self._named(entry) for entry in (sys.path if path is None else path)]
        bases = [os.path.join(entry, fullname.rpartition(".")[2]) for entry in entries]  # noqa: PTH118 - asked for in every import
        for base in bases:
            if (spec := self._spec(fullname, f"{base}{os.sep}__init__.py", [base])) is not None:
                return spec
            if (spec := self._spec(fullname, f"{base}.py", None)) is not None:
                return spec
        folders = [base for base in bases if base in self._folders]
        return self._namespace(fullname, path, target, folders) if folders else None

    def _spec(self, fullname: str, file: str, inner: list[str] | None) -> ModuleSpec | None:
        found = self._files.get(file)
        if found is None:
            return None
        loader = CommittedLoader(fullname, file, *found)
        return spec_from_file_location(fullname, file, loader=loader, submodule_search_locations=inner)

    def _namespace(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None, folders: list[str]
    ) -> ModuleSpec | None:
        """Make a package of folders, unless the disk has a whole module of that name."""
        lying = PathFinder.find_spec(fullname, path, target)
        if lying is not None and lying.loader is not None and lying.origin is not None:
            return lying
        spec = ModuleSpec(fullname, None, is_package=True)
        also = (lying.submodule_search_locations if lying is not None else None) or ()
        spec.submodule_search_locations = [*dict.fromkeys((*folders, *also))]
        return spec

    def _named(self, entry: str) -> str:
        """Give a folder of the import path as the index names it, through links where it names no such folder."""
        folder = os.path.abspath(entry)  # noqa: PTH100 - asked for in every import
        if folder in self._folders:
            return folder
        if folder not in self._real:
            self._real[folder] = os.path.realpath(folder)
        return self._real[folder] if self._real[folder] in self._folders else folder


class CommittedLoader(importlib.abc.SourceLoader):
    """Loads one file from its committed bytes; tracebacks show its committed lines under its own path."""

    def __init__(self, name: str, file: str, digest: str, blob: Path) -> None:
        """Take the module's name, its own path, and where its bytes are kept."""
        self.name = name
        self.path = file
        self._digest = digest
        self._blob = blob

    def get_filename(self, fullname: str) -> str:  # noqa: ARG002 - importlib's signature
        """Give the path that the file has for everybody else."""
        return self.path

    def get_data(self, path: str | bytes) -> bytes:
        """Give the committed bytes of the file itself, or what lies at any other path; raises OSError."""
        if path != self.path:
            return Path(os.fsdecode(path)).read_bytes()
        try:
            data = self._blob.read_bytes()
        except OSError as error:
            message = f"the committed bytes of `{self.path}` cannot be read: {error.strerror}"
            raise ImportError(message, name=self.name, path=self.path) from error
        if hashlib.sha256(data).hexdigest() != self._digest:
            message = (
                f"the committed bytes of `{self.path}` are damaged: they are not what {self._digest[:12]} stands for"
            )
            raise ImportError(message, name=self.name, path=self.path)
        return data

    def path_stats(self, path: str | bytes) -> dict[str, float]:  # noqa: ARG002 - importlib's signature
        """Refuse: bytecode that lies beside the original is of no use, and none is written there."""
        raise OSError

    def source_to_code(self, data: bytes, path: str) -> object:  # type: ignore[override]
        """Compile the file, and show its lines wherever somebody asks for them from now on."""
        lines = decode_source(data).splitlines(keepends=True)
        linecache.cache[self.path] = (len(data), None, lines, self.path)
        return super().source_to_code(data, path)


def _read(path: str) -> CodeIndex:
    try:
        return _INDEX.decode(Path(path).read_bytes())
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"the list of the committed code cannot be read: {error}"
        raise ImportError(message) from error


def _folders_of(file: str) -> Iterator[str]:
    while (folder := os.path.dirname(file)) != file:  # noqa: PTH120 - names only, no file is looked at
        yield folder
        file = folder
