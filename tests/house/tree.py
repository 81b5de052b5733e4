"""Turns the checkout into the values that the laws of the house examine."""

import ast
import os
import subprocess
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "ignrun"


@dataclass(frozen=True)
class Source:
    """One Python file: its path below the checkout, with slashes, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).stem

    def inside(self, *folders: str) -> bool:
        """Say whether the file lies below one of these folders, or is one of these files."""
        return any(self.path == folder or self.path.startswith(f"{folder}/") for folder in folders)


def python_sources(folder: Path = PACKAGE, root: Path = ROOT) -> list[Source]:
    return [
        Source(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.py"))
    ]


def markdown_files(root: Path = ROOT) -> list[Path]:
    """Every page of the checkout, those not committed yet included; none from hidden folders."""
    found = []
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if not name.startswith(".") and name not in {"build", "dist"})
        found += [Path(folder, name) for name in sorted(files) if name.endswith(".md")]
    return found


def committed_files(root: Path = ROOT) -> list[Path]:
    """Every file that git tracks and that is there; empty where there is no git (an unpacked sdist)."""
    try:
        listed = subprocess.check_output(["git", "-C", str(root), "ls-files", "-z"], stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return []
    return [path for name in listed.decode().split("\0") if name and (path := root / name).is_file()]


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
