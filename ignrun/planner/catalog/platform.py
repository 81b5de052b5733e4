"""Knows what the platform brings: ids that it provides, the short names they had once, and whether its version is enough."""

from typing import Final

from ignrun.planner.catalog.versions import satisfies

_PREFIX: Final = "com.inductiveautomation."
_LEGACY: Final = {
    "rept": "com.inductiveautomation.reporting",
    "xopc": "com.inductiveautomation.opcua",
    "fpmi": "com.inductiveautomation.vision",
}
"""Ids that modules of the platform had before they were named like all others."""


def canonical(identifier: str) -> str:
    """Give the id that an id means today."""
    return _LEGACY.get(identifier, identifier)


def provided(identifier: str) -> bool:
    """Tell whether the platform brings what has this id, so that no module of a manifest has to."""
    return canonical(identifier).startswith(_PREFIX)


def unmet(version: str, requirement: str) -> bool:
    """Tell whether a release is known and is not what is required; raises ValueError for a malformed requirement."""
    return bool(version) and not satisfies(version, requirement, prereleases=True)
