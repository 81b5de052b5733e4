"""Drives one module through its states without a runner, as a host would: the same code calls it."""

import asyncio
import shutil
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from ignrun.host.callbacks import THREADS, Abandoned, whose
from ignrun.host.config import settle as settle_config
from ignrun.host.deadlines import Deadlines
from ignrun.host.faults import Faulted
from ignrun.host.incarnation import Incarnation
from ignrun.host.ledger import POOLS, Ledger
from ignrun.host.masking import Masker
from ignrun.host.provided import Streams, call_provided, open_provided
from ignrun.host.revising import Reviser
from ignrun.host.wanted import Wanted
from ignrun.protocol.orders import Assignment, Folders, Revision, Timeouts
from ignrun.protocol.reports import Move, Prepared, Revised
from ignrun.sdk.health import HealthResult
from ignrun.sdk.lifecycle import LifecycleRecord, ModuleLifecycleManager
from ignrun.sdk.module import module_class
from ignrun.sdk.peer import Peer
from ignrun.sdk.raised import Refused
from ignrun.terms.events import Event
from ignrun.terms.fault import Fault
from ignrun.terms.metadata import ModuleMetadata
from ignrun.terms.metric import Metric
from ignrun.terms.names import ModuleScope, address_of
from ignrun.terms.states import RESTING, ModuleState
from ignrun.testing.carried import arguments, returned, yielded
from ignrun.testing.changes import changed_paths, with_value
from ignrun.testing.clock import FakeClock
from ignrun.testing.peer import FakePeer

Bound = FakePeer | Iterable[FakePeer]


class ModuleFailed(Exception):  # noqa: N818 - says what happened to the module
    """The module went into error; `fault` says why, with the traceback in `fault.detail`."""

    def __init__(self, fault: Fault) -> None:
        """Keep the fault."""
        super().__init__(f"{fault.summary}\n{fault.detail}".rstrip())
        self.fault = fault


