"""Turns version requirements, with `^1.2` and `~1.2` as shorthands, into PEP 440 specifiers, and ranks versions by them."""

import functools
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

_SHORTHAND: Final = re.compile(r"([\^~])(\d+(?:\.\d+)*)\Z", re.ASCII)


@functools.lru_cache(1024)
def specifier_of(text: str) -> "SpecifierSet":
    """Read `>=1.2,<2`, `^1.2`, `~1.2` or a bare `1.2` (that very version); raises ValueError."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    parts = [part.strip() for part in text.split(",")]
    try:
        return SpecifierSet(",".join(_spelled_out(part) for part in parts))
    except InvalidSpecifier:
        message = f"`{text}` is not a version requirement"
        raise ValueError(message) from None


def _spelled_out(part: str) -> str:
    short = _SHORTHAND.match(part)
    if short:
        numbers = [int(number) for number in short[2].split(".")]
        return f">={short[2]},<{_caret(numbers) if short[1] == '^' else _tilde(numbers)}"
    return f"=={part}" if part[:1].isdigit() else part


def _caret(numbers: list[int]) -> str:
    """Give the version that may break: the first figure that is not zero counts up."""
    at = next((index for index, number in enumerate(numbers) if number), len(numbers) - 1)
    return _next(numbers[: at + 1])


def _tilde(numbers: list[int]) -> str:
    return _next(numbers[:2])


def _next(numbers: list[int]) -> str:
    return ".".join(str(number) for number in [*numbers[:-1], numbers[-1] + 1])


@functools.lru_cache(4096)
def satisfies(version: str, requirement: str, *, prereleases: bool | None = None) -> bool:
    """Tell whether a version meets a requirement; a pre-release does only where the requirement names one, or as told.

    Raises ValueError.
    """
    if not requirement:
        return True
    specifier = specifier_of(requirement)
    allowed = bool(specifier.prereleases) if prereleases is None else prereleases
    return specifier.contains(version, prereleases=allowed)


def ranked(versions: Iterable[str], requirements: Iterable[str]) -> list[str]:
    """List the versions that meet every requirement, highest first; raises ValueError.

    A pre-release is taken where a requirement names one; where nothing at all is required, after every finished release.
    """
    from packaging.version import Version

    wanted = [specifier_of(text) for text in dict.fromkeys(requirements) if text]
    early = any(one.prereleases for one in wanted)
    fitting = [text for text in versions if all(one.contains(text, prereleases=early) for one in wanted)]

    def height(text: str) -> tuple[bool, Version]:
        version = Version(text)
        return (bool(wanted) or not version.is_prerelease, version)

    return sorted(fitting, key=height, reverse=True)


def is_version(text: str) -> bool:
    """Tell whether `text` is a version as PEP 440 has it."""
    from packaging.version import InvalidVersion, Version

    try:
        Version(text)
    except InvalidVersion:
        return False
    return True
