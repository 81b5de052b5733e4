"""Holds kinship to its laws, on tables that are made up."""

import os
import signal
import subprocess

from hypothesis import given
from hypothesis import strategies as st

from ignrun.protocol.kin import Identity, Process, ancestors, identity_of, kin_of, of_plant, process_table, send

OURS = "token/web@gateway/1"


def process(pid: int, parent: int = 1, session: int = 0, marker: str = "") -> Process:
    return Process(Identity(pid, pid * 10), "x", parent, session or pid, session or pid, marker)


def table_of(*processes: Process) -> dict[int, Process]:
    return {one.identity.pid: one for one in processes}


def pids(found) -> set[int]:
    return {identity.pid for identity in found}


@st.composite
def tables(draw) -> dict[int, Process]:
    size = draw(st.integers(1, 30))
    made = []
    for pid in range(2, 2 + size):
        parent = draw(st.integers(1, pid - 1))
        marker = draw(st.sampled_from(["", "", OURS, "other/web@gateway/1"]))
        made.append(process(pid, parent, draw(st.sampled_from([pid, parent])), marker))
    return table_of(*made)


@given(tables())
def test_without_anybody_known_nobody_is_kin(table) -> None:
    assert kin_of(table) == frozenset()


@given(tables())
def test_children_of_kin_are_kin(table) -> None:
    found = pids(kin_of(table, (), of_plant("token")))
    assert {pid for pid, one in table.items() if one.parent in found} <= found
    assert {pid for pid, one in table.items() if one.marker == OURS} <= found


@given(tables())
def test_nobody_is_kin_without_a_reason(table) -> None:
    found = pids(kin_of(table, (), of_plant("token")))
    for pid in found:
        one = table[pid]
        assert one.marker == OURS or one.parent in found or one.session in found


@given(tables())
def test_to_ask_again_with_what_was_found_finds_no_less(table) -> None:
    found = kin_of(table, (), of_plant("token"))
    assert found <= kin_of(table, found, of_plant("token"))


def test_a_pid_that_is_used_again_is_a_stranger() -> None:
    table = table_of(process(7), process(8, 7))
    assert kin_of(table, [Identity(7, 1)]) == frozenset()
    assert pids(kin_of(table, [Identity(7, 70)])) == {7, 8}


def test_a_held_session_is_ours_though_its_leader_has_ended() -> None:
    assert pids(kin_of(table_of(process(8, 1, 7), process(9, 8), process(10)), held=[7])) == {8, 9}


def test_ancestors_lead_to_the_root_of_the_table() -> None:
    assert [*ancestors(table_of(process(7), process(8, 7), process(9, 8)), 9)] == [9, 8, 7]


def test_a_signal_reaches_its_process_and_nobody_who_has_its_pid() -> None:
    child = subprocess.Popen(["sleep", "1000"])
    identity = identity_of(child.pid)
    assert identity
    assert not send(Identity(child.pid, identity.start - 1), signal.SIGKILL)
    assert send(identity, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert not send(identity, signal.SIGKILL)


def test_the_table_shows_this_process() -> None:
    me = process_table()[os.getpid()]
    assert (me.identity, me.parent) == (identity_of(os.getpid()), os.getppid())
