"""Owns the nine states of an instance, the table of legal moves between them, and health."""

import enum
from typing import Final


class ModuleState(enum.Enum):
    """Position of an instance in its lifecycle; health and cause are kept apart from it."""

    UNINITIALIZED = "uninitialized"
    INITIALIZING = "initializing"
    INITIALIZED = "initialized"
    STARTING = "starting"
    RUNNING = "running"
    MAINTENANCE = "maintenance"
    STOPPING = "stopping"
    STOPPED = "stopped"
    ERROR = "error"

    # members are one of a kind; that of Enum is written in Python, and asked for in every move
    __hash__ = object.__hash__


_S = ModuleState

TRANSITIONS: Final[dict[ModuleState, frozenset[ModuleState]]] = {
    _S.UNINITIALIZED: frozenset({_S.INITIALIZING}),
    _S.INITIALIZING: frozenset({_S.INITIALIZED, _S.ERROR, _S.STOPPING}),
    _S.INITIALIZED: frozenset({_S.STARTING, _S.ERROR, _S.STOPPING}),
    _S.STARTING: frozenset({_S.RUNNING, _S.ERROR, _S.STOPPING}),
    _S.RUNNING: frozenset({_S.STOPPING, _S.ERROR, _S.MAINTENANCE}),
    _S.MAINTENANCE: frozenset({_S.RUNNING, _S.STOPPING, _S.ERROR}),
    _S.STOPPING: frozenset({_S.STOPPED, _S.ERROR}),
    _S.STOPPED: frozenset({_S.INITIALIZING}),
    _S.ERROR: frozenset({_S.INITIALIZING, _S.STOPPING, _S.STOPPED, _S.MAINTENANCE}),
}
"""The only legal moves; anything else is refused and journaled."""

RESTING: Final = frozenset({_S.UNINITIALIZED, _S.STOPPED, _S.ERROR})
"""States in which no callback of the instance runs and no process of a command exists."""


def may_move(old: ModuleState, new: ModuleState) -> bool:
    """Tell whether the table allows the move from `old` to `new`."""
    return new in TRANSITIONS[old]


class Health(enum.Enum):
    """What the checks say of an instance."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"

    __hash__ = object.__hash__  # as above


class Condition(enum.Enum):
    """What a provider must have reached before its dependent may start."""

    HEALTHY = "healthy"  # running and healthy, degraded counts
    STARTED = "started"  # running
    COMPLETED = "completed"  # a oneshot or a main loop that ended well
