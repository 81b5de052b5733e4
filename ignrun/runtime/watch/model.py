"""Owns WatchState and what the watcher's decisions hear and want: hints, pictures of the disk, and effects."""

from typing import Final, Literal

import msgspec

Picture = dict[str, str]
"""The input set at one moment: digest (hex) by path, empty for a missing file; a pattern stands as a path, too."""

RENAMED: Final = 0.025
"""Seconds of quiet that settle a file which was renamed, or closed by who wrote it."""

CAP: Final = 2.0
"""Seconds after which a burst without end is looked at all the same."""

RESCAN: Final = 5.0
"""Seconds between two looks that read everything."""

POLL: Final = 0.5
"""Seconds between two looks where no events come."""

LOCKED: Final = 0.05
"""Seconds until somebody else's lock is looked at again."""


class Hint(msgspec.Struct, frozen=True):
    """Something may have happened to a path; `complete` where a rename or a writer's close says that it is done."""

    path: str
    complete: bool


class Hinted(msgspec.Struct, frozen=True):
    """Events came; `lost` when there were more than the system keeps, so that any file may have changed."""

    hints: tuple[Hint, ...] = ()
    lost: bool = False


class Scanned(msgspec.Struct, frozen=True):
    """A look at the disk has ended: what it saw, whether it read everything, and the lock of somebody who is at work.

    `renewed` says that folders are watched from now on that were not before; `suspects` are the processes of the plant which have
    written at least as much as has changed since the last outcome, None where nobody can say.
    """

    picture: Picture
    whole: bool
    lock: str = ""
    renewed: bool = False
    suspects: frozenset[str] | None = None


class Followed(msgspec.Struct, frozen=True):
    """Somebody has read the input set: this is how it was then, and what is watched from now on."""

    picture: Picture


class EditEnded(msgspec.Struct, frozen=True):
    """What was made of the last settled edit: the watcher may come with the next."""

    result: str


class Refused(msgspec.Struct, frozen=True):
    """The system gives no events, for this reason."""

    reason: str


class Paused(msgspec.Struct, frozen=True):
    """An operator holds the watcher back."""

    by: str


class Resumed(msgspec.Struct, frozen=True):
    """An operator lets the watcher go on; what was suspended may try again."""

    by: str


class Woke(msgspec.Struct, frozen=True):
    """A time that was asked for has come."""


Message = Hinted | Scanned | Followed | EditEnded | Refused | Paused | Resumed | Woke


class Scan(msgspec.Struct, frozen=True):
    """Look at the disk: `hinted` files are read whatever their signature says, all of them when `whole`.

    `announced` says that events led to it.
    """

    whole: bool
    hinted: frozenset[str] = frozenset()
    announced: bool = False


class Edit(msgspec.Struct, frozen=True):
    """A settled change of the input set: its digest, which paths differ from what was read last, and the whole of it."""

    digest: str
    files: tuple[str, ...]
    picture: Picture = {}


class Stir(msgspec.Struct, frozen=True):
    """A file has been written: reading may begin while the edit settles."""


class Settle(msgspec.Struct, frozen=True):
    """The content has settled into something new: have it read and applied; EditEnded says what came of it."""

    edit: Edit


class WakeAt(msgspec.Struct, frozen=True):
    """Say Woke at this monotonic time; replaces any earlier wish."""

    at: float


class Turned(msgspec.Struct, frozen=True):
    """The watcher does its work in another way from now on, and why."""

    state: Literal["watching", "polling", "paused", "suspended"]
    reason: str = ""


Effect = Scan | Stir | Settle | WakeAt | Turned


class WatchState(msgspec.Struct, frozen=True):
    """Everything that the watcher decides by; times are monotonic seconds.

    `base` is the input set as it was last read by anybody, `truth` as the last look saw it. `pending` says until when each hinted path
    is to be quiet, `burst` when the first of them came. `asked` is what was handed on and how often, by path.
    `streaks` counts how often in a row each path changed right after an outcome, `guilty` who may have written it each time.
    """

    settle: float = 0.1
    trigger: str = ""
    base: Picture = {}
    truth: Picture | None = None
    pending: dict[str, float] = {}
    burst: float | None = None
    stirred: bool = False
    scanning: Scan | None = None
    lost: bool = False
    look_at: float | None = None
    rescan_at: float = 0.0
    in_flight: bool = False
    asked: dict[str, tuple[str, int]] = {}
    ended: float | None = None
    streaks: dict[str, int] = {}
    guilty: dict[str, frozenset[str] | None] = {}
    suspects: frozenset[str] | None = None
    suspended: dict[str, str] = {}
    paused_by: str = ""
    lock: str = ""
    polling: str = ""
    unannounced: frozenset[str] = frozenset()
    wake: float | None = None
    last_event: float | None = None
    last_edit: Edit | None = None
