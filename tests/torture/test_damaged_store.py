"""Damages stores and looks whether what is read afterwards is what was once acknowledged: nothing else, and no less than can be read."""

import random
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from ignrun.runtime.journal import damage, generations, salvage, store
from ignrun.runtime.journal.schema import open_for_reading
from ignrun.runtime.journal.writer import Journal
from ignrun.runtime.supervise.effects import Result
from ignrun.terms.events import ApplyEnded, Event, EventsLost, JournalMended
from tests.rooms.journal.plants import T0, ended, ending, happenings, intent, proposal
from tests.rooms.journal.test_writer import Answers, until

QUICK, FULL = 40, 500
PAGE = 4096
GENERATIONS = 6
RESULTS = (Result.COMMITTED, Result.COMMITTED, Result.REJECTED, Result.COMMITTED, Result.HELD, Result.COMMITTED)


class Acknowledged(msgspec.Struct):
    """What a journal said that it keeps."""

    generations: dict[int, bytes]
    events: dict[int, Event]


def written(folder: Path) -> Acknowledged:
    """Let a runner write a journal and die: the store, a WAL that holds the last of it, and an older state of both in `older`."""
    heard: list[Event] = []
    done = Answers()
    live = folder / "live"
    live.mkdir(parents=True)
    journal = Journal(live / "journal.sqlite", heard.extend)
    made: dict[int, bytes] = {}
    for number, result in zip(range(1, GENERATIONS + 1), RESULTS, strict=True):
        asked = intent(number, proposal(f"target {number}"))
        made[number] = msgspec.msgpack.encode(asked.proposal)
        journal.keep_intent(asked, "ann", T0, done)
        journal.submit_events([*happenings(40), ended(number)], T0, 0.5, number)
        journal.keep_outcome(ending(number, result, asked.proposal), T0, done)
        assert (done.next(), done.next()) == ("", "")
        until(lambda: heard[-1:] != [] and heard[-1].seq == 41 * number)  # noqa: B023 - asked at once
        if number == GENERATIONS // 2:
            shutil.copytree(live, folder / "older")
            fold(journal)
    shutil.copytree(live, folder / "dead")  # what a kill leaves, or a power cut: the bytes as they are
    journal.close()
    return Acknowledged(made, {event.seq: event for event in heard})


def fold(journal: Journal) -> None:
    """Let SQLite move the WAL into the store and begin it anew, as it does now and then."""
    journal._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


# --- damage -----------------------------------------------------------------------------------------------------------

Harm = Callable[[random.Random, Path, Path], str]


def flip(chance: random.Random, folder: Path, older: Path) -> str:
    path = chance.choice([one for one in sorted(folder.glob("journal.sqlite*")) if one.suffix != ".sqlite-shm"])
    data = bytearray(path.read_bytes())
    at, bit = chance.randrange(len(data)), chance.randrange(8)
    data[at] ^= 1 << bit
    path.write_bytes(data)
    return f"bit {bit} of byte {at} of {path.name} flipped"


def cut(chance: random.Random, folder: Path, older: Path) -> str:
    path = chance.choice(sorted(folder.glob("journal.sqlite*")))
    length = chance.randrange(path.stat().st_size + 1)
    with path.open("r+b") as file:
        file.truncate(length)
    return f"{path.name} cut to {length} bytes"


