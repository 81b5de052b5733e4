"""Owns ScriptedEngines, the processes of a plant without any process: it takes what the engines of a runner take."""

import random
from collections import deque
from collections.abc import Callable
from typing import Any

from ignrun.manifest.model import Limits
from ignrun.protocol.orders import HostOrder
from ignrun.protocol.reports import HostReport, Moves
from ignrun.runtime.engines.launch import CommandLaunch
from ignrun.runtime.supervise.messages import (
    CommandEnded,
    CommandFailed,
    CommandReady,
    CommandReloaded,
    CommandStarted,
    HostEnded,
    HostLaunched,
    HostSaid,
    Message,
    Probed,
)
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.names import Address, HostId
from tests.doubles.scripted_host import ScriptedHost
from tests.doubles.scripts import FAULTS, Scripts


class ScriptedEngines:
    """Stands for `HostEngine` and `CommandEngine`: what they would be told to do is done to scripted hosts and commands.

    What comes of it goes into `lanes`, in order for each sender.
    """

    def __init__(self, scripts: Scripts, choose: random.Random) -> None:
        self.scripts, self.choose = scripts, choose
        self.hosts: dict[str, ScriptedHost] = {}
        self.commands: dict[str, tuple[int, CommandLaunch]] = {}  # living processes of commands
        self.lanes: dict[str, deque[Message]] = {}

    def send(self, lane: str, message: Message) -> None:
        """Let a message be under way."""
        self.lanes.setdefault(lane, deque()).append(message)

    # --- hosts --------------------------------------------------------------------------------------------------------

    def launch(self, host: HostId, epoch: int, python: str = "", limits: Limits | None = None) -> None:
        """Bring up a host."""
        assert host not in self.hosts, f"host {host} is launched twice"
        lane = f"host {host}"
        if self.scripts.next(host, "launch") != "ok":
            self.send(lane, HostEnded(host, epoch, "fork failed"))
            return
        made = ScriptedHost(host, epoch, self.scripts, self._saying(host, epoch), self._once)
        self.hosts[host] = made
        self.send(lane, HostLaunched(host, epoch, 4000 + epoch))
        made.greet()

    def _saying(self, host: HostId, epoch: int) -> Callable[[HostReport], None]:
        lane = f"host {host}"

        def say(report: HostReport) -> None:
            if isinstance(report, Moves) and (queue := self.lanes.get(lane)) and self.choose.random() < 0.5:
                last = queue[-1]
                if isinstance(last, HostSaid) and isinstance(last.report, Moves) and last.epoch == epoch:
                    queue[-1] = HostSaid(host, epoch, Moves((*last.report.moves, *report.moves)))
                    return
            self.send(lane, HostSaid(host, epoch, report))

        return say

    def give(self, host: HostId, epoch: int, order: HostOrder) -> None:
        """Give a host an order; one that is gone hears nothing."""
        if found := self._of(host, epoch):
            found.hear(order)

    def end(self, host: HostId, epoch: int, grace: float) -> None:
        """End a host."""
        if found := self._of(host, epoch):
            self.hosts.pop(host)
            self.send(f"host {host}", HostEnded(host, found.epoch, "exit 0"))

    def bury(self) -> None:
        """Let it be known which hosts were killed."""
        for name in [name for name, host in self.hosts.items() if host.killed]:
            host = self.hosts.pop(name)
            self.send(f"host {name}", HostEnded(HostId(name), host.epoch, "signal 9 (SIGKILL)", host.culprit))

    def _of(self, host: HostId, epoch: int) -> ScriptedHost | None:
        found = self.hosts.get(host)
        return found if found and found.epoch == epoch else None

    def _once(self, address: str) -> None:
        living = [host for host in self.hosts.values() if address in host.live]
        assert not living and address not in self.commands, f"{address} runs twice"

    # --- commands -----------------------------------------------------------------------------------------------------

    def spawn(self, launch: CommandLaunch) -> None:
        """Start a command."""
        address, epoch = launch.address, launch.epoch
        self._once(address)
        lane = f"command {address}"
        outcome = self.scripts.next(address, "startup")
        if outcome == "fatal":
            self.send(lane, CommandFailed(address, epoch, Fault(FaultKind.NOT_STARTED, "no such program")))
            return
        self.commands[address] = (epoch, launch)
        self.send(lane, CommandStarted(address, epoch, 7000 + epoch))
        if outcome in ("hang", "not-ready"):
            self.send(lane, CommandFailed(address, epoch, FAULTS["hang"]))
            self.end_command(address, None, "signal 15 (SIGTERM)")
        elif outcome in ("raise", "exit"):
            self.end_command(address, 1, "exit 1")
        elif launch.oneshot:
            self.end_command(address, 0, "exit 0")
        else:
            self.send(lane, CommandReady(address, epoch))
            if self.scripts.probing and launch.check is not None:
                self.send(lane, Probed(address, epoch, healthy=True))
            if self.scripts.next(address, "run") == "exit":
                self.end_command(address, 3, "exit 3")

    def stop(self, address: Address, epoch: int, grace: float) -> None:
        """Stop a command."""
        if self._lives(address, epoch):
            self.end_command(address, None, "signal 15 (SIGTERM)")

    def tell(self, launch: CommandLaunch) -> None:
        """Let another policy hold for a command."""
        if self._lives(launch.address, launch.epoch):
            self.commands[launch.address] = (launch.epoch, launch)

    def check(self, address: Address, epoch: int, seconds: float) -> None:
        """Say how a command does."""
        if self._lives(address, epoch):
            for _ in range(2 if seconds else 1):
                well = self.scripts.next(address, "health") == "ok"
                self.send(f"command {address}", Probed(address, epoch, well))

    def reload(self, launch: CommandLaunch, change: int) -> None:
        """Let a command take its files anew; the end of one that does not run any more is under way."""
        address, epoch = launch.address, launch.epoch
        if not self._lives(address, epoch):
            return
        outcome = self.scripts.next(address, "reload")
        fault = FAULTS.get(outcome) or (Fault(FaultKind.EXITED, "exit 1") if outcome == "exit" else None)
        if fault is None:
            self.commands[address] = (epoch, launch)
        self.send(f"command {address}", CommandReloaded(address, epoch, change, fault))
        if outcome == "exit":
            self.end_command(address, 1, "exit 1")

    def end_command(self, address: str, code: int | None, how: str) -> None:
        """Let the process of a command end."""
        epoch, _ = self.commands.pop(address)
        self.send(f"command {address}", CommandEnded(Address(address), epoch, code, how, tail="last words"))

    def _lives(self, address: Address, epoch: int) -> bool:
        found: tuple[int, Any] | None = self.commands.get(address)
        return found is not None and found[0] == epoch
