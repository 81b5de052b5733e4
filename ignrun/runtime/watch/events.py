"""Owns FolderEvents, the door to inotify: watches folders and tells what happened to paths of the input set."""

import os
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from ignrun.runtime.watch.model import Hint, Hinted
from ignrun.runtime.watch.places import Ground, Interest

if TYPE_CHECKING:
    from watchdog.observers.inotify_c import InotifyEvent, InotifyFD

Identity = tuple[int, int]

_MOST: Final = 4096
"""Paths told at once; more of them count as any."""


class EventsRefusedError(Exception):
    """The system gives no events; the text says why."""


class FolderEvents:
    """Watches folders, never single files; `hear` is called from a thread of its own, once for all that came together.

    What merely opens, reads or closes a file is never told.
    """

    def __init__(self, hear: Callable[[Hinted], None]) -> None:
        """Ask the system for events; raises EventsRefusedError."""
        self._hear = hear
        self._guard = threading.Lock()
        self._hints: dict[str, bool] = {}
        self._lost = False
        self._interest = Interest()
        self._watched: dict[str, _Folder] = {}
        self._source = _opened()

    @property
    def folders(self) -> tuple[str, ...]:
        """Name the folders that are watched."""
        return tuple(sorted(self._watched))

    def cover(self, ground: Ground) -> bool:
        """Watch exactly these folders; True when one of them was not watched before, or is another one by now.

        Raises EventsRefusedError when the system will not watch one more; the others stay watched.
        """
        self._interest = ground.interest
        known = self._watched
        for path in [path for path, one in known.items() if one.gone or ground.folders.get(path) != one.identity]:
            known.pop(path).let_go(self._source)
        fresh: Mapping[str, Identity] = {p: identity for p, identity in ground.folders.items() if p not in known}
        for path, identity in fresh.items():
            known[path] = _Folder(path, identity, self._happened, self._overflowed)
            try:
                known[path].watch(self._source)
            except OSError as error:
                del known[path]
                raise EventsRefusedError(f"{error.strerror or error} (folder `{path}`)") from error
        return bool(fresh)

    def close(self) -> None:
        """End the thread and give everything back."""
        self._watched.clear()
        self._source.stop()
        self._source.join()

    def _happened(self, folder: str, event: "InotifyEvent") -> None:
        if not event.name:  # the folder itself was deleted or moved
            self._tell({}, lost=True)
            return
        complete = event.is_close_write or event.is_moved_to
        meant = self._interest.meant(folder, os.fsdecode(event.name), is_folder=event.is_directory)
        if meant:
            self._tell(dict.fromkeys(meant, complete), lost=False)

    def _overflowed(self) -> None:
        self._tell({}, lost=True)

    def _tell(self, hints: dict[str, bool], *, lost: bool) -> None:
        """Put this to what has not been heard yet; the first of it has the rest heard, too."""
        with self._guard:
            is_first = not self._hints and not self._lost
            self._hints |= hints
            self._lost = self._lost or lost or len(self._hints) > _MOST
        if is_first:
            self._hear(Hinted(lost=False))

    def taken(self) -> Hinted:
        """Take what came since the last time."""
        with self._guard:
            hints, self._hints = self._hints, {}
            lost, self._lost = self._lost, False
        return Hinted(tuple(Hint(path, complete) for path, complete in hints.items()), lost)


class _Folder:
    """One watched folder, as the library calls it back."""

    def __init__(
        self,
        path: str,
        identity: Identity,
        happened: Callable[[str, "InotifyEvent"], None],
        overflowed: Callable[[], None],
    ) -> None:
        self.identity = identity
        self.gone = False
        self._path = path
        self._happened = happened
        self._overflowed = overflowed
        self._descriptor: Any = None

    def watch(self, source: "InotifyFD") -> None:
        self._descriptor = source.add_callback(os.fsencode(self._path), _mask(), self, _id(self))
        if self._descriptor == -1:  # the library says nothing of a folder that may not be read
            raise PermissionError(13, "permission denied")

    def let_go(self, source: "InotifyFD") -> None:
        if not self.gone:
            source.remove_callbacks([(self._descriptor, _id(self))])

    def on_event(self, event: "InotifyEvent") -> None:
        self._happened(self._path, event)

    def on_watch_deleted(self, wd: Any) -> None:  # noqa: ARG002 - the library calls it so
        self.gone = True

    def on_queue_overflow(self) -> None:
        self._overflowed()


def _opened() -> "InotifyFD":
    from watchdog.utils import UnsupportedLibcError

    try:
        from watchdog.observers.inotify_c import InotifyFD

        source = InotifyFD()
    except OSError as error:
        raise EventsRefusedError(error.strerror or str(error)) from error
    except UnsupportedLibcError as error:
        raise EventsRefusedError("this system has no inotify") from error
    source.start()
    return source


def _mask() -> Any:
    """Ask for what may change content: neither for what opens and reads nor for the close of a reader."""
    from watchdog.observers.inotify_c import InotifyConstants as In

    wanted = (In.IN_MODIFY, In.IN_CLOSE_WRITE, In.IN_MOVED_FROM, In.IN_MOVED_TO, In.IN_CREATE, In.IN_DELETE)
    own = (In.IN_ATTRIB, In.IN_DELETE_SELF, In.IN_MOVE_SELF, In.IN_ONLYDIR)
    mask = 0
    for one in (*wanted, *own):
        mask |= one
    return mask


def _id(folder: _Folder) -> Any:
    return id(folder)