def zero(chance: random.Random, folder: Path, older: Path) -> str:
    path = chance.choice([folder / "journal.sqlite", folder / "journal.sqlite-wal"])
    page = chance.randrange(path.stat().st_size // PAGE)
    with path.open("r+b") as file:
        file.seek(page * PAGE)
        file.write(bytes(PAGE))
    return f"page {page} of {path.name} zeroed"


def lose_wal(chance: random.Random, folder: Path, older: Path) -> str:
    for suffix in ("-wal", "-shm"):
        (folder / f"journal.sqlite{suffix}").unlink()
    return "WAL gone"


def stale_wal(chance: random.Random, folder: Path, older: Path) -> str:
    shutil.copyfile(older / "journal.sqlite-wal", folder / "journal.sqlite-wal")
    (folder / "journal.sqlite-shm").unlink()
    return "WAL of an earlier time"


HARMS: tuple[Harm, ...] = (flip, flip, flip, cut, zero, zero, lose_wal, stale_wal)


# --- what must hold ---------------------------------------------------------------------------------------------------


def harmed(source: Path, place: Path, chance: random.Random, number: int) -> str:
    shutil.copytree(source / "dead", place)
    words = [HARMS[number % len(HARMS)](chance, place, source / "older")]
    if chance.random() < 0.2:  # the file beside it, too
        path = place / "current"
        path.write_bytes(path.read_bytes()[: chance.randrange(2000)])
        words.append("`current` cut")
    return ", ".join(words)


def flaws_after(place: Path, known: Acknowledged, harm: str) -> list[str]:
    """Open the store as the next runner does, twice, and say what is not as promised."""
    before = (place / "journal.sqlite").read_bytes()
    heard: list[Event] = []
    journal = Journal(place / "journal.sqlite", heard.extend)
    found = journal.recovered().damage
    until(lambda: len(heard) >= len(journal.recovered().notes))
    flaws = [*flaws_of(journal, known)]
    if found and found.quarantined.exists() and found.quarantined.read_bytes() != before:
        flaws.append("the damaged store was not kept as it was")
    if found and not any(isinstance(event.body, JournalMended) for event in heard):
        flaws.append("nobody was told")
    if "`current`" not in harm and journal.good() != GENERATIONS:
        flaws.append(f"good is {journal.good()}")
    journal.close()
    again = Journal(place / "journal.sqlite", lambda _: None)
    if again.recovered().damage:
        flaws.append(f"still damaged: {again.recovered().damage}")
    again.close()
    return flaws


NEW = (EventsLost, JournalMended, ApplyEnded)
"""What is said after the damage."""


def flaws_of(journal: Journal, known: Acknowledged) -> list[str]:
    flaws: list[str] = []
    for entry in journal.generations(100):
        kept = journal.generation(entry.number)
        if (
            kept is not None
            and entry.trigger != "salvage"
            and msgspec.msgpack.encode(kept.content) != known.generations.get(entry.number)
        ):
            flaws.append(f"generation {entry.number} is not what was acknowledged")
    events = journal.events_after(0, 10**6)
    seqs = [event.seq for event in events]
    if seqs and seqs != list(range(seqs[0], seqs[-1] + 1)):  # the oldest may be lost, as if they had been forgotten
        flaws.append("numbers are missing")
    for event in events:
        if not isinstance(event.body, NEW) and event != known.events.get(event.seq):
            flaws.append(f"event {event.seq} is not what was acknowledged")
    for name in (journal.current(), journal.good()):
        if name and journal.generation(name) is None:
            flaws.append(f"a pointer leads to {name}, which cannot be read")
    return flaws


def tortured(tmp_path: Path, rounds: int) -> list[str]:
    """Damage the same store in so many ways, and give what went wrong."""
    known = written(tmp_path)
    chance = random.Random(4711)
    said: list[str] = []
    for number in range(rounds):
        place = tmp_path / "harmed"
        harm = harmed(tmp_path, place, chance, number)
        said += [f"{number}: {harm}: {flaw}" for flaw in flaws_after(place, known, harm)]
        shutil.rmtree(place)
    return said


def test_a_damaged_store_gives_what_was_acknowledged_or_says_that_it_cannot(tmp_path) -> None:
    assert tortured(tmp_path, QUICK) == []


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_many_damaged_stores(tmp_path) -> None:
    assert tortured(tmp_path, FULL) == []
    print(f"damaged stores: {FULL} damaged, 0 flaws")


def test_this_way_of_looking_finds_a_journal_that_believes_what_it_reads(tmp_path, monkeypatch) -> None:
    believes: Callable[[object], bool] = lambda _: True
    for room, name in (
        (store, "is_as_written"), (damage, "is_as_written"), (salvage, "is_as_written"),
        (generations, "is_generation_as_written"), (salvage, "is_generation_as_written"),
    ):  # fmt: skip
        monkeypatch.setattr(room, name, believes)
    monkeypatch.setattr(salvage, "_TABLES", {
        name: msgspec.structs.replace(table, is_sound=believes) for name, table in salvage._TABLES.items()
    })  # fmt: skip
    known = written(tmp_path)
    chance = random.Random(4711)
    found = 0
    for number in range(QUICK):
        place = tmp_path / f"harmed{number}"
        shutil.copytree(tmp_path / "dead", place)
        flip(chance, place, tmp_path / "older")
        found += bool(seen_in(place, known))
        if found:
            return
    pytest.fail("nothing was found")


def seen_in(place: Path, known: Acknowledged) -> list[str]:
    """Look at a store as it is, by itself."""
    journal = Journal(place / "journal.sqlite", lambda _: None)
    try:
        return flaws_of(journal, known)
    except ValueError as error:  # it may break on what it believes
        return [repr(error)]
    finally:
        journal.close()


def test_a_store_that_is_sound_is_left_alone(tmp_path) -> None:
    written(tmp_path)
    for place in (tmp_path / "dead", tmp_path / "live"):
        journal = Journal(place / "journal.sqlite", lambda _: None)
        assert journal.recovered().damage is None
        journal.close()
        assert list(place.glob("*damaged*")) == []
        with closing(open_for_reading(place / "journal.sqlite")) as looked:
            assert looked.execute("PRAGMA integrity_check").fetchone() == ("ok",)
