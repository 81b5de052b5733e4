"""Owns a process that keeps generations in a journal and says what has been acknowledged, and a look at what it left; it is run under strace."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import msgspec

from ignrun.planner.proposal import Proposal
from ignrun.runtime.journal.writer import Journal
from tests.house.tree import ROOT
from tests.rooms.journal.plants import proposal

STRACE = shutil.which("strace")

UNTRACED = STRACE is None and not os.environ.get("CI")
"""Whether tests that need strace are skipped: never in CI, where what is skipped is tested nowhere."""

WRITES = "write,pwrite64,pwritev,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,ftruncate,fchmod,mkdir,mkdirat,link"
"""System calls that change what is on a disk."""

PROGRAM = """
import os, sys, threading, time
from datetime import UTC, datetime
from pathlib import Path
from ignrun.runtime.journal.writer import Journal
from ignrun.runtime.supervise.effects import Result
from tests.rooms.journal.plants import T0, ended, ending, happenings, intent
from tests.torture.keeper import asked_for

{sabotage}

def say(line):
    while True:
        try:
            os.write(1, (line + "\\n").encode())
            return
        except OSError:
            pass

def answered(ask):
    got = threading.Event()
    said = []
    def done(refusal):
        said.append(refusal)
        got.set()
    ask(done)
    got.wait()
    return said[0]

def until_kept(ask):
    for _ in range(200):
        refusal = answered(ask)
        if not refusal or "UNIQUE" in refusal:
            return True
        time.sleep(0.01)
    return False

path, first, last, trigger = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
for _ in range(5):
    try:
        journal = Journal(path, lambda events: say(f"event {{events[-1].seq}}"))
        break
    except Exception as error:
        failure = error
else:
    raise failure
say("ready")
for number in range(first, last + 1):
    asked = intent(number, asked_for(number))
    if until_kept(lambda done: journal.keep_intent(asked, "ann", T0, done)):
        say(f"intent {{number}}")
    journal.submit_events([*happenings(3), ended(number)], T0, 0.0, number)
    if not answered(lambda done: journal.keep_outcome(ending(number, Result.COMMITTED, asked.proposal), T0, done)):
        say(f"outcome {{number}}")
journal.close()
say("closed")
"""

TELLS_BEFORE_IT_COMMITS = """
real = Journal._commit
def early(self, entries):
    for entry in entries:
        if hasattr(entry, "done"):
            entry.done("")
    return real(self, entries)
Journal._commit = early
"""
NEVER_SYNCS = """
import ignrun.runtime.journal.writer as writer
from ignrun.runtime.journal.schema import open_store
def careless(path):
    connection = open_store(path)
    connection.execute("PRAGMA synchronous = OFF")
    return connection
def opened(path, connect, at, real=writer.opened):
    return real(path, careless, at)
writer.opened = opened
"""


def asked_for(number: int) -> Proposal:
    """Say what generation `number` is."""
    return proposal(f"target {number}")


class Said(msgspec.Struct):
    """What a keeper said before it ended, and with which code it did."""

    code: int
    event: int = 0
    intents: tuple[int, ...] = ()
    outcomes: tuple[int, ...] = ()
    closed: bool = False
    trace: str = ""


def kept_by(path: Path, first: int, last: int, *strace: str, sabotage: str = "", trace: bool = False) -> Said:
    """Let a keeper keep these generations, its system calls in the hands of strace."""
    log = path.parent / "strace.log"
    command = [sys.executable, "-c", PROGRAM.format(sabotage=sabotage), str(path), str(first), str(last), "cli"]
    traced = [
        str(STRACE),
        "-f",
        "-qq",
        "-y",
        "-o",
        str(log),
        "-e",
        f"trace={WRITES}",
        *strace,
        *command,
    ]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        traced, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, start_new_session=True
    ) as process:
        try:
            out, _ = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    text = log.read_text(errors="replace") if trace else ""
    log.unlink(missing_ok=True)
    return _said(out.decode(), process.returncode, text)


def _said(out: str, code: int, trace: str) -> Said:
    lines = [line.split() for line in out.splitlines()]
    numbers = {
        kind: tuple(int(line[1]) for line in lines if line[0] == kind) for kind in ("event", "intent", "outcome")
    }
    return Said(
        code, max(numbers["event"], default=0), numbers["intent"], numbers["outcome"], ["closed"] in lines, trace
    )


def flaws_left(path: Path, said: Said, tried: int, *, may_stay_open: bool = False) -> list[str]:
    """Open the store as the next runner does and say what is not as promised; `tried` is the highest generation asked for.

    Where the mark of an open store could not be removed (`may_stay_open`), the next runner may take it for one that lost its WAL.
    """
    journal = Journal(path, lambda _: None)
    flaws: list[str] = []
    damage = journal.recovered().damage
    if damage and not (may_stay_open and damage.found.startswith("its write-ahead log is gone") and not damage.lost):
        flaws.append(f"damaged: {damage}")
    kept = {entry.number: entry for entry in journal.generations(1000)}
    flaws += [f"generation {number} was acknowledged and is gone" for number in said.intents if number not in kept]
    flaws += [f"generation {number} is invented" for number in kept if not 1 <= number <= tried]
    for number, entry in kept.items():
        found = journal.generation(number)
        if found is None or msgspec.msgpack.encode(found.content) != msgspec.msgpack.encode(asked_for(number)):
            flaws.append(f"generation {number} is not what was asked for")
        if entry.result not in {"committed", "interrupted"}:
            flaws.append(f"generation {number} has no result but {entry.result!r}")
    flaws += [
        f"outcome {n} was acknowledged and is gone"
        for n in said.outcomes
        if n in kept and kept[n].result != "committed"
    ]
    good = max((number for number, entry in kept.items() if entry.result == "committed"), default=0)
    if (journal.current(), journal.good()) != (good, good):
        flaws.append(f"pointers lead to {journal.current()} and {journal.good()}, not to {good}")
    seqs = [event.seq for event in journal.events_after(0, 10**6)]
    if seqs != list(range(1, len(seqs) + 1)) or len(seqs) < said.event:
        flaws.append(f"event {said.event} was told, the store holds {seqs[:1]}..{seqs[-1:]}")
    if journal._reading.execute("PRAGMA integrity_check").fetchone() != ("ok",):
        flaws.append("the store is not sound")
    journal.close()
    again = Journal(path, lambda _: None)
    if again.recovered().interrupted or again.recovered().damage:
        flaws.append("recovering once was not enough")
    again.close()
    flaws += [f"{one.name} is left" for one in path.parent.rglob("*.tmp")]
    return flaws
