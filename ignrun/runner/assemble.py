"""Assembles the runner of one plant, the only place where concrete classes meet, and lets it run to its end."""

import asyncio
import getpass
import os
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final, Self

from ignrun import __version__
from ignrun.control.feed import EventFeed
from ignrun.control.wire import ApplyRequest
from ignrun.render.known import Known
from ignrun.render.outcome import OutcomeReport
from ignrun.runner import telemetry
from ignrun.runner.alarms import Alarms
from ignrun.runner.answers import Answers
from ignrun.runner.applies import Applies
from ignrun.runner.doors import door_of
from ignrun.runner.first import NOTHING_RUNS, First
from ignrun.runner.foreground import RunOptions
from ignrun.runner.ground import Ground
from ignrun.runner.loop import Loop
from ignrun.runner.notice import ServiceNotice
from ignrun.runner.observing import Observing
from ignrun.runner.perform import Performer
from ignrun.runner.requests import Requests
from ignrun.runner.secrets import SecretStore
from ignrun.runner.signals import ending_by_signal
from ignrun.runner.steering import Steering
from ignrun.runner.unsent import Unsent
from ignrun.runner.until import Until
from ignrun.runner.voices import Voices
from ignrun.runner.watching import Watching
from ignrun.runtime.apply.state import State
from ignrun.runtime.engines.command import CommandEngine
from ignrun.runtime.engines.fork import HostEngine
from ignrun.runtime.engines.places import make_run_folder, plant_token, remove_run_folder
from ignrun.runtime.engines.samples import sample
from ignrun.runtime.journal.code import CodeStore
from ignrun.runtime.journal.overlays import Overlays
from ignrun.runtime.journal.registry import register, unregister
from ignrun.runtime.journal.writer import Journal
from ignrun.runtime.observe.files import LogFiles
from ignrun.runtime.observe.history import History
from ignrun.runtime.observe.observer import Observer
from ignrun.runtime.observe.record import LogRecord
from ignrun.runtime.supervise.messages import ShutdownAsked
from ignrun.terms.clock import SystemClock
from ignrun.terms.events import Body, Event, Happening, LogsKept, LogsRefused, RunnerEnded, RunnerStarted
from ignrun.terms.failure import Failure, StateFolderFailure

_PATIENCE: Final = 5.0  # seconds that a thread waits for the loop

OnServing = Callable[[str], None]
"""Told the path of the control socket once the runner answers on it."""


async def run(
    ground: Ground, options: RunOptions, *, first: ApplyRequest | None = None, on_serving: OnServing | None = None
) -> int:
    """Run the plant on `ground` until it has gone down; with `first`, apply that to begin with. Gives the exit code."""
    async with AsyncExitStack() as stack:
        runner = Runner(ground, options)
        stack.enter_context(ending_by_signal(runner.ask_down))  # until the end: nothing may break off the clearing up
        await stack.enter_async_context(runner)
        beginning = First(runner.steering, runner.loop.hear, runner.told_of_first)
        if first:
            beginning.begin(first)
        await stack.enter_async_context(runner.door())
        if on_serving:
            on_serving(str(ground.socket))
        runner.code = runner.code_of_until(beginning.final_code(await runner.ended))
    return runner.code


