"""Tells others of alerts: sends webhooks, starts commands and calls modules, each in a thread and bounded in time, and says what went wrong."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec

from ignrun.protocol.calls import Call, Failed, PeerReply
from ignrun.protocol.frames import FrameError, Unframer, frame

PATIENCE: Final = 10.0
"""Seconds that a webhook, a command or a call may take."""

AT_ONCE: Final = 8
"""How many are told at the same time; when all are busy, what is to be told next is left out and said so."""

DoorOf = Callable[[str], tuple[str, str] | None]
"""Gives the socket of the host in which a module runs, and its address; None where it does not run."""

_NO_MORE: Final = b"\xff\xff\xff\xff"  # no frame is that long: the other end has closed
_PASSED_ON: Final = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "USER", "LOGNAME")


class Notice(msgspec.Struct, frozen=True):
    """What is told of one alert; `state` is `firing` or `resolved`, `at` an ISO time in UTC. Secrets are masked."""

    plant: str
    alert: str
    state: str
    severity: str
    address: str
    reason: str
    at: str
    seconds: float | None = None


class Alarms:
    """Whom a plant tells of its alerts; `complain` is called, from any thread, with what could not be told."""

    def __init__(self, cwd: str, complain: Callable[[str], None], door_of: DoorOf = lambda _: None) -> None:
        """Take the folder in which commands run, the manifest's; `door_of` says, in any thread, where a module can be called."""
        self._cwd = cwd
        self._door_of = door_of
        self._complain = complain
        self._room = threading.BoundedSemaphore(AT_ONCE)

    def tell(self, then: tuple[str | dict[str, Any], ...], notice: Notice) -> None:
        """Begin to tell; returns at once. What is only `log` stands in the logs anyway."""
        for action in then:
            if isinstance(action, str):
                continue
            if not self._room.acquire(blocking=False):
                self._complain(f"alert {notice.alert}: too many are being told already; {_named(action)} was left out")
                continue
            threading.Thread(target=self._act, args=(action, notice), name="alarm", daemon=True).start()

    def _act(self, action: dict[str, Any], notice: Notice) -> None:
        try:
            trouble = self._done(action, notice)
        finally:
            self._room.release()
        if trouble:
            self._complain(f"alert {notice.alert}: {_named(action)} {trouble}")

    def _done(self, action: dict[str, Any], notice: Notice) -> str:
        if "webhook" in action:
            return _post(str(action["webhook"]), notice)
        if "call" in action:
            return _call(self._door_of(str(action["call"]["module"])), str(action["call"]["method"]), notice)
        return _execute([str(word) for word in action["exec"]], notice, self._cwd)


def _named(action: dict[str, Any]) -> str:
    """Name whom an action tells, without what a URL may carry beside its host."""
    if "webhook" in action:
        scheme, _, rest = str(action["webhook"]).partition("://")
        host = rest.partition("/")[0].partition("?")[0].rpartition("@")[2]
        return f"the webhook at {scheme}://{host}"
    if "call" in action:
        return f"`{action['call']['module']}.{action['call']['method']}`"
    return f"the command `{action['exec'][0]}`"


def _post(url: str, notice: Notice) -> str:
    """Send a notice; gives what went wrong."""
    from ignrun.runner.webhook import post  # urllib takes 10 ms to import

    return post(url, msgspec.json.encode(notice), PATIENCE)


def _call(door: tuple[str, str] | None, method: str, notice: Notice) -> str:
    """Call a method of the module behind a door, as other modules do; gives what went wrong."""
    if door is None:
        return "does not run now"
    path, address = door
    replies: Unframer[PeerReply] = Unframer(PeerReply)
    end = time.monotonic() + PATIENCE
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(PATIENCE)
            line.connect(path)
            line.sendall(frame(Call(1, address, method, (msgspec.to_builtins(notice),), {})))
            while (left := end - time.monotonic()) > 0:
                line.settimeout(left)
                for reply in replies.feed(line.recv(65536) or _NO_MORE):
                    return f"failed: {reply.reason}" if isinstance(reply, Failed) else ""
    except (OSError, FrameError) as error:
        return f"could not be called: {getattr(error, 'strerror', None) or error}"
    return f"did not answer within {PATIENCE:g} s"


def _execute(words: list[str], notice: Notice, cwd: str) -> str:
    """Start a command that is given a notice on its standard input; gives what went wrong."""
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    try:
        process = subprocess.Popen(
            words,
            cwd=cwd,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
    except (OSError, ValueError) as error:
        return f"could not be started: {getattr(error, 'strerror', None) or error}"
    try:
        process.communicate(msgspec.json.encode(notice) + b"\n", timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return f"was ended after {PATIENCE:g} s"
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # whatever it left running
        process.wait()
    return f"ended with exit code {process.returncode}" if process.returncode else ""
