"""Owns Listings: the folders of one reading, each listed once, so that a module is found without asking the disk again."""

import os
from typing import Final

_CODE: Final = (".py", ".so", ".pyd")
_INIT: Final = "__init__.py"


class Listings:
    """Remembers what lies in folders; paths are texts, for there are many."""

    def __init__(self) -> None:
        """Begin with nothing listed."""
        self._known: dict[str, dict[str, bool]] = {}

    def has(self, folder: str, name: str) -> bool:
        """Tell whether something of this name lies in a folder."""
        return name in self._listed(folder)

    def files(self, folder: str) -> list[str]:
        """Give the files of code in a folder, sorted."""
        return [
            _join(folder, name) for name, inner in self._listed(folder).items() if not inner and name.endswith(_CODE)
        ]

    def folders(self, folder: str) -> list[str]:
        """Give the folders in a folder, sorted, but for hidden ones and what the interpreter keeps."""
        listed = self._listed(folder).items()
        return [_join(folder, name) for name, inner in listed if inner and name[0] != "." and name != "__pycache__"]

    def module(self, root: str, module: str) -> str:
        """Find the file of `package.module` below a folder; empty where there is none."""
        *parents, last = module.split(".")
        folder = root
        for part in parents:
            if not self._listed(folder).get(part):
                return ""
            folder = _join(folder, part)
        names = self._listed(folder)
        if names.get(last) and self.has(_join(folder, last), _INIT):
            return _join(folder, last, _INIT)
        if names.get(f"{last}.py") is False:
            return _join(folder, f"{last}.py")
        start = f"{last}."
        compiled = (name for name in names if name.startswith(start) and name.endswith(_CODE[1:]))
        return next((_join(folder, name) for name in compiled), "")

    def _listed(self, folder: str) -> dict[str, bool]:
        if folder not in self._known:
            self._known[folder] = _look(folder)
        return self._known[folder]


def _look(folder: str) -> dict[str, bool]:
    """List a folder: every name, and whether it is a folder itself; empty where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return dict(sorted((one.name, one.is_dir()) for one in entries))
    except OSError:
        return {}


def _join(*parts: str) -> str:
    return os.path.join(*parts)  # noqa: PTH118 - a text from texts
