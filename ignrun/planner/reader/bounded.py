"""Walks the corridor in a child process with limits of time and memory, and reads its answer."""

import gc
import os
import select
import signal
import time
import traceback
from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeVar

import msgspec

from ignrun.manifest.inputs import Inputs
from ignrun.planner.proposal import Base, Proposal, Reading
from ignrun.planner.reader.corridor import WorkingOn, propose
from ignrun.planner.reader.limits import Bookmark, Limits, allow_for, impose, limits_for
from ignrun.planner.reader.noting import noting
from ignrun.planner.reader.revive import revive
from ignrun.terms.diagnostics import diagnose
from ignrun.terms.failure import ReaderFailure
from ignrun.terms.spans import Span
from ignrun.terms.verdict import Rejected

T = TypeVar("T")
Work = Callable[[WorkingOn], Any]
"""What a child does: it is given a way to say what it works on, and returns a struct with a `verdict`."""

ANSWER: Final = b"A"
OUT_OF_MEMORY: Final = b"M"
BUG: Final = b"B"
_CHUNK: Final = 1 << 20
_CRASHES: Final = frozenset({-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGABRT})
"""How a child ends when a library in C is refused memory and does not look."""
_GONE: Final = getattr(select, "POLLRDHUP", 0)
"""Asks a poll for the close of the other end alone; a hang-up is always told."""


def propose_bounded(inputs: Inputs, base: Base) -> Reading:
    """Propose in a child of this process, which must have no other thread.

    A limit that is hit is a diagnostic at the place that was being worked on; raises ReaderFailure when the child ended in
    any other way without an answer, and RuntimeError with its traceback for a bug in it.
    """
    return decoded(answer_of(inputs, base))


def decoded(answer: bytes) -> Reading:
    """Read the answer of a child that proposed; raises as `decoded_as` does."""
    return decoded_as(answer, Reading)


def decoded_as(answer: bytes, kind: type[T]) -> T:
    """Read the answer of a child; raises RuntimeError with its traceback for a bug in it, ReaderFailure for none."""
    if answer[:1] == ANSWER:
        return msgspec.msgpack.decode(answer[1:], type=kind)
    if answer[:1] == BUG:
        raise RuntimeError(answer[1:].decode(errors="replace"))
    raise ReaderFailure(answer[1:].decode(errors="replace") or "the reading process ended without an answer")


def answer_reviving(kept: Proposal, inputs: Inputs, base: Base, asker: int | None = None) -> bytes:
    """Let a child revive what was kept, under limits, and give what it wrote; see `answer_to`."""
    return answer_to(lambda _: revive(kept, inputs, base), inputs.manifest, None, asker)


def answer_of(inputs: Inputs, base: Base, limits: Limits | None = None, asker: int | None = None) -> bytes:
    """Let a child propose under limits, and give what it wrote; see `answer_to`."""
    return answer_to(
        lambda working_on: noting(inputs, lambda: propose(inputs, base, working_on, allow_for)),
        inputs.manifest,
        limits,
        asker,
    )


def answer_to(work: Work, manifest: str, limits: Limits | None = None, asker: int | None = None) -> bytes:
    """Fork a child, let it work under limits, and give what it wrote; never raises for what the child does.

    What `work` returns has a `verdict`, which a limit that is hit rejects. The child is ended early when the other end of
    `asker`, a socket, closes: nobody waits for the answer then.
    """
    limits = limits or limits_for(manifest)
    bookmark = Bookmark()
    ours, theirs = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(ours)
        _child(work, limits, bookmark, theirs)
    os.close(theirs)
    status: int | None = None
    try:
        answer = _read_all(ours, time.monotonic() + limits.wall, asker)
        status = _reap(pid) if answer is not None else None
    finally:
        os.close(ours)
        if status is None:
            status = _end(pid)
    place = bookmark.read(manifest)
    bookmark.close()
    if answer is not None and answer[:1] == ANSWER and status == 0:
        return answer
    return _without_answer(answer, status, limits, place)


def _child(work: Work, limits: Limits, bookmark: Bookmark, out: int) -> NoReturn:
    """Work and leave: nothing of the parent's (handlers, buffers, exit hooks) may run here."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for number in (signal.SIGTERM, signal.SIGXCPU):
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        gc.disable()
        impose(limits)
        answer = ANSWER + msgspec.msgpack.encode(work(bookmark.put))
    except MemoryError:
        answer = OUT_OF_MEMORY
    except BaseException:  # noqa: BLE001 - the outermost frame of this process
        answer = BUG + traceback.format_exc().encode()
    try:
        _write_all(out, answer)
    finally:
        os._exit(0)


def _write_all(out: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(out, view) :]


def _read_all(source: int, deadline: float, asker: int | None) -> bytes | None:
    """Read until the child closes its end; None when the clock runs out first, or when the asker is gone."""
    chunks: list[bytes] = []
    poll = select.poll()
    poll.register(source, select.POLLIN | select.POLLHUP)
    if asker is not None:
        poll.register(asker, _GONE)
    while (left := deadline - time.monotonic()) > 0:
        ready = dict(poll.poll(left * 1000))
        if source not in ready:
            break
        chunk = os.read(source, _CHUNK)
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)
    return None


def _reap(pid: int) -> int | None:
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:
        return 0  # somebody else in this process has reaped it


def _end(pid: int) -> int | None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return None
    return _reap(pid)


def _without_answer(answer: bytes | None, status: int | None, limits: Limits, place: Span) -> bytes:
    """Say why a child gave no answer: a limit is a diagnostic like any other."""
    if answer is None:
        return _limit(place, f"reading took longer than {limits.wall:g} s")
    if answer == OUT_OF_MEMORY or status in _CRASHES:
        return _limit(place, f"reading took more than {limits.memory >> 20} MiB of memory")
    if answer[:1] == BUG:
        return answer
    if status == -signal.SIGXCPU:
        return _limit(place, f"reading took more than {limits.cpu} s of processor time")
    how = f"signal {-status}" if status is not None and status < 0 else f"code {status}"
    return b"F" + f"the reading process ended with {how}".encode()


def _limit(place: Span, summary: str) -> bytes:
    found = diagnose(place, "IGN115", summary, hint="the place is what was being worked on")
    return ANSWER + msgspec.msgpack.encode(Reading(Rejected(None, (found,))))
