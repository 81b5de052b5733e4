"""Holds the journal to its numbers, its pointers and its answers, with a disk that works and with one that refuses."""

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ignrun.planner.proposal import Base
from ignrun.runtime.journal import current, writer
from ignrun.runtime.journal.current import Published, publish_current, read_current, read_published
from ignrun.runtime.journal.schema import open_store
from ignrun.runtime.journal.store import read_events, write_events
from ignrun.runtime.journal.writer import Journal, events_of_store
from ignrun.runtime.supervise.effects import KeepOutcome, Outcome, Result
from ignrun.terms import events as terms_events
from ignrun.terms.events import Body, Event, EventsLost, Happening, JournalStalled, OperatorAsked, StepUndone
from ignrun.terms.failure import StateFolderFailure
from ignrun.terms.fault import Fault, FaultKind
from tests.rooms.journal.plants import T0, TAGS, WEB, ended, ending, happenings, intent, proposal


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        threading.Event().wait(0.001)


def encoded(value: Any) -> bytes:
    return msgspec.msgpack.encode(value)


class Answers:
    """Keeps what the journal answers, and lets a test wait for it."""

    def __init__(self) -> None:
        self.got: list[str] = []

    def __call__(self, refusal: str) -> None:
        self.got.append(refusal)

    def next(self) -> str:
        until(lambda: bool(self.got))
        return self.got.pop(0)


@pytest.fixture
def heard() -> list[Event]:
    return []


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.sqlite"


@pytest.fixture
def journal(path, heard):
    journal = Journal(path, heard.extend)
    yield journal
    journal.close()


# --- events ----------------------------------------------------------------------------------------------------------


def test_events_are_numbered_in_order_told_and_kept(journal, heard, path) -> None:
    for _ in range(3):
        journal.submit_events(happenings(700), T0, 1.5, 4)
    until(lambda: len(heard) == 2100)
    assert [event.seq for event in heard] == list(range(1, 2101))
    assert heard[0] == Event(1, T0, 1.5, "tags@gateway", 4, OperatorAsked("restart", "number 0"))
    assert journal.events_after(2098) == tuple(heard[2098:])
    assert journal.last_event_seq == 2100
    assert events_of_store(path, 10, 3) == tuple(heard[10:13])


def test_nothing_is_told_before_it_is_durable(path) -> None:
    seen: list[int] = []
    journal = Journal(path, lambda events: seen.append(len(events_of_store(path)) - events[-1].seq))
    for _ in range(20):
        journal.submit_events(happenings(2), T0, 0.0, 0)
    journal.close()
    assert seen
    assert set(seen) == {0}


def test_numbers_go_on_after_a_restart(path, heard) -> None:
    for _ in range(2):
        journal = Journal(path, heard.extend)
        journal.submit_events(happenings(2), T0, 0.0, 0)
        journal.close()
    assert [event.seq for event in heard] == [1, 2, 3, 4]


def test_what_waits_when_it_is_closed_is_written(path, heard) -> None:
    journal = Journal(path, heard.extend)
    for _ in range(100):
        journal.submit_events(happenings(1), T0, 0.0, 0)
    journal.close()
    assert [one.name for one in path.parent.iterdir()] == ["journal.sqlite"]
    assert len(events_of_store(path)) == 100


def _values(hint: Any) -> st.SearchStrategy[Any]:
    if hint is str or hint is Fault | None:
        texts = st.text()
        return texts if hint is str else st.none() | st.builds(Fault, st.sampled_from(FaultKind), texts)
    if hint is float:
        return st.floats(allow_nan=False, allow_infinity=False)
    return st.integers(-(2**53), 2**53) if hint is int else st.from_type(hint)


def _bodies(kind: type) -> st.SearchStrategy[Any]:
    hints = get_type_hints(kind, vars(terms_events))
    return st.builds(kind, **{name: _values(hint) for name, hint in hints.items() if not name.startswith("__")})


