"""Decides when a runner that lives for one module is done, and with which exit code: that of the module."""

from collections.abc import Callable, Iterable
from typing import Final

from ignrun.terms.events import Event, LifecycleEvent, ProcessEnded, RetryScheduled
from ignrun.terms.states import ModuleState

_EXIT: Final = "exit "
_FAILED: Final = 1


class Until:
    """Listens until one module has completed, or has failed for good; then has the plant go down with its code."""

    def __init__(self, module: str, end: Callable[[str, int], None]) -> None:
        """Wait for any instance of `module`; `end` is told why and with which code, once; `code` is None until then."""
        self._module = module
        self._end = end
        self._ended_with: int | None = None
        self.code: int | None = None

    def happened(self, events: Iterable[Event]) -> None:
        """Look at what happened in one turn: the end of a command counts at once, the failure of another when it is not tried again."""
        failed = False
        for event in events:
            if event.subject.partition("@")[0] != self._module or self.code is not None:
                continue
            match event.body:
                case ProcessEnded(how=how):
                    self._ended_with = int(how.removeprefix(_EXIT)) if how.removeprefix(_EXIT).isdigit() else None
                case LifecycleEvent(new=ModuleState.STOPPED, cause="completed"):
                    self._finish(0)
                case LifecycleEvent(new=ModuleState.ERROR):
                    failed = True
                case RetryScheduled(parked=False) if self._ended_with is None:
                    failed = False
                case _:
                    pass
        if failed and self.code is None:
            self._finish(self._ended_with or _FAILED)

    def _finish(self, code: int) -> None:
        self.code = code
        self._end(f"`{self._module}` is done", code)