class Driver:
    """One module under test, as `drive` hands it to a test.

    `module` is the object itself, `clock` the FakeClock behind `self.clock`, `health` the last answer of its checks.
    """

    def __init__(self, assignment: Assignment, entry: object, peers: Mapping[str, Bound], clock: FakeClock) -> None:
        """Be made by `drive`."""
        self.clock = clock
        self.masker = Masker()
        self.pool = ThreadPoolExecutor(THREADS, "callback")
        self.deadlines = Deadlines()
        self.left_behind: tuple[str, ...] = ()
        self.fault: Fault | None = None
        self._ledger = Ledger()
        self._threads = frozenset(threading.enumerate())
        self._streams = Streams()
        self._peers = peers
        self._assignment = assignment
        self._kind = module_class(entry, getattr(entry, "__name__", "entry"))
        self._record = LifecycleRecord(assignment.address)
        self._incarnation = self._fresh(1)
        self._answer: asyncio.Future[Prepared | Revised] | None = None
        self._ending: asyncio.Task[None] | None = None

    # --- what a test does ---------------------------------------------------------------------------------------------

    async def initialize(self) -> None:
        """Make the object and initialise it, a fresh one after a stop; raises ModuleFailed."""
        if self._record.moves:
            self._incarnation = self._fresh(self._incarnation.epoch + 1)
        self._bind()
        await self._guarded(self._incarnation.prepare(self._settle))

    async def start(self) -> None:
        """Bring it to running, and wait for its first health check; raises ModuleFailed."""
        if self.state in RESTING:
            await self.initialize()
        await self._guarded(self._incarnation.start())
        await self.until(lambda: self.health.health.value != "unknown" or self.state is not ModuleState.RUNNING)

    async def check_health(self) -> HealthResult:
        """Ask all its checks now, and give the worst answer."""
        checks = self._incarnation.checks
        if checks is None:
            message = "health is asked of a module that has been started"
            raise RuntimeError(message)
        await self._within(checks.ask())
        return self.health

    async def prepare_reconfigure(self, config: Mapping[str, Any]) -> None:
        """Ask it whether it would accept this config; nothing changes. Raises ModuleFailed when it would not."""
        await self._revised(self._reviser.prepare, self._revision(config))

    async def reconfigure(self, config: Mapping[str, Any]) -> None:
        """Change its config as an apply does: it is asked, then told. Raises ModuleFailed; after a failed `reconfigure` it is in error."""
        revision = self._revision(config)
        await self._revised(self._reviser.prepare, revision)
        await self._revised(self._reviser.revise, revision)

    async def rebind(self, slot: str, peer: Bound | None) -> None:
        """Bind a slot anew, or to nothing, and tell it by `rebind`; raises ModuleFailed, and it is in error then."""
        self._peers = {**self._peers, slot: peer} if peer is not None else _without(self._peers, slot)
        self._bind_peers()
        await self._revised(self._reviser.revise, replace(self._revision(self._assignment.config), slots=(slot,)))

    async def stop(self) -> None:
        """Stop it from wherever it is; raises ModuleFailed when its shutdown fails."""
        if self._ending is not None:
            await self._ending
        before = self.fault
        await self._within(self._incarnation.stop("stop ordered"))
        if self.fault is not None and self.fault is not before:
            raise ModuleFailed(self.fault)

    async def completed(self) -> None:
        """Wait until its main loop has returned and it has stopped; raises ModuleFailed when the main loop raised."""
        await self.until(lambda: self._ending is not None)
        assert self._ending is not None
        await self._ending
        if self.fault is not None:
            raise ModuleFailed(self.fault)

    async def until(self, holds: Callable[[], object], seconds: float = 5.0) -> None:
        """Let the module work until something holds; raises TimeoutError after so many real seconds."""
        async with asyncio.timeout(seconds):
            while not holds():  # noqa: ASYNC110 - what holds is the test's own business
                await asyncio.sleep(0.001)

    async def call(self, method: str, /, *args: Any, **kwargs: Any) -> Any:
        """Call a `@provides` method as a dependent in another host would; raises CallFailed."""
        wanted = Wanted(self._incarnation.address, method, *arguments(args, kwargs))
        return returned(method, await call_provided(self._incarnation, wanted))

    async def take(self, count: int, method: str, /, *args: Any, **kwargs: Any) -> list[Any]:
        """Read so many values of a `@provides` stream as a dependent in another host would; fewer when it ends. Raises CallFailed."""
        wanted = Wanted(self._incarnation.address, method, *arguments(args, kwargs))
        feed, pump = open_provided(self._incarnation, wanted, 256, "block")
        self._streams.add(self._incarnation, pump)
        values: list[Any] = []
        try:
            while len(values) < count and (more := await feed.take(count - len(values))):
                values += [yielded(method, one) for one in more]
        finally:
            feed.close()
            pump.cancel()
        return values

    # --- what a test looks at -----------------------------------------------------------------------------------------

    @property
    def module(self) -> Any:
        """The object under test; raises RuntimeError before `initialize`."""
        if self._incarnation.module is None:
            message = "there is no object before `initialize`"
            raise RuntimeError(message)
        return self._incarnation.module

    @property
    def state(self) -> ModuleState:
        """Where it is."""
        return self._record.state

    @property
    def health(self) -> HealthResult:
        """The last answer of its checks."""
        return self._incarnation.health

    @property
    def exports(self) -> Mapping[str, Any]:
        """What it exports."""
        return self._incarnation.exports

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """Its metrics by name, as they stand; one with labels is called `rows{kind=tag}`."""
        return {_named(one): one for one in self._incarnation.metrics.readings()}

    @property
    def events(self) -> tuple[Event, ...]:
        """Every move so far."""
        return ModuleLifecycleManager(self._incarnation).events

    @property
    def path(self) -> tuple[str, ...]:
        """The names of the states that it has moved to, in order."""
        return tuple(move.new.value for move in self._record.moves)

    # --- the stage ----------------------------------------------------------------------------------------------------

    def moved(self, incarnation: Incarnation, move: Move) -> None:
        """Keep the fault of a move."""
        if move.fault is not None:
            self.fault = move.fault
        if move.new not in {ModuleState.RUNNING, ModuleState.MAINTENANCE}:
            self._streams.end_of(incarnation)

    def checked(self, incarnation: Incarnation, result: HealthResult) -> None:
        """Hear of a check; the incarnation keeps it."""

    def exported(self, incarnation: Incarnation) -> None:
        """Hear of exports; the incarnation keeps them."""

    def unfinished(self, incarnation: Incarnation, names: tuple[str, ...]) -> None:  # noqa: ARG002 - the stage's contract
        """Keep what was left behind."""
        self.left_behind = names

    def run_ended(self, incarnation: Incarnation, fault: Fault | None) -> None:
        """Stop or clean up after the main loop, as a host does."""
        if fault is not None:
            incarnation.fail(fault)
        work = incarnation.clean() if fault is not None else incarnation.stop("completed")
        self._ending = asyncio.Task(work, loop=asyncio.get_running_loop())

    def measures(self, incarnation: Incarnation) -> None:
        """Hear of metrics; the incarnation keeps them."""

    async def request(self, incarnation: Incarnation, path: str, value: Any) -> None:  # noqa: ARG002 - the stage's contract
        """Change its config as an apply does, at once; raises Refused where it refuses."""
        try:
            await self.reconfigure(with_value(self._assignment.config, path, value))
        except ModuleFailed as failed:
            raise Refused(failed.fault.summary) from failed

    def exports_of(self, address: str) -> Mapping[str, Any]:
        """Give what a fake peer exports."""
        peers = [peer for bound in self._peers.values() for peer in _each(bound)]
        return next((peer.exports for peer in peers if peer.address == address), {})

    def reassigned(self, incarnation: Incarnation, assignment: Assignment) -> None:
        """Keep the new config for the next incarnation, too."""
        self._assignment = incarnation.assignment = assignment

    def answered(self, incarnation: Incarnation, answer: Prepared | Revised) -> None:
        """Keep the answer; fail an incarnation of which nobody knows what is in effect."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)
        if isinstance(answer, Revised) and answer.fault is not None and incarnation.state not in RESTING:
            incarnation.fail(answer.fault)
            self._ending = asyncio.Task(incarnation.clean(), loop=asyncio.get_running_loop())

    def gave_up(self, incarnation: Incarnation, fault: Fault) -> None:
        """Fail an incarnation whose callback does not end."""
        incarnation.fail(fault)

    def peers(self, incarnation: Incarnation, slot: str) -> Peer | tuple[Peer, ...]:  # noqa: ARG002 - the stage's contract
        """Give the fake peers of a slot."""
        if slot not in self._peers:
            message = f"no fake peer is bound to slot `{slot}`: `drive(..., peers={{{slot!r}: FakePeer(...)}})`"
            raise LookupError(message)
        bound = self._peers[slot]
        return bound if isinstance(bound, FakePeer) else tuple(bound)

    def tasks_of(self, address: str) -> "list[asyncio.Task[Any]]":
        """Give the tasks that the module has made."""
        return self._ledger.tasks_of(address)

    def threads_of(self, address: str) -> list[threading.Thread]:  # noqa: ARG002 - the stage's contract
        """Give the threads that came up since the test began and still run."""
        return [one for one in threading.enumerate() if one not in self._threads and not one.name.startswith(POOLS)]

    # --- inside -------------------------------------------------------------------------------------------------------

    def _fresh(self, epoch: int) -> Incarnation:
        return Incarnation(self, self._assignment, self._kind, epoch, self._record)

    def _bind(self) -> None:
        asyncio.get_running_loop().set_task_factory(self._ledger)
        self.fault, self.left_behind, self._ending = None, (), None
        self._bind_peers()

    def _bind_peers(self) -> None:
        for slot, bound in self._peers.items():
            for peer in _each(bound):
                peer.bind(slot)

    def _settle(self) -> Any:
        return settle_config(self._assignment, self.exports_of, self.masker)

    @property
    def _reviser(self) -> Reviser:
        if self._incarnation.reviser is None:
            self._incarnation.reviser = Reviser(self._incarnation)
        return self._incarnation.reviser

    def _revision(self, config: Mapping[str, Any]) -> Revision:
        now = self._assignment
        paths = tuple(changed_paths(now.config, dict(config)))
        return Revision(
            now.address, self._incarnation.epoch, 1, dict(config), now.pending, now.secrets, now.bindings, paths
        )

    async def _revised(self, begin: Callable[[Revision], None], revision: Revision) -> None:
        """Have a revision begun, wait for its answer, and raise ModuleFailed when that is a fault."""
        self._answer = asyncio.get_running_loop().create_future()
        begin(revision)
        answer = await self._answer
        if answer.fault is not None:
            if self._ending is not None:
                await self._ending
            raise ModuleFailed(answer.fault)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await self._within(work)
        except Faulted as faulted:
            self._incarnation.fail(faulted.fault)
            await self._within(self._incarnation.clean())
            raise ModuleFailed(faulted.fault) from faulted.__cause__
        except Abandoned:
            assert self.fault is not None
            raise ModuleFailed(self.fault) from None

    async def _within(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Await work of the module in its own context."""
        token = whose.set(self._incarnation.address)
        try:
            return await work
        finally:
            whose.reset(token)


