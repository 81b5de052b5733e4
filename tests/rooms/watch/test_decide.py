"""What the watcher decides: every settled edit once, nothing half-written, nothing for what changes no content."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ignrun.runtime.watch.decide import decide
from ignrun.runtime.watch.held import held_back
from ignrun.runtime.watch.model import CAP, Hinted, Paused, Refused, Resumed, Scan, WatchState
from ignrun.runtime.watch.picture import differing
from tests.rooms.watch.pretended import LATENCY, LOOK, Pretended


def texts(world: Pretended, path: str = "a") -> list[str]:
    return [seen[path] for _, seen in world.readings]


def test_a_renamed_file_settles_in_25_ms():
    world = Pretended({"a": "0"})
    began = world.now
    world.write("a", "1")
    world.run(1)
    assert texts(world) == ["1"]
    assert world.asked[0] - began == pytest.approx(0.025 + LATENCY + LOOK, abs=0.001)


def test_a_file_that_nobody_closed_settles_in_the_time_that_the_manifest_says():
    world = Pretended({"a": "0"}, settle=0.3)
    began = world.now
    world.write("a", "1", complete=False)
    world.run(1)
    assert texts(world) == ["1"]
    assert world.asked[0] - began == pytest.approx(0.3 + LATENCY + LOOK, abs=0.001)


def test_what_is_written_in_pieces_is_read_as_a_whole():
    world = Pretended({"a": "0"})
    for piece in ("", "1", "12", "123"):
        world.write("a", piece, complete=False)
        world.run(0.08)
    world.run(1)
    assert texts(world) == ["123"]


def test_files_that_are_written_together_are_one_edit():
    world = Pretended(dict.fromkeys("abcdefgh", "0"))
    for name in "abcdefgh":
        world.write(name, "1")
        world.run(0.01)
    world.run(1)
    assert len(world.readings) == 1
    assert set(world.readings[0][1].values()) == {"1"}


def test_a_burst_without_end_is_read_after_two_seconds_and_its_end_after_it():
    world = Pretended({"a": "0"})
    began = world.now
    for number in range(100):
        world.write("a", str(number), complete=False)
        world.run(0.05)
    assert world.asked[0] - began < CAP + 0.1
    world.run(1)
    assert texts(world)[-1] == "99"
    assert len(world.readings) <= 4


def test_what_changes_no_content_starts_no_reading():
    world = Pretended({"a": "0"})
    for _ in range(20):
        world.hint("a", complete=True)
        world.run(0.2)
    assert world.readings == []


def test_a_change_that_is_taken_back_before_it_settles_is_none():
    world = Pretended({"a": "0"})
    world.write("a", "1")
    world.run(0.01)
    world.write("a", "0")
    world.run(1)
    assert world.readings == []


def test_an_edit_during_an_apply_is_read_when_that_has_ended_and_only_the_latest():
    world = Pretended({"a": "0"})
    world.write("a", "1")
    world.run(0.04)
    for text in ("2", "3", "4"):
        world.write("a", text)
        world.run(0.001)
    world.run(1)
    assert texts(world)[-1] == "4"
    assert len(world.readings) <= 2


def test_without_events_a_change_is_found_within_six_seconds_and_looked_for_more_often_from_then_on():
    world = Pretended({"a": "0"})
    world.deaf = True
    world.run(3)
    began = world.now
    world.write("a", "1")
    world.run(6)
    assert texts(world) == ["1"]
    assert world.asked[0] - began < 6
    assert [one.state for one in world.turned] == ["polling"]
    began = world.now
    world.write("a", "2")
    world.run(1)
    assert texts(world) == ["1", "2"]


def test_one_that_hears_its_events_is_not_taken_for_deaf_by_an_edit_just_before_a_full_look():
    world = Pretended({"a": "0"})
    for number in range(60):
        world.run(0.4991)
        world.write("a", str(number + 1))
    world.run(1)
    assert world.turned == []
    assert texts(world)[-1] == "60"


def test_an_edit_whose_event_comes_while_a_look_is_under_way_is_not_taken_for_unannounced():
    world = Pretended({"a": "0"})
    world.run(4.8)
    while not world.state.scanning:
        world.run(0.0005)
    world.write("a", "1")
    world.run(1)
    assert texts(world) == ["1"]
    assert world.turned == []


def test_after_an_overflow_everything_is_read():
    world = Pretended({"a": "0", "b": "0"})
    world.disk["b"] = "1"
    world.hear(Hinted(lost=True))
    world.run(0.5)
    assert texts(world, "b") == ["1"]
    assert world.turned == []


def test_every_five_seconds_everything_is_read():
    world = Pretended({"a": "0"})
    world.run(30)
    assert [one.whole for one in world.looks] == [True] * 7  # the first at once


def test_nothing_is_read_while_git_holds_its_lock():
    world = Pretended({"a": "0"})
    world.lock = "/p/.git/index.lock"
    world.write("a", "1")
    world.run(3)
    assert world.readings == []
    assert held_back(world.state) == ("`/p/.git/index.lock` exists: 1 changed file until git is done",)
    world.lock = ""
    world.run(0.2)
    assert texts(world) == ["1"]
    assert held_back(world.state) == ()


def test_paused_holds_everything_back_and_resuming_is_one_edit():
    world = Pretended({"a": "0"})
    world.hear(Paused("anna"))
    for text in "123":
        world.write("a", text)
        world.run(1)
    assert world.readings == []
    assert held_back(world.state) == ("paused by anna: 1 changed file",)
    world.hear(Resumed("anna"))
    world.run(0.2)
    assert texts(world) == ["3"]
    assert [one.state for one in world.turned] == ["paused", "watching"]


def test_with_a_trigger_only_its_change_starts_a_reading():
    world = Pretended({"a": "0"}, trigger="t")
    world.write("a", "1")
    world.run(6)
    assert world.readings == []
    assert held_back(world.state) == ("`t` has not changed: 1 changed file",)
    world.write("t", "now")
    world.run(1)
    assert texts(world) == ["1"]
    world.write("a", "2")
    world.run(6)
    assert texts(world) == ["1"]


def test_a_refused_set_is_left_alone_until_its_content_changes():
    world = Pretended({"a": "0"})
    world.write("a", "bad")
    world.run(60)
    assert texts(world) == ["bad"]
    world.write("a", "good")
    world.run(1)
    assert texts(world) == ["bad", "good"]


def test_a_reading_that_says_nothing_of_what_it_saw_is_tried_once_more_and_then_left():
    world = Pretended({"a": "0"})
    world.follows = False
    world.write("a", "1")
    world.run(60)
    assert texts(world) == ["1", "1"]


def test_a_reading_may_begin_while_an_edit_settles_and_once_for_each():
    world = Pretended({"a": "0"})
    world.write("a", "1")
    world.run(0.005)
    assert (world.stirred, world.asked) == (1, [])
    world.write("a", "2")
    world.run(1)
    assert world.stirred == 1
    world.write("a", "3")
    world.run(1)
    assert world.stirred == 2


def test_what_the_system_refuses_is_said_once():
    world = Pretended({"a": "0"})
    world.hear(Refused("inotify watch limit reached"))
    world.hear(Refused("inotify watch limit reached"))
    assert [(one.state, one.reason) for one in world.turned] == [("polling", "inotify watch limit reached")]


# --- loops ------------------------------------------------------------------------------------------------------------


def looping(**state) -> Pretended:
    """Make a plant whose module writes into a watched file whenever it was started."""
    world = Pretended({"a": "0", "b": "0"}, **state)
    world.on_outcome = lambda: world.at(0.3, lambda: world.write("a", f"{world.now}"))
    world.write("a", "1")
    return world


def test_a_module_that_writes_into_what_is_watched_is_suspended_and_named():
    world = looping()
    world.suspects = frozenset({"historian@gateway", "web@gateway"})
    world.run(1)
    world.suspects = frozenset({"historian@gateway"})
    world.run(60)
    assert len(world.readings) < 12
    [told] = world.turned
    assert told.state == "suspended"
    assert told.reason.startswith("historian@gateway writes into `a`, which is watched")
    assert held_back(world.state) == (f"suspended: {told.reason}",)


def test_another_file_is_applied_while_one_is_suspended():
    world = looping()
    world.suspects = frozenset({"historian@gateway"})
    world.run(60)
    before = len(world.readings)
    world.on_outcome = lambda: None
    world.write("b", "1")
    world.run(1)
    assert len(world.readings) == before + 1
    assert texts(world, "b")[-1] == "1"


def test_resuming_lets_a_suspended_file_try_again():
    world = looping()
    world.suspects = frozenset({"historian@gateway"})
    world.run(60)
    before = len(world.readings)
    world.on_outcome = lambda: None
    world.hear(Resumed("anna"))
    world.run(1)
    assert len(world.readings) == before + 1


def test_somebody_outside_who_saves_often_is_no_loop():
    world = looping()
    world.suspects = frozenset()
    world.run(30)
    assert len(world.readings) > 60
    assert world.turned == []


# --- laws -------------------------------------------------------------------------------------------------------------

PATHS = ("a", "b", "c")
MOVES = st.lists(
    st.tuples(
        st.sampled_from(PATHS),
        st.sampled_from("0123"),
        st.booleans(),
        st.sampled_from([0.0, 0.001, 0.02, 0.06, 0.4, 1.7, 3.0]),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(MOVES, st.booleans())
def test_every_settled_edit_is_read_once_and_in_time(moves, deaf):
    world = Pretended(dict.fromkeys(PATHS, "0"))
    world.deaf = deaf
    for path, text, complete, pause in moves:
        world.write(path, text, complete=complete)
        world.run(pause)
    world.run(6.2 if deaf else 2.2)
    last = world.readings[-1][1] if world.readings else dict.fromkeys(PATHS, "0")
    assert last == {path: world.disk[path] for path in PATHS}
    for edit, known in world.edits:
        assert edit.files
        assert all(edit.picture[path] != known[path] for path in edit.files)
    read = len(world.readings)
    world.run(30)
    assert len(world.readings) == read


@settings(max_examples=60, deadline=None)
@given(MOVES)
def test_nothing_that_is_handed_in_is_written_into(moves):
    state = WatchState(base=dict.fromkeys(PATHS, "0"))
    kept = replace(state, base=dict(state.base), pending=dict(state.pending))
    decide(state, (Hinted(lost=True), Paused("a"), Refused("b")), 1.0)
    assert state == kept
    assert differing(state.base, dict.fromkeys(PATHS, "0")) == ()


def test_at_most_one_look_is_under_way():
    world = Pretended({"a": "0"})
    under_way = 0

    def watched(state, inbox, now):
        nonlocal under_way
        after, effects = decide(state, inbox, now)
        under_way += sum(isinstance(one, Scan) for one in effects)
        under_way -= sum(type(one).__name__ == "Scanned" for one in inbox)
        assert under_way in {0, 1}
        return after, effects

    world.decide = watched
    for number in range(200):
        world.write("a", str(number), complete=number % 3 == 0)
        world.run(0.013)
    world.run(6)


# --- a sabotaged build is caught --------------------------------------------------------------------------------------


def test_without_the_full_look_an_edit_whose_events_are_lost_is_never_read(monkeypatch):
    monkeypatch.setattr("ignrun.runtime.watch.decide.RESCAN", 1e9)
    world = Pretended({"a": "0"})
    world.deaf = True
    world.write("a", "1")
    world.run(60)
    assert world.readings == []


def test_without_settling_a_half_written_file_is_read(monkeypatch):
    monkeypatch.setattr("ignrun.runtime.watch.decide.CAP", 0.0)
    world = Pretended({"a": "0"})
    for piece in ("", "1", "12", "123"):
        world.write("a", piece, complete=False)
        world.run(0.08)
    world.run(1)
    assert texts(world) != ["123"]
