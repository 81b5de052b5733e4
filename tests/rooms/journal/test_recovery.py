"""Holds an opened store to its word: no intent without a result, no pointer that leads nowhere, nothing kept for ever."""

import hashlib
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from ignrun.manifest.inputs import InputFile
from ignrun.planner.proposal import Proposal
from ignrun.protocol.code import CodeIndex
from ignrun.runtime.journal import code, retention
from ignrun.runtime.journal.code import CodeStore
from ignrun.runtime.journal.current import FILE, read_published
from ignrun.runtime.journal.recovery import recover
from ignrun.runtime.journal.schema import MIGRATIONS, VERSION, open_store
from ignrun.runtime.journal.store import UNSUMMED, move_pointer
from ignrun.runtime.journal.writer import Journal, events_of_store
from ignrun.runtime.supervise.effects import KeepIntent, Result
from ignrun.terms.events import ApplyEnded, EventsLost, OperatorAsked
from tests.rooms.journal.plants import T0, ended, ending, happenings, intent, proposal
from tests.rooms.journal.test_writer import Answers, encoded, until


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.sqlite"


def new_journal(path: Path, store: CodeStore | None = None) -> Journal:
    return Journal(path, lambda _: None, code=store)


def kept(journal: Journal, *numbers: int, result: Result | None = Result.COMMITTED) -> None:
    """Have these generations kept, with this result."""
    done = Answers()
    for number in numbers:
        journal.keep_intent(intent(number), "ann", T0, done)
        assert done.next() == ""
        if result:
            journal.keep_outcome(ending(number, result), T0, done)
            assert done.next() == ""


# --- what a runner that died has left ---------------------------------------------------------------------------------


def test_an_apply_that_was_cut_off_is_closed_told_and_not_in_force(path) -> None:
    journal = new_journal(path)
    kept(journal, 1)
    kept(journal, 2, result=None)
    journal.submit_events([ended(2)], T0, 0.0, 1)
    journal.close()
    again = new_journal(path)
    found = again.recovered().interrupted
    assert [(one.transaction, one.generation, one.done, one.steps) for one in found] == [(2, 2, 1, 1)]
    assert [one.result for one in again.generations()] == ["interrupted", "committed"]
    assert (again.current(), again.good()) == (1, 1)
    until(lambda: again.last_event_seq == 2)
    assert again.events_after(1)[0].body == ApplyEnded(
        2, "interrupted", "the runner died in the middle of it: 1 of 1 steps had been done"
    )
    again.close()
    third = new_journal(path)  # once is enough
    assert (third.recovered().interrupted, third.last_event_seq) == ((), 2)
    third.close()


def test_recovering_twice_is_recovering_once(path) -> None:
    journal = new_journal(path)
    kept(journal, 1, result=None)
    journal.close()
    with closing(open_store(path)) as connection:
        first = recover(connection, T0)
        rows = list(connection.iterdump())
        assert recover(connection, datetime.now(UTC)).interrupted == ()
        assert list(connection.iterdump()) == rows
    assert len(first.interrupted) == 1


@pytest.mark.parametrize(("name", "wrong"), [("good", 7), ("current", 9), ("current", None)])
def test_a_pointer_that_leads_nowhere_leads_to_the_last_generation_that_was_in_force(path, name, wrong) -> None:
    journal = new_journal(path)
    kept(journal, 1, 2)
    kept(journal, 3, result=Result.REJECTED)
    journal.close()
    with closing(open_store(path)) as connection:
        if wrong is None:
            connection.execute("UPDATE pointers SET generation = 1 WHERE name = ?", (name,))  # a flipped bit
        else:
            move_pointer(connection, name, wrong)
    again = new_journal(path)
    assert (again.current(), again.good()) == (2, 2)
    assert again.recovered().damage is not None
    assert [one.number for one in again.generations()] == [3, 2, 1]
    again.close()


@pytest.mark.parametrize("damage", [None, b"", b'{"format_version": 2}', "flip"])
def test_the_file_current_is_written_anew_where_it_does_not_say_what_the_store_says(path, damage) -> None:
    journal = new_journal(path)
    kept(journal, 1)
    journal.close()
    file = path.parent / FILE
    before = file.read_bytes()
    if damage is None:
        file.unlink()
    else:
        file.write_bytes(before.replace(b"tags", b"bags") if damage == "flip" else damage)
    again = new_journal(path)
    until(lambda: file.exists() and file.read_bytes() == before)
    again.close()
    published = read_published(path.parent)
    assert published is not None
    assert (published.generation, published.good) == (1, 1)


def test_what_is_published_holds_all_that_it_takes_to_start_without_the_store(path) -> None:
    journal = new_journal(path)
    kept(journal, 1)
    journal.close()
    published, made = read_published(path.parent), proposal()
    assert published is not None
    rest = published.made_from
    assert rest is not None
    assert encoded(replace(rest, graph=made.graph, plan=made.plan)) == encoded(made)


# --- what is kept, and for how long -----------------------------------------------------------------------------------


def with_code(number: int, folder: Path) -> KeepIntent:
    """Propose a plant whose code and manifest differ with the number."""
    source, manifest = folder / f"tags{number}.py", folder / "plant.yaml"
    source.write_text(f"x = {number}\n")
    manifest.write_text(f"n: {number}\n")
    files = (InputFile(str(manifest), hashlib.sha256(manifest.read_bytes()).hexdigest(), "manifest"),)
    index = CodeIndex({str(source): hashlib.sha256(source.read_bytes()).hexdigest()})
    return intent(number, replace(proposal(), code={f"c{number}": index}, files=files))


