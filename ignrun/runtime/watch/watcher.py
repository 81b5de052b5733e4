"""Owns Watcher, which has a plant's input set looked at and its settled edits applied; lives in the runner's loop."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import assert_never

import msgspec
from msgspec.structs import replace

from ignrun.manifest.model import WatchPolicy
from ignrun.manifest.seen import UNREAD, Seen
from ignrun.runtime.watch.decide import decide
from ignrun.runtime.watch.events import EventsRefusedError, FolderEvents
from ignrun.runtime.watch.held import held_back
from ignrun.runtime.watch.model import (
    Edit,
    EditEnded,
    Effect,
    Followed,
    Hinted,
    Message,
    Paused,
    Refused,
    Resumed,
    Scan,
    Settle,
    Stir,
    Turned,
    WakeAt,
    WatchState,
    Woke,
)
from ignrun.runtime.watch.picture import digest_of, merged, picture_of
from ignrun.runtime.watch.places import Pattern
from ignrun.runtime.watch.scout import Scout, Target
from ignrun.runtime.watch.status import WatchOutcome, WatchStatus
from ignrun.terms.clock import Clock

__all__ = ["Edit", "EditOutcome", "Watcher"]


class EditOutcome(msgspec.Struct, frozen=True):
    """What was made of an edit: `result` and `summary` as an apply has them, or `invalid` with the first diagnostic."""

    result: str
    summary: str = ""


OnSettled = Callable[[Edit], Awaitable[EditOutcome]]
Writers = Callable[[], Mapping[int, str]]
"""Gives the processes of the plant: the name to show for each pid."""


class Watcher:
    """Watches one plant.

    `on_settled` is awaited with each settled edit, one at a time; it has the set read and applied, and returns as soon as a later edit
    may begin (while the change soaks, say); what came of it later is told by `note`. Whoever reads the set, the watcher's own
    reading or another, tells `follow` what it saw: only what differs from the last reading is an edit. `on_stir` is called when a file
    has been written and the edit has yet to settle; `on_turned` when the watcher works in another way from now on; `left_alone`
    says, for the digest of an edit, why it is not to be tried again (empty: it is).
    """

    def __init__(
        self,
        *,
        seen: Seen,
        policy: WatchPolicy,
        on_settled: OnSettled,
        clock: Clock,
        on_bug: Callable[[Exception], None],
        on_stir: Callable[[], None] = lambda: None,
        on_turned: Callable[[Turned], None] = lambda _: None,
        left_alone: Callable[[str], str] = lambda _: "",
        writers: Writers = dict,
    ) -> None:
        """Take what the last reading saw, and whom to tell; `start` begins."""
        self._seen = seen
        self._policy = policy
        self._on_settled = on_settled
        self._clock = clock
        self._on_bug = on_bug
        self._on_stir = on_stir
        self._on_turned = on_turned
        self._left_alone = left_alone
        self._writers = writers
        trigger = policy.trigger or ""
        base = picture_of(seen, code=policy.code) | ({trigger: UNREAD} if trigger else {})
        self._state = WatchState(settle=policy.settle, trigger=trigger, base=base)
        self._inbox: list[Message] = []
        self._turn_planned = False
        self._timer: asyncio.TimerHandle | None = None
        self._edit: asyncio.Task[None] | None = None
        self._outcome: WatchOutcome | None = None
        self._events: FolderEvents | None = None
        self._scout: Scout | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    # --- what the runner calls ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to watch, in the running loop; the first look finds what changed since the last reading."""
        self._loop = asyncio.get_running_loop()
        try:
            self._events = FolderEvents(self._hear_from_thread)
        except EventsRefusedError as refused:
            self._hear(Refused(str(refused)))
        else:
            self._on_turned(Turned("watching"))
        self._scout = Scout(self._events, self._hear_from_thread, self._broke_from_thread)
        self._hear(Woke())

    async def stop(self) -> None:
        """Watch no longer; an edit that is being applied is let go on."""
        loop, self._loop = self._loop, None
        if self._timer:
            self._timer.cancel()
        if self._scout:
            self._scout.close()
        if self._events and loop is not None:
            await loop.run_in_executor(None, self._events.close)

    def pause(self, by: str) -> None:
        """Hold every edit back until `resume`."""
        self._hear(Paused(by))

    def resume(self, by: str) -> None:
        """Let edits through again, those too that were suspended; what has changed meanwhile is one edit."""
        self._hear(Resumed(by))

    def follow(self, seen: Seen) -> None:
        """Go by what somebody has read just now: what a reading saw, sound or refused, is no edit any more."""
        if seen.files:
            self._seen = merged(self._seen, seen)
            self._hear(Followed(picture_of(self._seen, code=self._policy.code)))

    def change(self, policy: WatchPolicy) -> None:
        """Go by another policy: of a manifest that has come into force."""
        if policy == self._policy:
            return
        self._policy = policy
        trigger = policy.trigger or ""
        self._state = replace(self._state, settle=policy.settle, trigger=trigger)
        self._hear(Followed(picture_of(self._seen, code=policy.code)))

    def note(self, outcome: EditOutcome, edit: Edit) -> None:
        """Take in what came of an edit after `on_settled` had returned."""
        if edit is self._state.last_edit:
            self._remember(outcome, edit)

    def status(self) -> WatchStatus:
        """Say how the watcher does."""
        state = self._state
        return WatchStatus(
            state="paused" if state.paused_by else "suspended" if state.suspended else "watching",
            backend="polling" if state.polling else "inotify",
            reason=state.polling,
            folders=self._scout.folders if self._scout else (),
            files=len(state.base),
            code=self._policy.code,
            last_event=self._moment(state.last_event),
            digest=digest_of(state.truth) if state.truth is not None else "",
            outcome=self._outcome,
            holds=held_back(state),
        )

    # --- turns --------------------------------------------------------------------------------------------------------

    def _hear(self, message: Message) -> None:
        self._inbox.append(message)
        if not self._turn_planned and self._loop:
            self._turn_planned = True
            self._loop.call_soon(self._turn)

    def _hear_from_thread(self, message: Message) -> None:
        if loop := self._loop:
            with suppress(RuntimeError):  # the loop is over
                loop.call_soon_threadsafe(self._hear, message)

    def _broke_from_thread(self, bug: Exception) -> None:
        if loop := self._loop:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._on_bug, bug)

    def _turn(self) -> None:
        self._turn_planned = False
        inbox, self._inbox = tuple(self._inbox), []
        if self._events and any(isinstance(message, Hinted) for message in inbox):
            rest = (message for message in inbox if not isinstance(message, Hinted))
            inbox = (self._events.taken(), *rest)
        self._state, effects = decide(self._state, inbox, self._clock.monotonic())
        for effect in effects:
            self._perform(effect)

    def _perform(self, effect: Effect) -> None:
        match effect:
            case Scan():
                if self._scout:
                    self._scout.look(effect, self._target())
            case Stir():
                self._on_stir()
            case Settle(edit):
                if self._scout:
                    self._scout.mark()
                self._edit = asyncio.create_task(self._take(edit), name="edit")
            case WakeAt(at):
                self._wake_at(at - self._clock.monotonic())
            case Turned():
                self._on_turned(effect)
            case _:
                assert_never(effect)

    def _target(self) -> Target:
        listed = {Pattern(one.folder, one.pattern) for one in self._seen.listings}
        places = {one.place for one in listed}
        files = tuple(path for path in self._state.base if path not in places)
        return Target(files, tuple(listed), self._state.trigger, self._writers())

    def _wake_at(self, delay: float) -> None:
        if self._timer:
            self._timer.cancel()
        if self._loop:
            self._timer = self._loop.call_later(max(0.0, delay), self._hear, Woke())

    async def _take(self, edit: Edit) -> None:
        """Have one edit applied; a reading or an apply that breaks is a bug and ends nothing but this edit."""
        result = "failed"
        try:
            reason = self._left_alone(edit.digest)
            outcome = EditOutcome("left alone", reason) if reason else await self._on_settled(edit)
            self._remember(outcome, edit)
            result = outcome.result
        except Exception as bug:  # noqa: BLE001 - the outermost frame of this task
            self._on_bug(bug)
        finally:
            self._hear(EditEnded(result))

    def _remember(self, outcome: EditOutcome, edit: Edit | None) -> None:
        digest, files = (edit.digest, edit.files) if edit else ("", ())
        self._outcome = WatchOutcome(outcome.result, outcome.summary, self._clock.utc(), digest, files)

    def _moment(self, mono: float | None) -> datetime | None:
        if mono is None:
            return None
        return self._clock.utc() - timedelta(seconds=self._clock.monotonic() - mono)
