"""Owns the runner's end of one template: starts it, sends it orders with descriptors, hears its reports, sees it end."""

import asyncio
import os
import signal
import socket
import tempfile
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from ignrun.protocol import kin
from ignrun.protocol import template as talk
from ignrun.protocol.kin import Identity
from ignrun.runtime.engines.children import Children
from ignrun.runtime.engines.process import Child, NotStartable, how_of, reap, signal_child, signal_group, start_process
from ignrun.terms.duration import show_duration

_REPORT: Final[msgspec.msgpack.Decoder[talk.TemplateReport]] = msgspec.msgpack.Decoder(talk.TemplateReport)
_LAST_WORDS: Final = 4096
ENDED: Final = "the template of the hosts ended: "
PATIENCE: Final = 20.0
"""Seconds that an interpreter has for becoming a template; less than a host has for saying hello."""


class Recipe(msgspec.Struct, frozen=True):
    """What a template is made of: the interpreter, the plant's marker, its folder and environment, what hosts run.

    `is_guardian` says that it ends all that is left of the plant when the runner is gone, and not its own hosts alone.
    """

    python: str
    token: str
    cwd: Path
    env: Mapping[str, str]
    serve: str
    soft_limit: int
    is_guardian: bool = True


class Template:
    """One process of the template, from its start to its end; lives on the running loop.

    `on_report` takes each report with the descriptors that came along, which it owns; `on_end` is told once why there is no more.
    """

    def __init__(
        self,
        recipe: Recipe,
        children: Children,
        on_report: Callable[[talk.TemplateReport, list[int]], None],
        on_end: Callable[[str], None],
    ) -> None:
        """Start it; where it cannot be started, `on_end` is told in the next turn of the loop."""
        self.ready = False
        self.alive = True
        self.recipe = recipe
        self.identity: Identity | None = None
        self.refusal = ""
        self._children = children
        self._on_report = on_report
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._unsent: deque[tuple[bytes, tuple[int, ...]]] = deque()
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the template
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.setblocking(False)
        self._child: Child | None = None
        self._late: asyncio.TimerHandle | None = None
        with theirs:
            self._start(recipe, theirs.fileno())

    def _start(self, recipe: Recipe, control: int) -> None:
        words = self._words.fileno()
        role = talk.GUARDIAN if recipe.is_guardian else talk.HELPER
        argv = [recipe.python, "-P", "-m", "ignrun.host.template", str(control), recipe.token, recipe.serve, role]
        env = {**recipe.env, kin.MARKER: kin.marker_of(recipe.token, "template", 0)}
        try:
            self._child = start_process(
                argv, env=env, cwd=recipe.cwd, out=words, err=words, soft_limit=recipe.soft_limit, pass_fds=(control,)
            )
        except NotStartable as error:
            self._loop.call_soon(self._end, str(error))
            return
        self.identity = self._child.identity
        self._children.own(self._child.pid)
        self._loop.add_reader(self._child.pidfd, self._ended)
        self._loop.add_reader(self._control, self._hear)
        self._late = self._loop.call_later(PATIENCE, self._give_up)

    def send(self, order: talk.TemplateOrder, *fds: int) -> None:
        """Send an order as soon as there is room; the descriptors are this object's from now on and closed once they are sent."""
        self._unsent.append((msgspec.msgpack.encode(order), fds))
        self._flush()

    def _flush(self) -> None:
        self._loop.remove_writer(self._control)
        while self._unsent:
            packet, fds = self._unsent[0]
            try:
                socket.send_fds(self._control, [packet], fds)
            except BlockingIOError:
                self._loop.add_writer(self._control, self._flush)
                return
            except OSError:
                self._drop_unsent()
                return
            self._unsent.popleft()
            _close_all(fds)

    def _drop_unsent(self) -> None:
        while self._unsent:
            _close_all(self._unsent.popleft()[1])

    def _hear(self) -> bool:
        try:
            packet, fds = talk.receive(self._control)
        except BlockingIOError:
            return False
        except OSError:
            packet, fds = b"", []
        if not packet:
            self._loop.remove_reader(self._control)
            return False
        report = _REPORT.decode(packet)
        if isinstance(report, talk.Ready):
            self._answered()
        self._on_report(report, fds)
        return True

    def _answered(self) -> None:
        self.ready = True
        if self._late:
            self._late.cancel()

    def _give_up(self) -> None:
        within = show_duration(PATIENCE)
        self.refuse(f"`{self.recipe.python}` cannot run hosts: it did not answer within {within}{self._last_words()}")

    def _ended(self) -> None:
        assert self._child
        self._loop.remove_reader(self._child.pidfd)
        while self._hear():
            pass
        code = reap(self._child.pidfd)
        self._children.disown(self._child.pid)
        os.close(self._child.pidfd)
        self._end(self.refusal or f"{ENDED}{how_of(code or 0)}{self._last_words()}")

    def _end(self, why: str) -> None:
        self.alive = False
        if self._late:
            self._late.cancel()
        for forget in (self._loop.remove_reader, self._loop.remove_writer):
            forget(self._control)
        self._control.close()
        self._words.close()
        self._drop_unsent()
        self._gone.set_result(None)
        self._on_end(why)

    def _last_words(self) -> str:
        size = self._words.seek(0, os.SEEK_END)
        self._words.seek(max(0, size - _LAST_WORDS))
        lines = self._words.read().decode(errors="replace").strip().splitlines()
        return f": {lines[-1].strip()}" if lines else ""

    def refuse(self, why: str) -> None:
        """End it, because it is of no use: `why` is what `on_end` will be told."""
        self.refusal, self.ready = why, False
        if self._child:
            signal_group(self._child, signal.SIGKILL)

    async def close(self, patience: float = 12.0) -> None:
        """Dismiss it and wait until it has ended what is left; it is killed when that takes longer than `patience` seconds, or it is not ready yet."""
        if not self.alive:
            return
        if not self.ready:
            self.refuse("it was not needed any more")
        else:
            self.send(talk.Dismiss())
            await asyncio.wait([self._gone], timeout=patience)
            if self._child and not self._gone.done():
                signal_child(self._child, signal.SIGKILL)
        await self._gone


def _close_all(fds: tuple[int, ...]) -> None:
    for fd in fds:
        os.close(fd)