def test_the_latest_generations_stay_and_so_do_those_in_force_with_their_code(path, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(retention, "GENERATIONS", 3)
    monkeypatch.setattr(code, "SPARED", 0)
    codes = CodeStore(tmp_path / "code")
    journal, done = new_journal(path, codes), Answers()
    for number in range(1, 9):
        asked = with_code(number, tmp_path)
        codes.keep(asked.proposal.code, asked.proposal.files)
        journal.keep_intent(asked, "", T0, done)
        journal.submit_events([ended(number)], T0, 0.0, 0)
        journal.keep_outcome(ending(number, Result.COMMITTED if number < 3 else Result.REJECTED), T0, done)
        assert (done.next(), done.next()) == ("", "")
    assert [one.number for one in journal.generations(100)] == [8, 7, 6, 2]
    assert [codes.read(f"c{number}") is not None for number in range(1, 9)] == [
        number in {2, 6, 7, 8} for number in range(1, 9)
    ]
    assert codes.text(with_code(2, tmp_path).proposal.files[0].digest) == b"n: 2\n"
    assert codes.text(with_code(5, tmp_path).proposal.files[0].digest) is None
    assert (journal.last_generation(), journal.last_transaction()) == (8, 8)
    journal.close()
    with closing(open_store(path)) as connection:
        for table in ("intents", "results", "steps"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (4,)


def test_the_latest_events_stay_and_numbers_go_on(path, monkeypatch) -> None:
    monkeypatch.setattr(retention, "EVENTS", 50)
    monkeypatch.setattr(retention, "SLACK", 10)
    journal = new_journal(path)
    for _ in range(100):
        seen = journal.last_event_seq
        journal.submit_events(happenings(1), T0, 0.0, 0)
        until(lambda: journal.last_event_seq > seen)  # noqa: B023 - asked at once
    kept_numbers = [event.seq for event in journal.events_after(0)]
    assert kept_numbers == list(range(kept_numbers[0], 101))
    assert 50 <= len(kept_numbers) <= 61
    journal.close()


# --- stores of former formats -----------------------------------------------------------------------------------------


def former_store(path: Path, version: int, made: Proposal | None = None) -> None:
    """Write a store as the program of that format did: one generation in force, one event."""
    made = made or proposal()
    content = {name: getattr(made, name) for name in ("files", "environment", "graph", "plan", "names", "call")}
    with closing(open_store(path, version)) as connection:
        connection.execute(
            "INSERT INTO generations (number, parent, target, trigger, author, at, content) VALUES (1, 0, ?, 'cli', 'ann', ?, ?)",
            (made.target, T0.isoformat(), msgspec.msgpack.encode(content)),
        )
        connection.execute(
            "INSERT INTO intents (transaction_number, generation, at) VALUES (1, 1, ?)", (T0.isoformat(),)
        )
        connection.execute(
            "INSERT INTO results (intent, result, summary, faults, at) VALUES (1, 'committed', 'all', '{}', ?)",
            (T0.isoformat(),),
        )
        connection.execute("UPDATE pointers SET generation = 1")
        connection.execute(
            "INSERT INTO events (seq, at, mono, subject, generation, kind, body) VALUES (1, ?, 0.5, 'a', 1, 'operator-asked', ?)",
            (T0.isoformat(), '{"type":"operator-asked","verb":"restart","by":"ann"}'),
        )


@pytest.mark.parametrize("version", range(1, VERSION))
def test_a_store_of_every_former_format_is_taken_over_with_all_that_it_holds(path, version) -> None:
    former_store(path, version)
    before = path.read_bytes()
    assert [event.seq for event in events_of_store(path)] == [1]  # who only looks changes nothing
    assert path.read_bytes() == before
    journal = new_journal(path)
    found = journal.generation(1)
    assert found is not None
    assert (found.entry.result, found.entry.author, found.entry.is_sound) == ("committed", "ann", True)
    assert encoded(found.content.graph) == encoded(proposal().graph)
    assert (journal.current(), journal.good()) == (1, 1)
    assert journal.events_after(0)[0].body == OperatorAsked("restart", "ann")
    kept(journal, 2)
    assert journal.good() == 2
    journal.close()
    assert [event.seq for event in events_of_store(path)] == [1]


def test_a_migration_that_is_cut_off_leaves_the_former_format_whole(path, monkeypatch) -> None:
    former_store(path, VERSION - 1)
    monkeypatch.setattr("ignrun.runtime.journal.schema.MIGRATIONS", (*MIGRATIONS[:-1], MIGRATIONS[-1] + "nonsense;"))
    with pytest.raises(Exception, match="nonsense"):
        new_journal(path)
    monkeypatch.undo()
    journal = new_journal(path)
    assert [one.result for one in journal.generations()] == ["committed"]
    journal.close()


def test_sums_tell_a_flipped_bit_in_whatever_is_kept(path) -> None:
    journal = new_journal(path)
    kept(journal, 1, 2)
    journal.submit_events(happenings(2), T0, 0.0, 0)
    until(lambda: journal.last_event_seq == 2)
    journal.close()
    with closing(open_store(path)) as connection:
        assert connection.execute("SELECT count(*) FROM events WHERE sum = ?", (UNSUMMED,)).fetchone() == (0,)
        connection.execute("UPDATE events SET body = replace(body, 'number 0', 'number 1') WHERE seq = 1")
        connection.execute("UPDATE generations SET author = 'bob' WHERE number = 1")
        connection.execute("UPDATE results SET result = 'committee'")
    again = new_journal(path)
    assert again.generation(1) is None
    assert [(one.is_sound, one.result) for one in again.generations(5)] == [(True, ""), (False, "")]
    lost, sound = again.events_after(0)[:2]
    assert (lost.seq, lost.body) == (1, EventsLost(1, "the journal was damaged here"))
    assert sound.body == OperatorAsked("restart", "number 1")
    assert again.good() == 2
    again.close()