@given(st.lists(st.one_of([_bodies(kind) for kind in get_args(Body)]), max_size=20))
def test_every_kind_of_event_comes_back_as_it_was(bodies) -> None:
    events = tuple(Event(number, T0, 0.5, "tags@gateway", 1, body) for number, body in enumerate(bodies, 1))
    with TemporaryDirectory() as folder, closing(open_store(Path(folder, "journal.sqlite"))) as connection:
        write_events(connection, events)
        assert read_events(connection, 0, 100) == events


def test_a_text_that_is_not_utf8_is_kept_with_a_question_mark(journal, heard) -> None:
    journal.submit_events([Happening("", OperatorAsked("down", "\udcff"))], T0, 0.0, 0)
    until(lambda: bool(heard))
    assert [event.body for event in journal.events_after(0)] == [OperatorAsked("down", "?")]


# --- generations -----------------------------------------------------------------------------------------------------


def test_a_generation_comes_back_as_it_was_with_its_result(journal) -> None:
    done = Answers()
    made = proposal()
    journal.keep_intent(intent(1, made), "ann", T0, done)
    assert done.next() == ""
    kept = journal.generation(1)
    entry = kept.entry
    assert (entry.number, entry.parent, entry.target, entry.trigger, entry.author) == (1, 0, "t1", "cli", "ann")
    assert (entry.at, entry.changes, entry.is_sound) == (T0, {"create": 1}, True)
    assert encoded(kept.content) == encoded(made)
    assert entry.result == ""  # possibly begun
    journal.keep_outcome(ending(1), T0, done)
    assert done.next() == ""
    entry = journal.generation(1).entry
    assert (entry.result, entry.summary, entry.ended) == ("committed", "committed it is", T0)
    assert journal.generation(2) is None


@pytest.mark.parametrize(
    ("result", "current_number", "good_number"),
    [(Result.COMMITTED, 2, 2), (Result.HELD, 2, 1), (Result.REJECTED, 1, 1)],
)
def test_only_a_commit_moves_good_and_only_what_is_in_force_is_current(
    journal, path, result, current_number, good_number
) -> None:
    done = Answers()
    for number, how in ((1, Result.COMMITTED), (2, result)):
        journal.keep_intent(intent(number), "", T0, done)
        journal.keep_outcome(ending(number, how), T0, done)
        assert (done.next(), done.next()) == ("", "")
    assert (journal.current(), journal.good()) == (current_number, good_number)
    assert (journal.last_generation(), journal.last_transaction()) == (2, 2)
    published = read_published(path.parent)
    assert published is not None
    assert (published.generation, published.good) == (current_number, good_number)
    assert journal.generation(2).entry.parent == 1


def in_file(path: Path) -> Published:
    """Give what the file `current` says."""
    found = read_published(path.parent)
    assert found is not None
    return found


@pytest.mark.parametrize("result", [Result.ROLLED_BACK, Result.ROLLBACK_PARTIAL])
def test_after_going_back_from_what_was_held_the_good_one_is_in_force_for_the_next_runner_too(journal, path, result):
    done = Answers()
    for number, how, stays in ((1, Result.COMMITTED, 1), (2, Result.HELD, 2), (3, result, 1)):
        journal.keep_intent(intent(number, proposal(f"t{number}")), "", T0, done)
        kept = KeepOutcome(Outcome(number, how, stays, "so it is"), proposal(f"t{number}"))
        journal.keep_outcome(kept, T0, done)
        assert (done.next(), done.next()) == ("", "")
        assert (journal.current(), journal.good()) == (stays, 1)
        assert in_file(path).generation == stays
    made_from = in_file(path).made_from
    assert made_from is not None and made_from.target == "t1"
    journal.close()
    again = Journal(path, lambda _: None)
    try:
        assert (again.current(), again.good(), again.last_generation()) == (1, 1, 3)
        assert in_file(path).generation == 1
    finally:
        again.close()


