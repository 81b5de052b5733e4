"""Owns the hosts of a plant: has the template fork them, carries orders and reports, and notices their end."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, assert_never

from ignrun.manifest.model import Limits
from ignrun.protocol import kin
from ignrun.protocol import template as talk
from ignrun.protocol.kin import Identity
from ignrun.protocol.orders import HostOrder
from ignrun.protocol.pulse import BEAT
from ignrun.protocol.reports import (
    ConfigAsked,
    Hello,
    HostReport,
    Logged,
    LogLine,
    Measured,
    Metrics,
    Resumed,
    Stalled,
    Unfinished,
)
from ignrun.runtime.engines.believed import believed
from ignrun.runtime.engines.children import Children
from ignrun.runtime.engines.groups import HOSTS, Groups
from ignrun.runtime.engines.host import Host
from ignrun.runtime.engines.limits import hold_of, raise_descriptor_limit
from ignrun.runtime.engines.output import Mask, OnLines, Output, Teller
from ignrun.runtime.engines.process import how_of, peek_exit, reap
from ignrun.runtime.engines.pulse import Heart, Rounds
from ignrun.runtime.engines.template import Recipe, Template
from ignrun.runtime.engines.templates import Templates
from ignrun.runtime.supervise.messages import HostEnded, HostLaunched, HostSaid, Message
from ignrun.terms.names import HostId

Hear = Callable[[Message], None]
OnMetrics = Callable[[HostId, tuple[Measured, ...]], None]
"""Hears the metrics that modules of a host keep, masked and within bounds."""

OnAsked = Callable[[HostId, int, ConfigAsked], None]
"""Hears what modules of a host, in its epoch, ask for."""

_FREE: Final = Limits()
_STATUS_WAIT: Final = 2.0
_CLEARING: Final = 1.0
_LONGEST_WHERE: Final = 300


class HostEngine:
    """Hosts of a plant, by id and epoch; lives on the running asyncio loop, none of its calls waits.

    `python` is ignrun's own interpreter, `run_dir` the plant's run-time folder (`places.make_run_folder`), `token` the plant's marker (`places.plant_token`),
    `env` the whole environment of the hosts. Messages heard: HostLaunched, HostSaid (never with Logged, Metrics or ConfigAsked: these go to `on_lines`, `on_metrics` and `on_asked`)
    and exactly one HostEnded for each launch.
    """

    def __init__(
        self,
        *,
        python: str,
        run_dir: Path,
        token: str,
        cwd: Path,
        env: Mapping[str, str],
        hear: Hear,
        on_lines: OnLines,
        on_metrics: OnMetrics = lambda _host, _measured: None,
        on_asked: OnAsked = lambda _host, _epoch, _asked: None,
        mask: Mask = str,
        serve: str = talk.SERVE,
    ) -> None:
        """Take what every host needs; nothing is started yet."""
        self.children = Children()
        self.soft_limit = raise_descriptor_limit()
        self.groups: Groups
        self._run_dir = run_dir
        self._recipe = Recipe(python, token, cwd, dict(env), serve, self.soft_limit)
        self._templates = Templates(self._recipe, self.children, self._reported, self._template_ended)
        self._hear = hear
        self._on_lines = on_lines
        self._on_metrics = on_metrics
        self._on_asked = on_asked
        self._mask = mask
        self._hosts: dict[tuple[HostId, int], Host] = {}
        self._teller = Teller()
        self._closing = False
        self._rounds = Rounds()
        self._round: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Start the template early, so that it is ready when the first host is wanted; a failure is told by HostEnded of a launch.

        From here on this object takes SIGCHLD, so the loop has to be the main thread's.
        """
        self.children.start()
        self.groups = Groups(self._recipe.token)
        self._templates.joins = lambda pid: self.groups.join(HOSTS, pid)
        self._templates.guardian()

    def launch(self, host: HostId, epoch: int, python: str = "", limits: Limits = _FREE) -> None:
        """Bring up a host: HostLaunched, then what it says, or HostEnded.

        `python` is the interpreter or environment that it runs in, ignrun's own where nothing is said.
        """
        token = self._recipe.token
        output = Output(host, "", self._on_lines, self._mask)
        with ExitStack() as undo:
            undo.callback(output.close)
            try:
                template = self._templates.of(python)
                made = Host(host, epoch, kin.marker_of(token, host, epoch), output, self._heard)
                made.template, made.hold = template, hold_of(limits)
                undo.callback(made.discard)
                out = output.open("out")
                undo.callback(os.close, out)
                err = output.open("err")
            except OSError as error:
                self._hear(HostEnded(host, epoch, f"it could not be made: {error.strerror}"))
                return
            undo.pop_all()
        self._hosts[host, epoch] = made
        hold = made.hold
        limited = (hold.memory, hold.descriptors, hold.processors)
        launch = talk.Launch(host, epoch, str(self._run_dir), made.marker, *limited)
        template.send(launch, made.theirs.detach(), out, err)

    def give(self, host: HostId, epoch: int, order: HostOrder) -> None:
        """Send an order; dropped when that host is gone (HostEnded says so), a host that reads nothing is killed."""
        if made := self._hosts.get((host, epoch)):
            made.give(order)

    def end(self, host: HostId, epoch: int, grace: float) -> None:
        """Tell a host to quit and kill it after `grace` seconds; HostEnded follows, unless it has been said already."""
        if made := self._hosts.get((host, epoch)):
            made.end(grace)

    def guard(self, ward: talk.Guard) -> None:
        """Have the guardian end this process when the runner is gone."""
        self._templates.guard(ward)

    def release(self, identity: Identity) -> None:
        """It is gone, and its pid may be anybody's."""
        self._templates.release(identity)

    async def close(self) -> None:
        """Kill what is left and end the template; nothing is heard any more. Commands have been closed before."""
        self._closing = True
        if self._round:
            self._round.cancel()
        await self._templates.close()
        for made in self._hosts.values():
            if made.child:
                self.children.disown(made.child.pid)
            made.output.close()
            made.discard()
        self._hosts = {}
        kin.kill_until_gone(self._left, _CLEARING)
        self.groups.close()
        self.children.orphans()
        self.children.stop()

    def _left(self) -> frozenset[Identity]:
        """Find what is left of the plant below this process, which may itself have been started by one of its modules."""
        table = kin.process_table()
        orphans = [table[pid].identity for pid in self.children.orphans() if pid in table]
        below = kin.kin_of(table, orphans)
        return below - {table[pid].identity for pid in kin.ancestors(table, os.getpid())}

    # --- the templates ------------------------------------------------------------------------------------------------

    def _reported(self, report: talk.TemplateReport, fds: list[int]) -> None:
        match report:
            case talk.Ready():
                pass  # who made the template has looked at it
            case talk.Forked():
                self._forked(report, fds)
            case talk.NotForked(host, epoch, reason):
                if made := self._hosts.get((HostId(host), epoch)):
                    self._bury(made, f"it could not be forked: {reason}")
            case talk.Exited(pid, status):
                made = next((one for one in self._hosts.values() if one.child and one.child.pid == pid), None)
                if made:
                    self._bury(made, how_of(os.waitstatus_to_exitcode(status)))
            case _:
                assert_never(report)

    def _template_ended(self, template: Template, why: str) -> None:
        """Bury the hosts that were never forked; the living ones are the runner's own children now."""
        if self._closing:
            return
        for made in tuple(self._hosts.values()):
            if made.template is not template:
                continue
            if made.child is None:
                self._bury(made, why)
            elif made.dead:
                self._adopted_died(made)
            else:
                self._guard(made, made.child.identity)

    def _guard(self, made: Host, identity: Identity) -> None:
        self.guard(talk.Guard(identity.pid, identity.start, made.marker, 0, talk.HOST_GRACE))

    # --- hosts --------------------------------------------------------------------------------------------------------

    def _forked(self, report: talk.Forked, fds: list[int]) -> None:
        made = self._hosts.get((HostId(report.host), report.epoch))
        if made is None or self._closing or (made.template and made.template.refusal):
            for pidfd in fds:
                with suppress(OSError):
                    signal.pidfd_send_signal(pidfd, signal.SIGKILL)
                os.close(pidfd)
            return
        if not fds:  # no room for one more descriptor: it leaves by itself when its socket closes
            self._bury(made, "too many files are open in the runner")
            return
        (pidfd,) = fds
        self.children.own(report.pid)
        self._teller.tell(self._on_lines, made.host, "", made.hold.notes)
        self._hear(HostLaunched(made.host, made.epoch, report.pid, made.hold.notes))
        identity = Identity(report.pid, report.start)
        if made.template and not self._templates.is_guardian(made.template):
            self._guard(made, identity)
        made.forked(identity, pidfd, self._died)

    def _heard(self, made: Host, report: HostReport) -> None:
        if self._closing:
            return
        report = believed(report, self._run_dir, self._mask)
        if isinstance(report, Logged):
            self._on_lines(made.host, report.lines)
            return
        if isinstance(report, Metrics):
            self._on_metrics(made.host, report.measured)
            return
        if isinstance(report, ConfigAsked):
            self._on_asked(made.host, made.epoch, report)
            return
        if isinstance(report, Unfinished):
            text = f"left behind when it stopped: {', '.join(report.names)}"
            self._on_lines(made.host, (LogLine(report.address, datetime.now(UTC), "warning", text),))
        self._hear(HostSaid(made.host, made.epoch, report))
        if isinstance(report, Hello) and made.child and not made.heart:
            made.heart = Heart(made.child, self._run_dir, self._recipe.cwd, lambda news: self._beat(made, news))
            if not self._round:
                self._rounds.pause(time.monotonic())
                self._round = asyncio.get_running_loop().call_later(BEAT, self._look)

    def _look(self) -> None:
        """Look at the pulse of every host, and again later as long as there is any."""
        now = time.monotonic()
        paused = self._rounds.pause(now)
        beating = [made for made in self._hosts.values() if made.heart]
        for made in beating:
            if made.heart:
                made.heart.look(now, paused)
        self._round = asyncio.get_running_loop().call_later(BEAT, self._look) if beating else None

    def _beat(self, made: Host, news: Stalled | Resumed) -> None:
        """Hand on what a pulse tells, as far as it can be taken in."""
        if isinstance(news, Stalled):
            news = Stalled(news.address, self._mask(news.where)[:_LONGEST_WHERE], news.seconds)
        match news:
            case Stalled(address, where, seconds):
                text = f"its host's event loop has been stuck for {seconds:.1f} s in {where}"
            case Resumed(address, seconds):
                text = f"its host's event loop goes on after {seconds:.1f} s"
            case _:
                assert_never(news)
        self._on_lines(made.host, (LogLine(address, datetime.now(UTC), "warning", text),))
        self._hear(HostSaid(made.host, made.epoch, news))

    def _died(self, made: Host) -> None:
        """Take in that a process is gone: its parent, the template, will say how; if that is gone too, the parent is here."""
        assert made.child
        asyncio.get_running_loop().remove_reader(made.child.pidfd)
        made.dead = True
        if self._is_adopted(made):
            self._adopted_died(made)
        else:
            asyncio.get_running_loop().call_later(_STATUS_WAIT, self._bury, made, "nobody saw how")

    def _is_adopted(self, made: Host) -> bool:
        assert made.child
        try:
            return peek_exit(made.child.pidfd) is not None
        except ChildProcessError:
            return False

    def _adopted_died(self, made: Host) -> None:
        assert made.child
        pid = made.child.pid
        kin.kill_until_gone(lambda: kin.kin_of(kin.process_table(), (), made.marker.__eq__, held=[pid]), _CLEARING)
        with suppress(ChildProcessError):
            self._bury(made, how_of(reap(made.child.pidfd) or 0))
            return
        self._bury(made, "nobody saw how")

    def _bury(self, made: Host, how: str) -> None:
        if self._closing or self._hosts.get((made.host, made.epoch)) is not made:
            return
        if made.child:
            self.children.disown(made.child.pid)
            self.release(made.child.identity)
        culprit = made.heart.last_step if made.heart else ""
        how += "" if made.heart else _last_words(made)
        made.let_go()
        del self._hosts[made.host, made.epoch]
        how = f"{how}, because {made.blame}" if made.blame else how
        self._hear(HostEnded(made.host, made.epoch, how, culprit))


def _last_words(made: Host) -> str:
    """Give the last line of a host that never said hello, which may tell why."""
    made.output.catch_up()
    lines = made.output.tail().strip().splitlines()
    return f": {lines[-1].strip()}" if made.child and lines else ""
