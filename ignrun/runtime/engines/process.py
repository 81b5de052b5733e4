"""Turns an argument list into a running child with a pidfd, or into the plain reason why there is none."""

import errno
import os
import signal
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from ignrun.protocol import kin
from ignrun.protocol.kin import Identity
from ignrun.runtime.engines.accounts import Account
from ignrun.runtime.engines.limits import Hold, apply, restore_descriptor_limit

_WAIT: Final = os.WEXITED | os.WNOHANG


class NotStartable(Exception):  # noqa: N818 - it is an answer, not an error of ours
    """A program could not be started; the text says why in one plain line."""


class Terms(msgspec.Struct, frozen=True):
    """On which terms a program runs: its limits, umask and account; None: the runner's."""

    hold: Hold = Hold()
    umask: int | None = None
    account: Account | None = None


_FREE: Final = Terms()


class Child(msgspec.Struct, frozen=True):
    """A child process that leads its own session: its identity and a pidfd, which the owner closes."""

    identity: Identity
    pidfd: int

    @property
    def pid(self) -> int:
        """The number that holds as long as nobody has waited for it."""
        return self.identity.pid


def start_process(
    argv: Iterable[str],
    *,
    env: Mapping[str, str],
    cwd: str | Path,
    out: int,
    err: int,
    soft_limit: int,
    pass_fds: tuple[int, ...] = (),
    terms: Terms = _FREE,
) -> Child:
    """Start a program in a session of its own, its input empty; raises NotStartable. The caller waits for it (`exit_of`)."""
    argv = list(argv)
    try:
        identity_terms = _identity(terms.account)
        process = subprocess.Popen(
            argv,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
            pass_fds=pass_fds,
            umask=-1 if terms.umask is None else terms.umask,
            **identity_terms,
        )
    except (OSError, ValueError) as error:
        raise NotStartable(_reason(error, argv[0] if argv else "", str(cwd))) from error
    process.returncode = 0  # the pidfd tells of its end, not Popen
    restore_descriptor_limit(process.pid, soft_limit)
    apply(process.pid, terms.hold)
    identity = kin.identity_of(process.pid) or Identity(process.pid, 0)
    try:
        return Child(identity, os.pidfd_open(process.pid))
    except OSError as error:
        os.killpg(process.pid, signal.SIGKILL)  # nobody has waited for it, so the number is still its own
        os.waitpid(process.pid, 0)
        raise NotStartable(_reason(error, argv[0], str(cwd))) from error


def _identity(account: Account | None) -> dict[str, Any]:
    if account is None or account.is_own:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": account.groups}


def _reason(error: Exception, program: str, cwd: str) -> str:
    if not isinstance(error, OSError):
        return f"`{program}` cannot be started: {error}"
    if error.filename == cwd:
        return f"the working folder `{cwd}` cannot be entered: {_words(error)}"
    if isinstance(error, FileNotFoundError):
        where = "" if "/" in program else " on PATH"
        return f"the program `{program}` was not found{where}"
    if isinstance(error, PermissionError):
        return f"the program `{program}` may not be executed"
    if error.errno == errno.ENOEXEC:
        return f"`{program}` is no program that this system can run; does its first line lack `#!`?"
    return f"`{program}` cannot be started: {_words(error)}"


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def peek_exit(pidfd: int) -> int | None:
    """Give the return code of a child that has ended (a signal as its negative number), and let it hold its pid; None while it lives.

    Raises ChildProcessError where it is no child of this process.
    """
    return _waited(pidfd, _WAIT | os.WNOWAIT)


def reap(pidfd: int) -> int | None:
    """Wait for a child that has ended and give its return code; None while it lives; raises ChildProcessError."""
    return _waited(pidfd, _WAIT)


def _waited(pidfd: int, options: int) -> int | None:
    found = os.waitid(os.P_PIDFD, pidfd, options)
    if found is None:
        return None
    return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status


def how_of(code: int) -> str:
    """Write how a process ended: `exit 1`, `signal 9 (SIGKILL)`."""
    if code >= 0:
        return f"exit {code}"
    with suppress(ValueError):
        return f"signal {-code} ({signal.Signals(-code).name})"
    return f"signal {-code}"


def signal_child(child: Child, number: int) -> None:
    """Signal a child; one that has ended is left alone."""
    with suppress(OSError):
        signal.pidfd_send_signal(child.pidfd, number)


def signal_group(child: Child, number: int) -> None:
    """Signal the whole group of a child that has not been waited for: until then nobody else can have its number."""
    with suppress(OSError):
        os.killpg(child.pid, number)


def signal_number(name: str) -> int:
    """Give the number of `TERM` or `SIGTERM`; raises ValueError."""
    try:
        return signal.Signals[f"SIG{name.removeprefix('SIG')}"]
    except KeyError:
        raise ValueError(f"there is no signal `{name}`") from None
