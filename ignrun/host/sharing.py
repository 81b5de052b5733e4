"""Turns equal parts of many assignments into the same objects, since thousands of instances say the same of most things."""

from typing import Any, Final

from msgspec.structs import force_setattr

from ignrun.protocol.orders import Assignment

_SHARED: Final = ("entry", "path", "timeouts", "plant", "mode", "code", "level", "address")
_SHARED_BY_BINDINGS: Final = ("provider", "slot")


class Sharing:
    """Remembers one object of each value that assignments have in common."""

    def __init__(self) -> None:
        self._known: dict[Any, Any] = {}

    def share(self, assignment: Assignment) -> None:
        """Put known objects in the place of equal ones; called before anybody else has seen the assignment."""
        known = self._known
        for name in _SHARED:
            value = getattr(assignment, name)
            force_setattr(assignment, name, known.setdefault(value, value))
        for binding in assignment.bindings:
            for name in _SHARED_BY_BINDINGS:
                value = getattr(binding, name)
                force_setattr(binding, name, known.setdefault(value, value))
