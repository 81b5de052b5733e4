"""Turns equal parts of many assignments into the same objects, since thousands of instances say the same of most things."""

from typing import Any, Final

from msgspec.structs import force_setattr

from ignrun.protocol.orders import Assignment

_SHARED: Final = ("entry", "path", "timeouts", "plant", "mode", "code", "level")


class Sharing:
    """Remembers one object of each value that assignments have in common."""

    def __init__(self) -> None:
        self._known: dict[Any, Any] = {}

    def share(self, assignment: Assignment) -> None:
        """Put known objects in the place of equal ones; called before anybody else has seen the assignment."""
        for name in _SHARED:
            value = getattr(assignment, name)
            force_setattr(assignment, name, self._known.setdefault(value, value))