def _each(bound: Bound) -> tuple[FakePeer, ...]:
    return (bound,) if isinstance(bound, FakePeer) else tuple(bound)


def _named(metric: Metric) -> str:
    labels = ",".join(f"{name}={value}" for name, value in metric.labels)
    return f"{metric.name}{{{labels}}}" if labels else metric.name


def _without(peers: Mapping[str, Bound], slot: str) -> dict[str, Bound]:
    return {name: bound for name, bound in peers.items() if name != slot}


class _Drive:
    """Makes the driver when the test enters, and removes its folder when it leaves."""

    def __init__(self, make: Callable[[Path], Driver], folder: Path | None) -> None:
        self._make = make
        self._folder = folder
        self._own: str = ""
        self._driver: Driver | None = None

    async def __aenter__(self) -> Driver:
        if self._folder is None:
            self._own = tempfile.mkdtemp(prefix="ignrun-")
        self._driver = self._make(self._folder or Path(self._own))
        return self._driver

    async def __aexit__(self, *told: object) -> None:
        assert self._driver is not None
        try:
            if self._driver.state not in RESTING:
                await self._driver.stop()
        finally:
            asyncio.get_running_loop().set_task_factory(None)
            self._driver.pool.shutdown(wait=False)
            if self._own:
                shutil.rmtree(self._own, ignore_errors=True)


