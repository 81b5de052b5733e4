"""Kills a process that writes a journal, again and again, and looks for what it had acknowledged."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from ignrun.runtime.journal.writer import Journal, events_of_store

WRITER = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from ignrun.runtime.journal.writer import Journal
from ignrun.terms.events import Happening, OperatorAsked

def told(events):
    os.write(1, b"".join(b"%d\\n" % event.seq for event in events))

{sabotage}

journal = Journal(Path(sys.argv[1]), told)
number = journal.last_event_seq
while True:
    number += 1
    journal.submit_events([Happening("a@gateway", OperatorAsked("restart", str(number)))] * (number % 7), datetime.now(UTC), 0.0, 0)
    if number % 50 == 0:
        while journal._queue.qsize() > 200:
            pass
"""

TELLS_BEFORE_IT_COMMITS = """
from ignrun.runtime.journal import store, writer
kept = []
def late(self, entries):
    events = writer._numbered(entries, self._last)
    kept.extend(events)
    if len(kept) > 1_000_000:  # long after the kill
        store.write_events(self._connection, kept)
    return events
Journal._commit = late
"""


def acknowledged_before_the_kill(path: Path, chance: random.Random, sabotage: str) -> int:
    """Let a process write, kill it somewhere between two system calls, and give the last number that it told."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER.format(sabotage=sabotage), str(path)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        told, wanted = b"", chance.randrange(100, 20_000)
        try:
            while len(told) < wanted:
                piece = os.read(process.stdout.fileno(), chance.randrange(1, 4096))
                assert piece, "the writer ended by itself"
                told += piece
        finally:
            process.send_signal(signal.SIGKILL)
        told += process.stdout.read()
    return int(told[: told.rfind(b"\n")].rpartition(b"\n")[2] or 0)


def numbers_kept(path: Path) -> list[int]:
    return [event.seq for event in events_of_store(path, 0, 10**9)]


def test_what_was_acknowledged_survives_the_kill_and_no_number_is_missing(tmp_path) -> None:
    path, chance = tmp_path / "journal.sqlite", random.Random(4711)
    last = 0
    for _ in range(6):  # one store, killed six times
        told = acknowledged_before_the_kill(path, chance, "")
        kept = numbers_kept(path)
        assert kept == list(range(1, len(kept) + 1))
        assert told <= len(kept)
        assert last < told
        last = told
    journal = Journal(path, lambda _: None)
    assert journal.last_event_seq == len(numbers_kept(path))
    journal.close()


def test_this_way_of_looking_finds_a_journal_that_tells_before_it_commits(tmp_path) -> None:
    path, chance = tmp_path / "journal.sqlite", random.Random(4711)
    lost = 0
    for number in range(3):
        told = acknowledged_before_the_kill(path.with_name(f"{number}.sqlite"), chance, TELLS_BEFORE_IT_COMMITS)
        lost += told > len(numbers_kept(path.with_name(f"{number}.sqlite")))
    assert lost == 3