class Runner:
    """The parts of one runner, put together: they know each other only through what they are handed here."""

    def __init__(self, ground: Ground, options: RunOptions) -> None:
        """Put the parts together in the running loop; the template of the hosts is started at once."""
        self._running = asyncio.get_running_loop()
        self.ended: asyncio.Future[int] = self._running.create_future()
        self.code = 0
        self._ground = ground
        self._clock = SystemClock()
        self._started = self._clock.utc()
        self._on_event = options.on_event
        self._on_outcome = options.on_outcome
        self._notice = ServiceNotice(os.environ)
        self._until = Until(options.until, self.ask_down) if options.until else None
        self._telemetry: telemetry.Telemetry | None = None
        self._secrets = SecretStore()
        self._unsent = Unsent()
        self._answers = Answers()
        self._keep()
        self.loop = Loop(first_state(self._journal), self._clock, self._broke)
        self._look_on(options.on_log)
        self._bring_up_engines()
        self._steer()
        self.loop.perform_by(self._performer())

    def _keep(self) -> None:
        """Open what remembers: log files, code, journal."""
        folder = self._ground.folder
        self._logs = LogFiles(folder.logs, on_trouble=lambda why: self._in_loop(lambda: self._tell_of_logs(why)))
        self._code = CodeStore(folder.code)
        self._overlays = Overlays(folder.config)
        self._journal = Journal(
            folder.journal, lambda events: self._in_loop(lambda: self._publish(events)), code=self._code
        )
        self._feed = EventFeed(self._journal.events_after, self._journal.last_event_seq)

    def _look_on(self, on_log: Callable[[LogRecord], None] | None) -> None:
        """Put those together who listen and never call."""
        self._voices = Voices(
            self._logs,
            self._secrets.mask,
            lambda: self.loop.state,
            on_log,
            witness=lambda record: self.observing.heard(record),  # noqa: PLW0108 - it is made below
        )
        self._history = History(self._ground.folder.path / "samples.sqlite")
        self.observing = Observing(
            observer=Observer(self._history),
            voices=self._voices,
            state=lambda: self.loop.state,
            sample=sample,
            tell=self.tell,
            alarms=Alarms(
                str(Path(self._ground.launch.manifest).parent),
                self._complain,
                lambda module: door_of(self.loop.state.roster, module),
            ),
            mask=self._secrets.mask,
            clock=self._clock,
            give=lambda host, epoch, order: self._hosts.give(host, epoch, order),  # noqa: PLW0108 - they are made below
        )

    def _bring_up_engines(self) -> None:
        ground, mask = self._ground, self._secrets.mask
        token = plant_token(ground.folder.path)
        with _usable(ground.run_time):
            self._run_dir = make_run_folder(ground.run_time, token)
        self._hosts = HostEngine(
            python=ground.launch.python,
            run_dir=self._run_dir,
            token=token,
            cwd=Path(ground.launch.manifest).parent,
            env=os.environ,
            hear=lambda message: self.loop.hear(self._unsent.added_to(message)),
            on_lines=self._voices.heard,
            on_metrics=self.observing.measured,
            on_asked=lambda host, epoch, asked: self._requests.heard(host, epoch, asked),  # noqa: PLW0108 - made below
            mask=mask,
        )
        self._hosts.start()
        self._commands = CommandEngine(
            python=ground.launch.python,
            run_dir=self._run_dir,
            token=token,
            guard=self._hosts,
            hear=self.loop.hear,
            on_lines=self._voices.heard,
            mask=mask,
        )

    def _steer(self) -> None:
        """Put together what clients and files ask for."""
        ground, secrets = self._ground, self._secrets
        applies = Applies(
            loop=self.loop,
            reader=ground.reader,
            secrets=secrets,
            code=self._code,
            overlays=self._overlays,
            answers=self._answers,
            describe=ground.inputs,
            journal=self._journal,
        )
        self._requests = Requests(
            state=lambda: self.loop.state, applies=applies, overlays=self._overlays, give=self._hosts.give
        )
        self._watching = Watching(
            loop=self.loop,
            applies=applies,
            reader=ground.reader,
            describe=ground.inputs,
            clock=self._clock,
            tell=self.tell,
            say=lambda level, text: self._voices.said(level, secrets.mask(text)),
            on_bug=self._tell_of_bug,
        )
        self.steering = Steering(
            loop=self.loop,
            applies=applies,
            answers=self._answers,
            secrets=secrets,
            feed=self._feed,
            runner=ground.facts(self._started),
            clock=self._clock,
            observing=self.observing,
            watching=self._watching,
            note=lambda: self._journal.note,
        )

    def _performer(self) -> Performer:
        return Performer(
            hosts=self._hosts,
            commands=self._commands,
            journal=self._journal,
            secrets=self._secrets,
            code=self._code,
            overlays=self._overlays,
            unsent=self._unsent,
            author=_author(),
            hear=self.loop.hear,
            hear_from_thread=lambda message: self._in_loop(lambda: self.loop.hear(message)),
            answer=self._answers.answer,
            end=self._end,
            call_in_loop=self._in_loop,
        )

    def _in_loop(self, call: Callable[[], None]) -> None:
        """Have `call` called in the loop, from any thread; when the loop is over, nobody needs it any more."""
        with suppress(RuntimeError):
            self._running.call_soon_threadsafe(call)

    async def __aenter__(self) -> Self:
        """Say that the runner is here."""
        try:
            with _usable(self._ground.folder.path):
                register(self._ground.record(self._started), self._ground.run_time)
        except StateFolderFailure:
            await self._let_go()
            raise
        self.tell("", RunnerStarted(os.getpid(), __version__))
        self.observing.start()
        self._telemetry = telemetry.started(self._ask_known(), os.environ, self._complain)
        return self

    def _ask_known(self) -> Callable[[], Known]:
        """Give a way to collect, from another thread, what metrics are made of."""

        async def known() -> Known:
            return self.steering.known()

        return lambda: asyncio.run_coroutine_threadsafe(known(), self._running).result(_PATIENCE)

    def _complain(self, text: str) -> None:
        """Have the runner's log say, from whichever thread, that somebody outside could not be told something."""
        self._in_loop(lambda: self._voices.said("warning", self._secrets.mask(text)))

    async def __aexit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Let go of everything, the journal last; the last that it keeps is that the runner ended."""
        code = self.code if error is None else _code_of(error)
        await self._let_go(RunnerEnded(code))

    async def _let_go(self, last_word: RunnerEnded | None = None) -> None:
        try:
            await self._watching.close()
            await self._requests.close()
            await self._commands.close()
            await self._hosts.close()
        finally:
            if self._telemetry:
                await asyncio.to_thread(self._telemetry.close)
            await self.observing.close()
            self._history.close()
            self._logs.close()
            if last_word:
                self.tell("", last_word)
            self._journal.close()
            remove_run_folder(self._run_dir)
            unregister(self._ground.record(self._started), self._ground.run_time)

    @asynccontextmanager
    async def door(self) -> AsyncIterator[None]:
        """Answer clients on the control socket for as long as the block runs."""
        from ignrun.control.server import ControlServer

        server = await ControlServer.open(self._ground.socket, self.steering)
        if self._ground.loopback:
            server.listen(self._ground.loopback)
        try:
            yield
        finally:
            await server.close()

    def told_of_first(self, outcome: OutcomeReport) -> None:
        """Hand the outcome of the first apply on, to whoever started this runner and to the service manager."""
        if outcome.result not in NOTHING_RUNS:
            self._notice.ready(outcome.summary)
        if self._on_outcome:
            self._on_outcome(outcome)

    def code_of_until(self, code: int) -> int:
        """Give the exit code of the module that this runner lived for, else `code`."""
        done = self._until.code if self._until else None
        return code if done is None else done

    def ask_down(self, by: str, code: int) -> None:
        """Have the plant go down and the runner end with `code`."""
        self._notice.stopping()
        self.loop.hear(ShutdownAsked(by, code))

    def tell(self, subject: str, body: Body) -> None:
        """Have the journal keep something that happened beside the turns of the loop: to the runner itself (no subject), or seen of an instance."""
        state = self.loop.state
        self._journal.submit_events(
            (Happening(subject, body),), self._clock.utc(), self._clock.monotonic(), state.generation
        )

    def _tell_of_logs(self, refusal: str) -> None:
        self.tell("", LogsRefused(refusal) if refusal else LogsKept(self._logs.lost))

    def _end(self, code: int) -> None:
        if not self.ended.done():
            self.ended.set_result(code)

    def _broke(self, bug: Exception) -> None:
        """End with a bug: better no runner than one that has lost count of its plant."""
        if not self.ended.done():
            self.ended.set_exception(bug)

    def _tell_of_bug(self, bug: Exception) -> None:
        """Say that an edit was lost to a bug: what runs goes on, and does not need who watches the files."""
        where = "".join(traceback.format_exception(bug))
        self._voices.said(
            "error", self._secrets.mask(f"a bug in the watcher; the edit is not applied: {bug!r}\n{where}")
        )

    def _publish(self, events: tuple[Event, ...]) -> None:
        self._feed.publish(events)
        self._voices.happened(events)
        if self._until:
            self._until.happened(events)
        if self._on_event:
            for event in events:
                self._on_event(event)


@contextmanager
def _usable(folder: Path) -> Iterator[None]:
    """Turn what the system refuses in this folder into a failure that says so."""
    try:
        yield
    except OSError as error:
        raise StateFolderFailure(folder, error.strerror or str(error)) from error


def _code_of(error: BaseException) -> int:
    """Say with which code a command ends that this broke off; the command line's enum holds the same numbers."""
    match error:
        case Failure():
            return 1
        case asyncio.CancelledError() | KeyboardInterrupt():
            return 130
        case _:
            return 70


def first_state(journal: Journal) -> State:
    """Give what a runner begins with: the numbers that were given, and what operators hold stopped."""
    return State(
        last_generation=journal.last_generation(),
        last_transaction=journal.last_transaction(),
        holds=journal.holds(),
    )


def _author() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"uid {os.getuid()}"
