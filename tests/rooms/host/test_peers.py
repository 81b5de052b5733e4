"""Holds peers to one promise: the same to the module, whether its provider runs in this host or in another one."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from ignrun.protocol.orders import Clear, Item, Route, Routes
from ignrun.terms.states import ModuleState
from tests.rooms.host import plays
from tests.rooms.host.harness import FakeRunner, HostInThread, assignment, host_in_thread, needs

PLAYS = "tests.rooms.host.plays:"
ODD = "tests.rooms.host.odd_plays:"
TAGS = "tags@gateway"


class Pair:
    """A provider and its dependents, in one host or in two."""

    def __init__(self, near: FakeRunner, far: FakeRunner, folder: Path, entry: str = PLAYS + "Tags") -> None:
        self.near = near
        self.far = far
        self.folder = folder
        self.epoch = 0
        self.far.load(assignment(TAGS, entry, folder))

    @property
    def apart(self) -> bool:
        return self.near is not self.far

    def start_provider(self) -> None:
        self.epoch += 1
        self.far.start(TAGS, epoch=self.epoch)
        running = self.far.until_state(TAGS, "running", epoch=self.epoch)
        if self.apart:
            self.route(ModuleState.RUNNING, running.exports or {})

    def stop_provider(self) -> None:
        self.far.stop(TAGS, epoch=self.epoch)
        self.far.until_state(TAGS, "stopped", epoch=self.epoch)
        if self.apart:
            self.route(ModuleState.STOPPED, {})

    def route(self, state: ModuleState, exports: dict[str, Any]) -> None:
        self.near.tell(Routes((Route(TAGS, self.far.hello.socket, state, exports),)))

    def dependent(self, entry: str, address: str = "client@gateway", **config: Any) -> None:
        bindings = (needs(TAGS, local=not self.apart, required=False),)
        where = entry if ":" in entry else PLAYS + entry
        self.near.load(assignment(address, where, self.folder, config=config, bindings=bindings))
        self.near.start(address)
        self.near.tell(Clear((Item(address, 1),)))

    def outcome(self, do: str, client: str = "Client") -> Any:
        self.dependent(client, do=do)
        exports = self.near.until_state("client@gateway", "running").exports
        assert exports is not None
        return exports["outcome"]


@pytest.fixture(params=["one host", "two hosts"])
def pair(request, tmp_path) -> Iterator[Pair]:
    with pair_of(request.param, tmp_path, PLAYS + "Tags") as made:
        yield made


@pytest.fixture(params=["one host", "two hosts"])
def odd_pair(request, tmp_path) -> Iterator[Pair]:
    with pair_of(request.param, tmp_path, ODD + "OddTags") as made:
        made.start_provider()
        yield made


@contextmanager
def pair_of(hosts: str, folder: Path, entry: str) -> Iterator[Pair]:
    with ExitStack() as stack:
        near = stack.enter_context(host_in_thread(folder / "near"))
        far = stack.enter_context(host_in_thread(folder / "far")) if hosts == "two hosts" else near
        yield Pair(near, far, folder, entry)


@pytest.mark.parametrize(
    ("do", "outcome"),
    [
        ("call", [3, 7, True]),
        ("exports", [{"url": "tags://1"}, "running"]),
        ("broken", "CallFailed: `broken` of `tags@gateway` raised ValueError: no such tag"),
        ("slow", "TimeoutError: `slow` of `tags@gateway` did not answer within 0.05 s"),
        ("hidden", "CallFailed: `tags@gateway` does not provide `hidden`"),
        ("count", list(range(1000))),
        ("dropping", "newest"),
        ("blocking", "RuntimeError: call_blocking is for plain callbacks on threads"),
        ("no_slot", "LookupError: `client@gateway` has no slot `alarms` (its slots: tags)"),
    ],
)
def test_a_call_or_stream_gives_the_same_wherever_the_provider_runs(pair, do, outcome) -> None:
    pair.start_provider()
    found = pair.outcome(do)
    assert found == outcome or (isinstance(outcome, str) and found.startswith(outcome))


def test_a_plain_callback_calls_from_its_thread(pair) -> None:
    pair.start_provider()
    pair.dependent("BlockingClient")
    assert pair.near.until_state("client@gateway", "running").exports == {
        "outcome": [5, "CallFailed", "TimeoutError"],
    }  # fmt: skip


def test_a_slot_of_many_gives_a_peer_for_each_provider_wherever_it_runs(pair, tmp_path) -> None:
    pair.start_provider()
    pair.near.load(assignment("near@gateway", PLAYS + "Tags", tmp_path))
    pair.near.start("near@gateway")
    bindings = (
        needs(TAGS, slot="tags", many=True, local=not pair.apart, required=False),
        needs("near@gateway", slot="tags", many=True),
    )
    pair.near.load(assignment("client@gateway", PLAYS + "ManyPeers", tmp_path, bindings=bindings))
    pair.near.start("client@gateway")
    assert pair.near.until_state("client@gateway", "running").exports == {
        "outcome": [[TAGS, "tags", 2], ["near@gateway", "tags", 2]],
    }  # fmt: skip


def test_what_cannot_be_sent_is_the_callers_to_know(pair) -> None:
    pair.start_provider()
    found = pair.outcome("odd")
    if pair.apart:
        assert re.match("CallFailed: `odd` returned what cannot be sent", found)


def test_what_is_nested_too_deeply_to_be_sent_is_said_at_once(odd_pair) -> None:
    if odd_pair.apart:
        assert odd_pair.outcome("deep", ODD + "OddClient").startswith("CallFailed: `deep` returned what cannot be sent")
    else:
        assert odd_pair.outcome("deep", ODD + "OddClient") == "arrived"


def test_an_argument_that_is_nested_too_deeply_is_refused(odd_pair) -> None:
    said = odd_pair.outcome("deep_argument", ODD + "OddClient")
    assert said.startswith("CallFailed: arguments are values of msgpack's types") or not odd_pair.apart


def test_the_values_before_one_that_cannot_be_sent_arrive(odd_pair) -> None:
    if odd_pair.apart:
        taken, said = odd_pair.outcome("deeper", ODD + "OddClient")
        assert taken == 1
        assert said.startswith("CallFailed: `deeper` yielded what cannot be sent")


def test_a_stream_of_values_that_are_too_many_for_one_frame_arrives(odd_pair) -> None:
    assert odd_pair.outcome("megabytes", ODD + "OddClient") == 40


def test_a_provider_that_awaits_a_cancelled_task_fails_the_call_and_cancels_nobody(odd_pair) -> None:
    said = odd_pair.outcome("cancelled", ODD + "OddClient")
    assert said == "CallFailed: `cancelled` of `tags@gateway` raised CancelledError"


def test_a_stream_whose_provider_awaits_a_cancelled_task_fails_and_is_not_opened_again(odd_pair) -> None:
    said = odd_pair.outcome("broken_off", ODD + "OddClient")
    assert said == [1, "CallFailed: `broken_off` of `tags@gateway` raised CancelledError"]


def test_parameters_of_a_provided_method_may_be_called_as_those_of_call_are(odd_pair) -> None:
    assert odd_pair.outcome("named", ODD + "OddClient") == [[1], {"method": "m", "name": "n"}]


@pytest.mark.parametrize(
    ("do", "said"),
    [
        ("no_buffer", "ValueError: the buffer of a stream is a whole number of values, 1 or more, not 0"),
        ("no_overflow", "ValueError: overflow is 'block' or 'drop_oldest', not 'drop'"),
    ],
)
def test_a_buffer_or_overflow_that_there_is_not_is_refused_at_once(odd_pair, do, said) -> None:
    assert odd_pair.outcome(do, ODD + "OddClient") == said


def test_a_provider_does_not_run_ahead_of_its_reader(pair) -> None:
    pair.start_provider()
    taken, made = pair.outcome("backed_up")
    assert taken == [1, 2]
    assert made <= 14


def test_a_call_waits_for_a_provider_that_is_restarting(pair) -> None:
    pair.start_provider()
    pair.stop_provider()
    pair.dependent("Client", do="call")
    pair.near.until_state("client@gateway", "starting")
    pair.start_provider()
    assert pair.near.until_state("client@gateway", "running").exports == {"outcome": [3, 7, True]}


def test_a_stream_resumes_after_its_provider_was_restarted(pair) -> None:
    pair.start_provider()
    pair.dependent("Follower", "follower@gateway")
    pair.near.until(lambda: pair.near.exported("follower@gateway"))
    pair.stop_provider()
    pair.start_provider()
    pair.near.until(lambda: pair.near.exported("follower@gateway")[-1].exports == {"epochs": [1, 2]})


def test_a_reader_that_stops_ends_the_providers_generator(pair) -> None:
    pair.start_provider()
    pair.dependent("Follower", "follower@gateway")
    pair.near.until(lambda: pair.near.exported("follower@gateway"))
    pair.near.stop("follower@gateway")
    pair.near.until_state("follower@gateway", "stopped")
    pair.dependent("Client", do="watchers")
    assert pair.near.until_state("client@gateway", "running").exports == {"outcome": 0}


def test_a_stream_waits_when_the_host_of_its_provider_dies_and_follows_it_to_the_next(tmp_path) -> None:
    (tmp_path / "far").mkdir()
    with host_in_thread(tmp_path / "near") as near:
        far = HostInThread(tmp_path / "far")
        pair = Pair(near, far.runner, tmp_path)
        pair.start_provider()
        pair.dependent("Follower", "follower@gateway")
        near.until(lambda: near.exported("follower@gateway"))
        far.end()
        with host_in_thread(tmp_path / "next") as other:
            again = Pair(near, other, tmp_path)
            again.epoch = 6
            again.start_provider()
            near.until(lambda: near.exported("follower@gateway")[-1].exports == {"epochs": [1, 7]})


def test_a_call_to_a_provider_that_does_not_come_back_is_unavailable(pair, monkeypatch) -> None:
    monkeypatch.setattr("ignrun.host.peers.WAIT", 0.2)
    pair.start_provider()
    pair.stop_provider()
    assert pair.outcome("call").startswith(
        "Unavailable: `tags@gateway` did not come back within 0.2 s (state: stopped)"
    )


def test_a_call_under_way_when_the_providers_host_dies_is_unavailable_and_not_made_again(tmp_path) -> None:
    (tmp_path / "far").mkdir()
    with host_in_thread(tmp_path / "near") as near:
        far = HostInThread(tmp_path / "far")
        pair = Pair(near, far.runner, tmp_path)
        pair.start_provider()
        plays.called.clear()
        pair.dependent("Client", do="patient")
        assert plays.called.wait(10)
        far.end()
        outcome = (near.until_state("client@gateway", "running").exports or {})["outcome"]
    assert outcome.startswith("Unavailable: the provider's host went away during the call")
