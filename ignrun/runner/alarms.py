"""Tells others of alerts: sends webhooks and starts commands, each in a thread and bounded in time, and says what went wrong."""

import contextlib
import http.client
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

import msgspec

PATIENCE: Final = 10.0
"""Seconds that a webhook or a command may take."""

AT_ONCE: Final = 8
"""How many are told at the same time; when all are busy, what is to be told next is left out and said so."""

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


class _Stay(HTTPRedirectHandler):
    """Goes nowhere but where the manifest says."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Alarms:
    """Whom a plant tells of its alerts; `complain` is called, from any thread, with what could not be told."""

    def __init__(self, cwd: str, complain: Callable[[str], None]) -> None:
        """Take the folder in which commands run: the manifest's."""
        self._cwd = cwd
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
            trouble = (
                _post(str(action["webhook"]), notice)
                if "webhook" in action
                else _execute([str(word) for word in action["exec"]], notice, self._cwd)
            )
        finally:
            self._room.release()
        if trouble:
            self._complain(f"alert {notice.alert}: {_named(action)} {trouble}")


def _named(action: dict[str, Any]) -> str:
    """Name whom an action tells, without what a URL may carry beside its host."""
    if "webhook" in action:
        scheme, _, rest = str(action["webhook"]).partition("://")
        host = rest.partition("/")[0].partition("?")[0].rpartition("@")[2]
        return f"the webhook at {scheme}://{host}"
    return f"the command `{action['exec'][0]}`"


def _post(url: str, notice: Notice) -> str:
    """Send a notice; gives what went wrong."""
    if not url.startswith(("http://", "https://")):
        return "is no http or https address"
    try:
        request = Request(url, msgspec.json.encode(notice), {"Content-Type": "application/json"}, method="POST")  # noqa: S310 - checked above
        with build_opener(_Stay).open(request, timeout=PATIENCE):
            return ""
    except HTTPError as error:
        error.close()
        return f"answered {error.code}"
    except (URLError, OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        return f"could not be reached: {getattr(reason, 'strerror', None) or reason}"


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
