"""Owns ModuleContext, where an instance stands: its scope, its plant and its folders."""

import pathlib
import threading

import msgspec

from ignrun.terms.names import ModuleScope


class ModuleContext(msgspec.Struct, frozen=True, kw_only=True):
    """Where an instance stands; folders are absolute. `data` and `temp` are made when they are first asked for.

    `address` is `module@scope`; `epoch` counts the incarnations of the instance; `mode` is empty when none was asked for.
    """

    address: str
    module: str
    scope: ModuleScope
    plant: str
    mode: str
    epoch: int
    data_path: str
    config: pathlib.Path
    log: pathlib.Path
    temp_path: str
    module_folder: pathlib.Path

    @property
    def data(self) -> pathlib.Path:
        """What the module keeps; the folder stays when the module is restarted or changed. Raises OSError."""
        return _made(self.data_path)

    @property
    def temp(self) -> pathlib.Path:
        """What nobody misses when it is gone. Raises OSError."""
        return _made(self.temp_path)


def _made(folder: str) -> pathlib.Path:
    path = pathlib.Path(folder)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


class Stopping:
    """Tells plain callbacks, which run on threads, that they should come to an end: true once the stop has begun."""

    __slots__ = ("_event", "_set")

    def __init__(self) -> None:
        self._set = False
        self._event: threading.Event | None = None

    def __bool__(self) -> bool:
        return self._set

    def __repr__(self) -> str:
        return f"<Stopping: {self._set}>"

    def is_set(self) -> bool:
        """Tell whether the stop has begun."""
        return self._set

    def wait(self, seconds: float | None = None) -> bool:
        """Sleep on a thread until the stop begins, at most so many seconds; tells whether it has begun."""
        event = self._event
        if event is None:
            event = self._event = threading.Event()
        if self._set:
            event.set()
        return event.wait(seconds)

    def set(self) -> None:
        """Begin the stop; called by the host."""
        self._set = True
        if self._event is not None:
            self._event.set()