class _Started(_Drive):
    async def __aenter__(self) -> Driver:
        driver = await super().__aenter__()
        started = False
        try:
            await driver.start()
            started = True
        finally:
            if not started:
                await self.__aexit__()
        return driver


def drive(
    entry: object,
    *,
    config: Mapping[str, Any] | None = None,
    peers: Mapping[str, Bound] | None = None,
    secrets: Iterable[str] = (),
    scope: ModuleScope = ModuleScope.GATEWAY,
    metadata: ModuleMetadata | None = None,
    timeouts: Timeouts | None = None,
    folder: Path | None = None,
    mode: str = "test",
    start: bool = True,
    clock: FakeClock | None = None,
) -> _Drive:
    """Run one module, a class or an async function, for a test; to be entered with `async with`.

    `config` is what the manifest would resolve to, durations and sizes as written or as numbers; `secrets` names its
    dotted paths that arrive as Secret. `peers` binds slots to FakePeers, several of them for a `many` slot. `folder` is
    where the module's folders lie, a temporary one without it. With `start=False` the test calls `initialize` and
    `start` itself. Entering raises ModuleFailed when the module fails; leaving stops it.
    """
    name = getattr(entry, "__name__", "module").lower().replace("_", "-")
    module = (metadata.id.rpartition(".")[2] if metadata is not None else name) or name

    def make(root: Path) -> Driver:
        assignment = Assignment(
            address=address_of(module, scope),
            module=module,
            scope=scope,
            entry=name,
            path=(),
            metadata=metadata or ModuleMetadata(module, module),
            config=dict(config or {}),
            pending=(),
            secrets=tuple(tuple(path.split(".")) for path in secrets),
            bindings=(),
            folders=Folders(*(str(root / kind) for kind in ("data", "config", "log", "temp", "module"))),
            timeouts=timeouts or Timeouts(health_interval=0.0),
            plant="test",
            mode=mode,
        )
        return Driver(assignment, entry, peers or {}, clock or FakeClock())

    return (_Started if start else _Drive)(make, folder)
