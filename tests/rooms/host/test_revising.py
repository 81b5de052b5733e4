"""Holds changes in place to their promises: agreed to before anything happens, and then the same object with the new config or an error."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from ignrun.protocol.orders import Binding, Prepare, Revise, Revision, Timeouts
from ignrun.protocol.reports import Prepared, Revised
from ignrun.terms.fault import FaultKind
from ignrun.terms.leaves import ExportNamed, Pending
from tests.rooms.host import plays
from tests.rooms.host.harness import FakeRunner, assignment, needs

PLAYS = "tests.rooms.host.plays:"
A, TAGS, SPARE = "a@gateway", "tags@gateway", "spare@gateway"
SHORT = Timeouts(reconfigure=0.1, stop=0.4, health=0.1, health_interval=0.005)
CHANGE = 7


def revision(
    address: str = A,
    *,
    paths: tuple[Any, ...] = (("flush",),),
    slots: tuple[str, ...] = (),
    epoch: int = 1,
    **more: Any,
) -> Revision:
    bindings: tuple[Binding, ...] = more.pop("bindings", ())
    pending, secrets = more.pop("pending", ()), more.pop("secrets", ())
    return Revision(address, epoch, CHANGE, more, pending, secrets, bindings, paths, slots)


@pytest.fixture
def up(runner: FakeRunner, tmp_path, monkeypatch) -> Callable[..., FakeRunner]:
    monkeypatch.setattr("ignrun.host.callbacks.GRACE", 0.1)

    def bring_up(play: str = "Tunable", *, bindings=(), timeouts=SHORT, others=(), **config: Any) -> FakeRunner:
        others = tuple(assignment(one, PLAYS + "Tags", tmp_path) for one in others)
        mine = assignment(A, PLAYS + play, tmp_path, config=config, bindings=bindings, timeouts=timeouts)
        assert runner.load(*others, mine).faults == ()
        runner.start(*(one.address for one in others), A)
        runner.until_state(A, "running")
        return runner

    return bring_up


def ask(runner: FakeRunner, *revisions: Revision) -> list[Any]:
    before = len(runner.said(Prepared))
    runner.tell(Prepare(revisions))
    runner.until(lambda: len(runner.said(Prepared)) == before + len(revisions))
    return runner.said(Prepared)[before:]


def change(runner: FakeRunner, *revisions: Revision) -> list[Any]:
    before = len(runner.said(Revised))
    runner.tell(Revise(revisions))
    runner.until(lambda: len(runner.said(Revised)) == before + len(revisions))
    return runner.said(Revised)[before:]


def exports(runner: FakeRunner) -> Any:
    return next(move.exports for move in runner.moves_of(A) if move.new.value == "running")


def callbacks(*names: str) -> list[tuple[str, str]]:
    return [(callback, when) for _, callback, when in plays.heard if callback in names]


# --- prepare ----------------------------------------------------------------------------------------------------------


def test_a_change_that_is_agreed_to_changes_nothing_yet(up) -> None:
    runner = up(flush="1s")
    assert ask(runner, revision(flush="2s")) == [Prepared(A, 1, CHANGE)]
    assert callbacks("prepare_reconfigure", "reconfigure") == [
        ("prepare_reconfigure", "begin"),
        ("prepare_reconfigure", "end"),
    ]
    assert runner.path_of(A)[-1] == "running"


@pytest.mark.parametrize(
    ("config", "kind", "said"),
    [
        ({"do": "reject"}, FaultKind.REJECTED, "rejected: it would wear the disk out"),
        ({"do": "fail"}, FaultKind.RAISED, "`prepare_reconfigure` raised ValueError: no such disk"),
        ({"do": "hang"}, FaultKind.TIMED_OUT, "`prepare_reconfigure` did not end within 100ms"),
        ({"do": "cling"}, FaultKind.OVERDUE, "`prepare_reconfigure` did not end within 100ms, and goes on all the same"),
        ({"flush": "soon"}, FaultKind.RAISED, "the config does not fit: "),
        ({"flsh": 1}, FaultKind.RAISED, "the config does not fit: unknown key `flsh`; did you mean `flush`?"),
        ({"flush": 200}, FaultKind.RAISED, "the config does not fit: nobody flushes that seldom"),
    ],
)  # fmt: skip
def test_what_is_not_agreed_to_is_told_with_its_reason_and_leaves_the_instance_alone(up, config, kind, said) -> None:
    runner = up()
    (answer,) = ask(runner, revision(at="prepare_reconfigure", **config))
    assert answer.fault.kind is kind
    assert answer.fault.summary.startswith(said)
    assert runner.path_of(A)[-1] == "running"


def test_after_a_refused_change_another_one_is_carried_out(up) -> None:
    runner = up()
    assert ask(runner, revision(at="prepare_reconfigure", do="reject"))[0].fault
    assert change(runner, revision(flush=3.0)) == [
        Revised(A, 1, CHANGE, exports={**exports(runner), "told": [["flush", 1.0, 3.0]]})
    ]


def test_a_class_without_the_callback_cannot_be_changed_in_place(up) -> None:
    runner = up("Plain")
    assert [one.fault.summary for one in ask(runner, revision(), revision(paths=(), slots=("tags",)))] == [
        "`Plain` has no `reconfigure`: it cannot be changed while it runs",
        "`Plain` has no `rebind`: it cannot be changed while it runs",
    ]


def test_who_does_not_run_there_says_so(up) -> None:
    runner = up()
    runner.stop(A)
    runner.until_state(A, "stopped")
    stale, nobody = revision(epoch=1), revision("nobody@gateway")
    for answers in (ask(runner, stale, nobody), change(runner, stale, nobody)):
        assert [one.fault.summary for one in answers] == [
            "`a@gateway` does not run there now (its state: stopped)",
            "`nobody@gateway` does not run there now (its state: uninitialized)",
        ]


def test_a_prepare_that_clings_keeps_checks_and_shutdown_from_overlapping_it(up) -> None:
    runner = up()
    ask(runner, revision(at="prepare_reconfigure", do="cling"))
    runner.until(lambda: runner.health_of(A)[-1].reason == "`prepare_reconfigure` still does not answer")
    assert ask(runner, revision(flush=2.0))[0].fault.summary.endswith("callbacks of one instance never overlap")
    runner.stop(A)
    runner.until_state(A, "stopped")
    assert callbacks("shutdown") == []
    assert "so that `shutdown` was not called" in runner.unfinished(A)[0].names[0]


# --- revise -----------------------------------------------------------------------------------------------------------


def test_the_same_object_goes_on_with_the_new_config(up) -> None:
    runner = up(flush="1s")
    before = exports(runner)
    (answer,) = change(runner, revision(flush="2s", paths=(("flush",), ("do",))))
    assert answer.exports == {"me": before["me"], "pid": os.getpid(), "told": [["flush", "do", 1.0, 2.0]]}
    (again,) = change(runner, revision(flush="1s"))
    assert again.exports["told"][1] == ["flush", 2.0, 1.0]
    assert runner.path_of(A) == ["initializing", "initialized", "starting", "running"]


@pytest.mark.parametrize(("do", "kind"), [("fail", "raised"), ("hang", "timed-out"), ("cling", "overdue")])
@pytest.mark.parametrize("at", ["reconfigure", "rebind"])
def test_what_breaks_off_leaves_the_instance_in_error_and_publishes_nothing(up, at, do, kind) -> None:
    runner = up(bindings=(needs(TAGS),), others=(TAGS,))
    (answer,) = change(runner, revision(at=at, do=do, slots=("tags",), bindings=(needs(TAGS),)))
    assert (answer.fault.kind.value, answer.exports) == (kind, None)
    assert runner.until_state(A, "error").fault == answer.fault
    assert at in answer.fault.summary


def test_a_failed_change_is_followed_by_a_shutdown(up) -> None:
    runner = up()
    change(runner, revision(do="fail"))
    runner.until_state(A, "error")
    runner.start(A, epoch=2)
    runner.until_state(A, "running", epoch=2)
    assert callbacks("reconfigure", "shutdown") == [
        ("reconfigure", "begin"), ("reconfigure", "end"), ("shutdown", "begin"), ("shutdown", "end"),
    ]  # fmt: skip


def test_an_instance_that_starts_again_does_so_with_what_was_changed(up) -> None:
    runner = up(flush="1s")
    change(runner, revision(flush="5s"))
    runner.stop(A)
    runner.until_state(A, "stopped")
    runner.start(A, epoch=2)
    runner.until_state(A, "running", epoch=2)
    assert change(runner, revision(flush="6s", epoch=2))[0].exports["told"] == [["flush", 5.0, 6.0]]


def test_secrets_of_a_new_config_are_masked(up) -> None:
    runner = up()
    change(runner, revision(flush=2.0, password="hunter2 of the plant", secrets=(("password",),)))
    (answer,) = change(runner, revision(flush="hunter2 of the plant"))
    assert "hunter2" not in str(answer)
    assert "********" in answer.fault.summary


def test_pending_leaves_are_filled_in_with_what_is_exported_now(up) -> None:
    runner = up("TunableOnThreads", others=(TAGS,), url="", timeouts=Timeouts())
    pending = (Pending(("url",), (ExportNamed(TAGS, "url"),)),)
    order = revision(url=None, paths=(("url",),), pending=pending)
    assert ask(runner, order) == [Prepared(A, 1, CHANGE)]
    assert change(runner, order)[0].exports == {"on": "callback", "new": {"url": "tags://1"}}


def test_what_nobody_exports_yet_cannot_be_asked_about_but_must_be_there_in_the_end(up) -> None:
    runner = up(others=(TAGS,))
    pending = (Pending(("do",), (ExportNamed(TAGS, "port"),)),)
    assert ask(runner, revision(do=None, pending=pending)) == [Prepared(A, 1, CHANGE)]
    assert callbacks("prepare_reconfigure") == []
    (answer,) = change(runner, revision(do=None, pending=pending))
    assert answer.fault.summary == "the config does not fit: `tags@gateway` does not export `port` (it exports url)"


# --- rebind -----------------------------------------------------------------------------------------------------------


def test_a_slot_is_bound_anew_and_its_peer_is_another_one(up) -> None:
    runner = up(bindings=(needs(TAGS),), others=(TAGS, SPARE))
    bound = (needs(SPARE, slot="tags"),)
    (answer,) = change(runner, revision(paths=(), slots=("tags",), bindings=bound))
    assert answer.exports["told"] == [["tags", 2, False]]
    runner.stop(TAGS)  # nobody depends on it any more
    runner.until_state(TAGS, "stopped")
    runner.stop(SPARE, A)
    runner.until_state(SPARE, "stopped")
    assert [one.address for one in runner.moves if one.new.value == "stopped"] == [TAGS, A, SPARE]


def test_config_and_peers_change_together_the_config_first(up) -> None:
    runner = up(flush=1.0)
    (answer,) = change(runner, revision(flush=4.0, slots=("tags",)))
    assert answer.exports["told"] == [["flush", 1.0, 4.0], ["tags", None, True]]
    assert answer.exports["flush"] == 4.0


def test_a_slot_of_many_that_is_empty_gets_no_peers(up) -> None:
    runner = up(bindings=(needs(TAGS, slot="sources", many=True),), others=(TAGS,))
    both = (needs(TAGS, slot="sources", many=True), needs(SPARE, slot="sources", many=True, local=False))
    assert change(runner, revision(paths=(), slots=("sources",), bindings=both))[0].exports["told"] == [
        ["sources", TAGS, SPARE]
    ]
    assert change(runner, revision(paths=(), slots=("sources",)))[0].exports["told"][1:] == [["sources"]]


def test_a_provider_that_waits_for_a_dependent_to_stop_goes_on_when_that_is_bound_to_another(up) -> None:
    runner = up(bindings=(needs(TAGS),), others=(TAGS, SPARE))
    runner.stop(A, TAGS, cleared=(TAGS,))  # the dependent may not stop yet, so its provider waits
    change(runner, revision(paths=(), slots=("tags",), bindings=(needs(SPARE, slot="tags"),)))
    runner.until_state(TAGS, "stopped")
    assert runner.path_of(A)[-1] == "running"


# --- one at a time ----------------------------------------------------------------------------------------------------


def test_callbacks_of_one_instance_never_overlap(up) -> None:
    runner = up(timeouts=Timeouts(health_interval=0.001))
    orders = [revision(flush=float(number), do="dawdle" if number == 3 else "") for number in range(1, 9)]
    runner.tell(Prepare(tuple(orders)), Revise(tuple(orders[:4])), Revise(tuple(orders[4:])))
    runner.until(lambda: len(runner.said(Revised)) == 8)
    runner.stop(A)
    runner.until_state(A, "stopped")
    told = [when for _, _, when in plays.heard]
    assert told == ["begin", "end"] * (len(told) // 2)
    assert sum(callback == "reconfigure" for callback, _ in callbacks("reconfigure")) == 16
    assert len(callbacks("check_health")) > 2


def test_changes_are_carried_out_in_the_order_in_which_they_were_ordered(up) -> None:
    runner = up()
    told = [[*one.exports["told"][-1]] for one in change(runner, *(revision(flush=float(n)) for n in range(2, 7)))]
    assert told == [["flush", float(n - 1), float(n)] for n in range(2, 7)]


@pytest.mark.parametrize("do", ["hang", "cling"])
def test_a_stop_breaks_off_a_change(up, do) -> None:
    runner = up(timeouts=Timeouts(stop=0.4))
    plays.called.clear()
    runner.tell(Revise((revision(do=do),)))
    assert plays.called.wait(10)
    runner.stop(A)
    runner.until_state(A, "stopped")
    (answer,) = runner.said(Revised)
    assert answer.fault.summary == "the change was broken off: the instance stops"
    assert callbacks("shutdown") == ([] if do == "cling" else [("shutdown", "begin"), ("shutdown", "end")])


def test_a_plain_callback_that_does_not_end_in_time_breaks_the_change_off(up) -> None:
    runner = up("TunableOnThreads")
    (answer,) = change(runner, revision(seconds=30))
    assert answer.fault.summary.startswith("`reconfigure` did not end within 100ms, and goes on all the same (")
    assert "plays.py" in answer.fault.summary
    runner.until_state(A, "error")
