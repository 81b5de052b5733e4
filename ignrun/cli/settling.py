"""Turns a plant that was just applied into the report in which every instance has settled, or into the last one seen."""

import time
from collections.abc import Callable
from typing import Final

from ignrun.render.status_report import InstanceStatus, StatusReport

_PAUSE: Final = 0.1
_WELL: Final = frozenset({"healthy", "degraded"})


def is_well(one: InstanceStatus) -> bool:
    """Tell whether an instance is healthy, or has ended as it should."""
    return one.completed or (one.state == "running" and one.health in _WELL)


def settled_report(status: Callable[[], StatusReport], *, patience: float) -> StatusReport:
    """Ask until every instance is well, `patience` seconds at most."""
    deadline = time.monotonic() + patience
    report = status()
    while time.monotonic() < deadline and not all(map(is_well, report.instances)):
        time.sleep(_PAUSE)
        report = status()
    return report