def test_a_generation_that_the_store_does_not_have_does_not_come_into_force(journal, path) -> None:
    done = Answers()
    journal.keep_intent(intent(1), "", T0, done)
    journal.keep_outcome(ending(1), T0, done)
    journal.keep_intent(intent(2), "", T0, done)
    journal.keep_outcome(KeepOutcome(Outcome(2, Result.ROLLED_BACK, 7, "back"), proposal()), T0, done)
    assert [done.next() for _ in range(4)] == [""] * 4
    assert (journal.current(), in_file(path).generation) == (1, 1)


def test_what_was_undone_is_kept_too(journal) -> None:
    done, broke = Answers(), Fault(FaultKind.RAISED, "boom")
    journal.keep_intent(intent(1), "", T0, done)
    undone = [Happening(TAGS, StepUndone(1, "create")), Happening(WEB, StepUndone(1, "restart", broke))]
    journal.submit_events([ended(1), *undone], T0, 0.0, 0)
    journal.keep_outcome(ending(1, Result.ROLLBACK_PARTIAL), T0, done)
    until(lambda: len(done.got) == 2)
    assert [(one.address, one.action, one.fault) for one in journal.generation(1).steps] == [
        (TAGS, "create", None), (TAGS, "undo create", None), (WEB, "undo restart", broke),
    ]  # fmt: skip


def test_what_came_of_steps_is_kept_in_order_and_history_counts_what_was_planned(journal) -> None:
    done, broke = Answers(), Fault(FaultKind.RAISED, "boom")
    journal.keep_intent(intent(1), "ann", T0, done)
    steps = [ended(1), ended(1, WEB, fault=broke), ended(1, action="undo create")]
    journal.submit_events(steps, T0, 0.0, 0)
    journal.keep_outcome(ending(1), T0, done)
    until(lambda: len(done.got) == 2)
    kept = journal.generation(1)
    assert [(one.address, one.action, one.fault) for one in kept.steps] == [
        (TAGS, "create", None), (WEB, "create", broke), (TAGS, "undo create", None),
    ]  # fmt: skip
    journal.keep_intent(intent(2), "bob", T0, done)
    until(lambda: len(done.got) == 3)
    assert [(one.number, one.author, one.result, one.changes) for one in journal.generations(10)] == [
        (2, "bob", "", {"create": 1}), (1, "ann", "committed", {"create": 1}),
    ]  # fmt: skip
    assert [one.number for one in journal.generations(1)] == [2]


def test_an_outcome_that_the_disk_refuses_is_kept_once_it_does_not(on_disk, disk) -> None:
    done = Answers()
    on_disk.keep_intent(intent(1), "", T0, done)
    assert done.next() == ""
    disk.full = "COMMIT"
    on_disk.submit_events([ended(1)], T0, 0.0, 0)
    on_disk.keep_outcome(ending(1), T0, done)
    assert done.next() == "database or disk is full"
    disk.full = ""
    until(lambda: on_disk.good() == 1)
    assert (on_disk.generation(1).entry.result, len(on_disk.generation(1).steps)) == ("committed", 1)
    assert done.got == []  # once is enough


def test_no_number_is_given_twice_and_events_do_not_suffer_for_it(journal, monkeypatch) -> None:
    monkeypatch.setattr(writer, "RETRY", 0.01)
    done = Answers()
    journal.keep_intent(intent(1, proposal("first")), "", T0, done)
    assert done.next() == ""
    journal.keep_intent(intent(1, proposal("second")), "", T0, done)
    journal.submit_events(happenings(1), T0, 0.0, 0)
    assert done.next() == "UNIQUE constraint failed: generations.number"
    until(lambda: journal.last_event_seq == 1)
    assert journal.generation(1).entry.target == "first"


# --- a disk that refuses ---------------------------------------------------------------------------------------------


class Disk:
    """A connection that refuses some statements while `full` names how they begin."""

    def __init__(self, path) -> None:
        self._real = open_store(path)
        self.full = ""
        self.refused = 0

    def execute(self, statement: str, values: Any = ()) -> Any:
        if self.full and statement.startswith(self.full):
            self.refused += 1
            raise sqlite3.OperationalError("database or disk is full")
        return self._real.execute(statement, values)

    def close(self) -> None:
        self._real.close()


