"""Owns Watching, the watcher of one runner: it begins when an apply asks for it, and applies as that apply did."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from msgspec.structs import replace

from ignrun.control.wire import ApplyOptions, ApplyRequest
from ignrun.manifest.inputs import Inputs
from ignrun.manifest.model import WatchPolicy
from ignrun.manifest.seen import Seen
from ignrun.planner.proposal import Reading
from ignrun.planner.reader import ResidentReader
from ignrun.render.diagnostics import DiagnosticReport, diagnostics_text
from ignrun.render.outcome import OutcomeReport
from ignrun.runner.applies import Applies, Describe, base_of
from ignrun.runner.loop import Loop
from ignrun.runtime.apply.state import Phase, State
from ignrun.runtime.supervise.roster import Roster
from ignrun.runtime.watch.look import is_as_seen
from ignrun.runtime.watch.model import Edit, Turned
from ignrun.runtime.watch.picture import differing, picture_of
from ignrun.runtime.watch.status import OFF, WatchStatus
from ignrun.runtime.watch.watcher import EditOutcome, Watcher
from ignrun.terms.clock import Clock
from ignrun.terms.events import Body, EditRefused, EditSettled, WatchTurned
from ignrun.terms.failure import Failure
from ignrun.terms.verdict import Accepted

Tell = Callable[[str, Body], None]
Say = Callable[[str, str], None]


class Watching:
    """Follows every reading of the runner; watches once `--watch` or the manifest's `watch:` asked for it."""

    def __init__(
        self,
        *,
        loop: Loop,
        applies: Applies,
        reader: ResidentReader,
        describe: Describe,
        clock: Clock,
        tell: Tell,
        say: Say,
        on_bug: Callable[[Exception], None],
    ) -> None:
        """Take the parts of the runner that a watcher goes through; `say` writes a line of the runner's own log."""
        self._loop = loop
        self._applies = applies
        self._reader = reader
        self._describe = describe
        self._clock = clock
        self._tell = tell
        self._say = say
        self._on_bug = on_bug
        self._asked = ApplyOptions()
        self._request: ApplyRequest | None = None
        self._policy = WatchPolicy()
        self._watcher: Watcher | None = None
        self._edit: Edit | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        reader.on_reading = self._heard
        reader.is_current = self._is_current
        reader.still_holds = _is_as_seen

    def asked(self, request: ApplyRequest) -> None:
        """Remember how the plant was asked for: later edits are applied in the same way. What was said once about watching stays said."""
        options = request.options
        watch, code = options.watch or self._asked.watch, options.code or self._asked.code
        self._asked = replace(options, watch=watch, code=code, retry=False, no_start=False, lock_timeout=None)
        self._request = replace(request, options=self._asked, by="watch")

    def status(self) -> WatchStatus:
        """Say how the watcher does; `off` where nobody has asked for one."""
        return self._watcher.status() if self._watcher else OFF

    def pause(self, by: str) -> str:
        """Hold every edit back; the text is a refusal, empty when it is so."""
        if self._watcher is None:
            return _NOT_WATCHED
        self._watcher.pause(by)
        return ""

    def resume(self, by: str) -> str:
        """Let edits through again; the text is a refusal, empty when it is so."""
        if self._watcher is None:
            return _NOT_WATCHED
        self._watcher.resume(by)
        return ""

    async def close(self) -> None:
        """Watch no longer."""
        for task in self._tasks:
            task.cancel()
        if self._watcher:
            await self._watcher.stop()
            self._watcher = None

    # --- whether and how ----------------------------------------------------------------------------------------------

    def _heard(self, _: Inputs, reading: Reading) -> None:
        """Go by a reading for an apply: by what it saw, and by what its manifest says of watching."""
        if isinstance(reading.verdict, Accepted):
            self._go_by(reading.verdict.value.graph.rules.watch, reading.seen)
        elif self._watcher:
            self._watcher.follow(reading.seen)
        else:
            self._keep(self._go_by_what_is_kept(reading.seen))

    async def _go_by_what_is_kept(self, seen: Seen) -> None:
        """Watch the files of a plant that runs what was kept, because they were refused: its author is at work on them."""
        await self._loop.until(lambda state: bool(state.generation))
        if self._watcher is None:
            self._go_by(self._loop.state.graph.rules.watch, seen)

    def _go_by(self, written: WatchPolicy | None, seen: Seen) -> None:
        if written is None and not self._asked.watch:
            self._turn_off()
            return
        policy = written or WatchPolicy()
        self._policy = replace(policy, code=policy.code or self._asked.code)
        if self._watcher:
            self._watcher.change(self._policy)
            self._watcher.follow(seen)
        elif seen.files:
            self._watcher = self._made(seen)
            self._watcher.start()

    def _turn_off(self) -> None:
        """End a watcher that neither the manifest nor anybody else asks for any more."""
        if self._watcher:
            self._keep(self._watcher.stop())
            self._watcher = None
            self._tell("", WatchTurned("off", "the manifest has no `watch` any more"))

    def _keep(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _made(self, seen: Seen) -> Watcher:
        return Watcher(
            seen=seen,
            policy=self._policy,
            on_settled=self._settled,
            on_stir=self._stirred,
            on_turned=self._turned,
            writers=lambda: writers_of(self._loop.state.roster),
            clock=self._clock,
            on_bug=self._on_bug,
        )

    # --- what settles -------------------------------------------------------------------------------------------------

    def _stirred(self) -> None:
        """Read while the edit settles."""
        if self._request:
            self._reader.prepare(self._describe(self._request, for_apply=True), base_of(self._loop.state))

    def _is_current(self, seen: Seen) -> bool:
        """Tell whether a reading saw what has settled since."""
        edit = self._edit
        return edit is not None and not differing(picture_of(seen, code=self._policy.code), edit.picture)

    def _turned(self, turned: Turned) -> None:
        self._tell("", WatchTurned(turned.state, turned.reason))

    async def _settled(self, edit: Edit) -> EditOutcome:
        """Apply an edit; returns when a later one may begin: at the outcome, or when the change has begun to soak."""
        if self._request is None or self._loop.state.ending is not None:
            return EditOutcome("left alone", "the plant is going down")
        self._tell("", EditSettled(edit.digest, edit.files))
        self._edit = edit
        before = self._loop.state.last_transaction
        apply = asyncio.create_task(self._applies.apply(self._request, "watch"), name="apply of an edit")
        soaks = asyncio.create_task(self._loop.until(_soaks_since(before)))
        await asyncio.wait({apply, soaks}, return_when=asyncio.FIRST_COMPLETED)
        soaks.cancel()
        if apply.done():
            return self._outcome(edit, apply)
        self._tasks.add(apply)
        apply.add_done_callback(lambda done: self._ended_later(edit, done))
        return EditOutcome("soaking", "the change is in effect and has yet to prove itself")

    def _ended_later(self, edit: Edit, apply: "asyncio.Task[OutcomeReport]") -> None:
        self._tasks.discard(apply)
        if self._watcher and not apply.cancelled():
            self._watcher.note(self._outcome(edit, apply), edit)

    def _outcome(self, edit: Edit, apply: "asyncio.Task[OutcomeReport]") -> EditOutcome:
        try:
            report = apply.result()
        except Failure as failure:
            self._tell("", EditRefused(edit.digest, failure.summary))
            return EditOutcome("failed", failure.summary)
        if report.transaction == 0 and report.diagnostics and report.result == "rejected":
            return self._refused(edit, report)
        return EditOutcome(report.result, report.summary)

    def _refused(self, edit: Edit, report: OutcomeReport) -> EditOutcome:
        """Show once what is wrong with a set that is not valid; what runs goes on."""
        reason = _first_of(report.diagnostics)
        self._tell("", EditRefused(edit.digest, reason))
        self._say("warning", diagnostics_text(report.diagnostics).rstrip("\n"))
        return EditOutcome("invalid", reason)


_NOT_WATCHED = "nobody watches the files of this plant"


async def _is_as_seen(seen: Seen) -> bool:
    """Look at the disk in a thread: it may be slow."""
    return await asyncio.to_thread(is_as_seen, seen)


def _soaks_since(transaction: int) -> Callable[[State], bool]:
    def soaks(state: State) -> bool:
        under_way = state.transaction
        return under_way is not None and under_way.number > transaction and under_way.phase is Phase.SOAKING

    return soaks


def _first_of(diagnostics: tuple[DiagnosticReport, ...]) -> str:
    """Say the first mistake in one line, with its place, and how many more there are."""
    errors = [one for one in diagnostics if one.severity == "error"] or list(diagnostics)
    first = errors[0]
    place = f"{first.place.file}:{first.place.line}:{first.place.column}" if first.place.line else first.place.file
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{place}: {first.code} {first.summary}{more}"


def writers_of(roster: Roster) -> dict[int, str]:
    """Name the processes of a plant by pid: a host by those who live in it, a command by its address."""
    hosts = {one.pid: ", ".join(sorted(one.loaded)) or one.host for one in roster.hosts.values() if one.pid is not None}
    commands = {one.pid: str(one.spec.address) for one in roster.instances.values() if one.pid is not None}
    return hosts | commands
