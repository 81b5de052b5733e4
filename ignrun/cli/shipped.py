"""Owns the example manifests that ignrun brings along: in the package once installed, else in the checkout."""

import shutil
from pathlib import Path

from ignrun.terms.failure import Failure

_PACKAGE = Path(__file__).resolve().parents[1]


def checkout_manifest(name: str) -> Path | None:
    """Give an example manifest of the checkout that this ignrun runs from, None where it is installed."""
    path = _PACKAGE.parent / "manifests" / name
    return path if path.is_file() else None


def copied_manifest(name: str, folder: Path) -> Path:
    """Copy the example manifests, with what lies beside them, into a folder; what is there already is left alone."""
    source = next((one for one in (_PACKAGE / "manifests", _PACKAGE.parent / "manifests") if one.is_dir()), None)
    if source is None:
        raise Failure(f"the example manifest `{name}` is not installed", "install ignrun again")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in source.iterdir():
            if path.is_file() and not (folder / path.name).exists():
                shutil.copyfile(path, folder / path.name)
    except OSError as error:
        raise Failure(f"`{folder}` cannot be written: {error.strerror}", "name another folder") from error
    return folder / name
