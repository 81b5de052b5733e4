"""Turns version requirements, with `^1.2` and `~1.2` as shorthands, into PEP 440 specifiers, and finds the highest version."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

_SHORTHAND: Final = re.compile(r"([\^~])(\d+(?:\.\d+)*)\Z", re.ASCII)


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


def satisfies(version: str, requirement: str) -> bool:
    """Tell whether a version meets a requirement; a pre-release does only where the requirement names one; raises ValueError."""
    if not requirement:
        return True
    specifier = specifier_of(requirement)
    return specifier.contains(version, prereleases=bool(specifier.prereleases))


def highest(versions: Iterable[str], requirement: str) -> str | None:
    """Choose the highest of `versions` that meets `requirement`; without one, finished releases go before pre-releases."""
    from packaging.version import Version

    fitting = [version for version in versions if satisfies(version, requirement)]
    return max(
        fitting, key=lambda text: (bool(requirement) or not Version(text).is_prerelease, Version(text)), default=None
    )


def is_version(text: str) -> bool:
    """Tell whether `text` is a version as PEP 440 has it."""
    from packaging.version import InvalidVersion, Version

    try:
        Version(text)
    except InvalidVersion:
        return False
    return True