@pytest.fixture
def disk(path) -> Disk:
    return Disk(path)


@pytest.fixture
def on_disk(path, heard, disk, monkeypatch):
    monkeypatch.setattr(writer, "RETRY", 0.01)
    connect: Any = lambda _: disk
    journal = Journal(path, heard.extend, connect=connect)
    yield journal
    disk.full = ""
    journal.close()


@pytest.mark.parametrize("full", ["BEGIN", "INSERT", "COMMIT"])
def test_events_wait_while_the_disk_refuses_and_it_heals_by_itself(on_disk, disk, heard, full) -> None:
    on_disk.submit_events(happenings(2), T0, 0.0, 0)
    until(lambda: len(heard) == 2)
    disk.full = full
    for _ in range(5):
        on_disk.submit_events(happenings(1), T0, 0.0, 0)
    until(lambda: disk.refused > 2)
    assert on_disk.refusal == "database or disk is full"
    assert on_disk.note.startswith("the journal cannot keep anything (database or disk is full): ")
    assert on_disk.last_event_seq == len(heard) == 2
    disk.full = ""
    until(lambda: len(heard) == 7)
    assert [event.seq for event in heard] == list(range(1, 8))
    assert on_disk.events_after(0) == tuple(heard)
    assert (on_disk.refusal, on_disk.note) == ("", "")


@pytest.mark.parametrize("full", ["BEGIN", "INSERT", "COMMIT"])
def test_changes_are_refused_with_the_reason_and_taken_again_later(on_disk, disk, full) -> None:
    done = Answers()
    disk.full = full
    on_disk.keep_intent(intent(1), "", T0, done)
    assert done.next() == "database or disk is full"
    disk.full = ""
    on_disk.keep_intent(intent(1), "", T0, done)
    assert done.next() == ""
    disk.full = full
    on_disk.keep_outcome(ending(1), T0, done)
    assert done.next() == "database or disk is full"
    assert (on_disk.current(), on_disk.generation(1).entry.result) == (0, "")


def test_what_does_not_fit_is_counted_and_the_count_is_kept(on_disk, disk, heard, monkeypatch) -> None:
    monkeypatch.setattr(writer, "WAITING", 3)
    disk.full = "COMMIT"
    for _ in range(3):
        on_disk.submit_events(happenings(1), T0, 0.0, 0)
        until(lambda: disk.refused > 0)
    for _ in range(4):
        on_disk.submit_events(happenings(2), T0, 0.0, 0)
    disk.full = ""
    until(lambda: len(heard) == 4)
    assert heard[-1].body == EventsLost(8, "database or disk is full")
    assert [event.seq for event in on_disk.events_after(0)] == [1, 2, 3, 4]


def test_a_file_that_cannot_be_published_is_published_later(journal, path, monkeypatch) -> None:
    monkeypatch.setattr(writer, "RETRY", 0.01)
    done = Answers()
    tries: list[int] = []

    def refuse(*_: object) -> None:
        tries.append(1)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer, "publish_current", refuse)
    journal.keep_intent(intent(1), "", T0, done)
    journal.keep_outcome(ending(1), T0, done)
    assert (done.next(), done.next()) == ("", "")  # the store has it: a crash now would not lose it
    until(lambda: len(tries) > 1)
    assert "No space left" in journal.refusal
    assert journal.current() == 1
    monkeypatch.setattr(writer, "publish_current", publish_current)
    until(lambda: read_current(path.parent) is not None)
    until(lambda: journal.refusal == "")


def test_a_closed_journal_refuses_changes(path) -> None:
    journal, done = Journal(path, lambda _: None), Answers()
    journal.close()
    journal.keep_intent(intent(1), "", T0, done)
    assert done.got == ["the journal is closed"]


# --- the store as a file ---------------------------------------------------------------------------------------------


