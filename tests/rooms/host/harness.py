"""Stands in for a runner: drives a real host, in a thread, over a socketpair, with real frames."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ignrun.host.serve import Host
from ignrun.protocol.frames import Unframer, frame
from ignrun.protocol.orders import Assignment, Binding, Folders, HostOrder, Item, Load, Quit, Start, Stop, Timeouts
from ignrun.protocol.reports import Exported, HealthReport, Hello, HostReport, Loaded, Move, Moves, Unfinished
from ignrun.terms.metadata import ModuleMetadata
from ignrun.terms.names import split_address
from ignrun.terms.states import Condition, ModuleState

PATIENCE = 10.0


def assignment(
    address: str, entry: str, folder: Path, *, config: Any = None, timeouts: Timeouts | None = None, **more: Any
) -> Assignment:
    module, scope = split_address(address)
    root = folder / "state"
    return Assignment(
        address=address,
        module=module,
        scope=scope,
        entry=entry,
        path=(str(folder),),
        metadata=ModuleMetadata(module, module.title()),
        config={} if config is None else config,
        pending=more.pop("pending", ()),
        secrets=more.pop("secrets", ()),
        bindings=more.pop("bindings", ()),
        folders=Folders(*(str(root / kind / address) for kind in ("data", "config", "log", "temp", "module"))),
        timeouts=timeouts or Timeouts(),
        plant="test",
        **more,
    )


def needs(provider: str, slot: str = "", **more: Any) -> Binding:
    more.setdefault("condition", Condition.HEALTHY)
    more.setdefault("local", True)
    return Binding(slot=slot or provider.split("@", maxsplit=1)[0], provider=provider, **more)


class FakeRunner:
    """The runner's end of one host's socket."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.reports: list[HostReport] = []
        self._unframer: Unframer[HostReport] = Unframer(HostReport)
        sock.settimeout(PATIENCE)

    def tell(self, *orders: HostOrder) -> None:
        self.sock.sendall(b"".join(frame(order) for order in orders))

    def load(self, *assignments: Assignment) -> Loaded:
        before = len(self.said(Loaded))
        self.tell(Load(assignments))
        self.until(lambda: len(self.said(Loaded)) > before)
        loaded: Loaded = self.said(Loaded)[-1]
        return loaded

    def start(self, *addresses: str, epoch: int = 1, cleared: tuple[str, ...] | None = None) -> None:
        self.tell(Start(tuple(Item(one, epoch) for one in addresses), addresses if cleared is None else cleared))

    def stop(self, *addresses: str, epoch: int = 1, cleared: tuple[str, ...] | None = None) -> None:
        self.tell(Stop(tuple(Item(one, epoch) for one in addresses), addresses if cleared is None else cleared))

    def until(self, holds: Callable[[], Any], patience: float = PATIENCE) -> Any:
        """Read reports until something holds."""
        end = time.monotonic() + patience
        while not (found := holds()):
            self.sock.settimeout(max(0.01, end - time.monotonic()))
            try:
                data = self.sock.recv(1 << 16)
            except TimeoutError:
                data = b""
            assert data, f"it never held; reports: {self.reports[-12:]}"
            self.reports += self._unframer.feed(data)
        return found

    def said(self, kind: type[Any]) -> list[Any]:
        return [one for one in self.reports if isinstance(one, kind)]

    @property
    def moves(self) -> list[Move]:
        return [move for batch in self.said(Moves) for move in batch.moves]

    def moves_of(self, address: str, epoch: int = 1) -> list[Move]:
        return [move for move in self.moves if move.address == address and move.epoch == epoch]

    def path_of(self, address: str, epoch: int = 1) -> list[str]:
        return [move.new.value for move in self.moves_of(address, epoch)]

    def state(self, address: str) -> ModuleState:
        found = [move.new for move in self.moves if move.address == address]
        return found[-1] if found else ModuleState.UNINITIALIZED

    def until_state(self, address: str, state: str, epoch: int = 1) -> Move:
        def last() -> Move | None:
            moves = self.moves_of(address, epoch)
            return moves[-1] if moves and moves[-1].new.value == state else None

        found: Move = self.until(last)
        return found

    def health_of(self, address: str) -> list[HealthReport]:
        return [one for one in self.said(HealthReport) if one.address == address]

    def unfinished(self, address: str) -> list[Unfinished]:
        return [one for one in self.said(Unfinished) if one.address == address]

    def exported(self, address: str) -> list[Exported]:
        return [one for one in self.said(Exported) if one.address == address]

    @property
    def hello(self) -> Hello:
        self.until(lambda: self.said(Hello))
        hello: Hello = self.said(Hello)[0]
        return hello


class HostInThread:
    """A host whose loop runs in a thread of the test process."""

    def __init__(self, run_dir: Path) -> None:
        mine, its = socket.socketpair()
        self.runner = FakeRunner(mine)
        self.code: int | None = None
        self._thread = threading.Thread(target=self._serve, args=(its, str(run_dir)), daemon=True)
        self._thread.start()

    def _serve(self, sock: socket.socket, run_dir: str) -> None:
        loop = asyncio.new_event_loop()
        self.code = loop.run_until_complete(Host(sock, "gateway", run_dir).serve())
        if left := asyncio.all_tasks(loop):
            loop.run_until_complete(asyncio.wait(left, timeout=3))
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    def end(self, grace: float = 2.0) -> None:
        with contextlib.suppress(OSError):
            self.runner.tell(Quit(grace))
        self._thread.join(PATIENCE)
        self.runner.sock.close()
        assert not self._thread.is_alive()


@contextlib.contextmanager
def host_in_thread(run_dir: Path) -> Iterator[FakeRunner]:
    run_dir.mkdir(exist_ok=True)
    host = HostInThread(run_dir)
    try:
        yield host.runner
    finally:
        host.end()