def test_the_store_is_private(journal, heard, path) -> None:
    journal.submit_events(happenings(1), T0, 0.0, 0)
    until(lambda: bool(heard))
    modes = {one.name: one.stat().st_mode & 0o777 for one in path.parent.iterdir()}
    assert modes == {
        "journal.sqlite": 0o600, "journal.sqlite-shm": 0o600, "journal.sqlite-wal": 0o600, "journal.open": 0o600,
    }  # fmt: skip


def test_the_store_is_as_durable_as_it_says(path) -> None:
    connection = open_store(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    connection.close()


def test_the_store_of_a_newer_program_is_refused_and_not_touched(path) -> None:
    connection = open_store(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = (path.read_bytes(), path.stat().st_mtime_ns, list(path.parent.iterdir()))
    for opened in (lambda: Journal(path, lambda _: None), lambda: events_of_store(path)):
        with pytest.raises(
            StateFolderFailure, match=r"`journal\.sqlite` has format 99, this program knows formats up to 3"
        ):
            opened()
    assert (path.read_bytes(), path.stat().st_mtime_ns, list(path.parent.iterdir())) == before


def test_a_damaged_store_is_said_to_be_damaged_to_who_only_looks(path) -> None:
    path.write_bytes(b"nonsense" * 1000)
    with pytest.raises(StateFolderFailure, match=r"`journal\.sqlite` is damaged") as caught:
        events_of_store(path)
    assert "the next runner" in caught.value.hint
    assert path.read_bytes() == b"nonsense" * 1000


def test_a_long_refusal_is_told_once_it_is_over(on_disk, disk, heard, monkeypatch) -> None:
    monkeypatch.setattr(writer, "WORTH_TELLING", 0.0)
    disk.full = "COMMIT"
    on_disk.submit_events(happenings(1), T0, 0.0, 0)
    until(lambda: disk.refused > 1)
    disk.full = ""
    until(lambda: len(heard) == 2)
    assert isinstance(heard[-1].body, JournalStalled)
    assert heard[-1].body.reason == "database or disk is full"


def test_where_no_store_is_there_is_nothing_to_read(path) -> None:
    with pytest.raises(StateFolderFailure, match="cannot be opened"):
        events_of_store(path)
    assert list(path.parent.iterdir()) == []


# --- current ---------------------------------------------------------------------------------------------------------


def test_without_a_file_nothing_is_current(tmp_path) -> None:
    assert read_current(tmp_path) is None


def test_what_is_published_is_read_back_and_names_no_secret_text(tmp_path) -> None:
    graph = proposal().graph
    publish_current(tmp_path, Base(3, graph), 2)
    read = read_current(tmp_path)
    assert read is not None
    assert (read.generation, list(read.graph.instances)) == (3, list(graph.instances))
    assert read.graph.edges == graph.edges
    assert (tmp_path / current.FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", [b"", b"{", b'{"format_version": 1}', b"\xff", b"[]"])
def test_a_damaged_file_is_said_to_be_damaged_with_a_way_out(tmp_path, text) -> None:
    (tmp_path / current.FILE).write_bytes(text)
    with pytest.raises(StateFolderFailure, match="`current` is damaged") as caught:
        read_current(tmp_path)
    assert caught.value.hint.startswith("remove `")


def test_a_newer_file_is_refused(tmp_path) -> None:
    (tmp_path / current.FILE).write_bytes(b'{"format_version": 3, "shape": "unknown"}')
    with pytest.raises(StateFolderFailure, match="newer ignrun"):
        read_current(tmp_path)


def test_lost_happenings_do_not_keep_a_change_from_being_kept(path, heard, monkeypatch) -> None:
    monkeypatch.setattr(writer, "WAITING", 0)
    journal = Journal(path, heard.extend)
    journal.submit_events(happenings(3), T0, 1.0, 0)
    answers: list[str] = []
    journal.keep_intent(intent(1), "somebody", T0, answers.append)
    until(lambda: bool(answers))
    assert answers == [""]
    journal.close()
