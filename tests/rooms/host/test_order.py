"""Holds a host to the laws of order, over random graphs."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from ignrun.protocol.orders import Assignment
from ignrun.terms.states import Condition, may_move
from tests.rooms.host import plays
from tests.rooms.host.harness import FakeRunner, assignment, host_in_thread, needs


@st.composite
def graphs(draw) -> tuple[dict[int, dict[int, bool]], list[int], list[int]]:
    """Acyclic graphs: node -> its providers -> whether required; how long each takes; the order of orders."""
    size = draw(st.integers(1, 12))
    graph = {
        node: draw(st.dictionaries(st.integers(0, node - 1), st.booleans(), max_size=3)) if node else {}
        for node in range(size)
    }
    return graph, draw(st.lists(st.integers(0, 5), min_size=size, max_size=size)), draw(st.permutations(range(size)))


def cast(graph: dict[int, dict[int, bool]], turns: list[int], folder: Path) -> list[Assignment]:
    return [
        assignment(
            name(node),
            "tests.rooms.host.plays:Recorder",
            folder,
            config={"turns": turns[node]},
            bindings=tuple(
                needs(name(one), condition=(Condition.HEALTHY, Condition.STARTED)[one % 2], required=required)
                for one, required in providers.items()
            ),
        )
        for node, providers in graph.items()
    ]


def name(node: int) -> str:
    return f"n{node}@gateway"


def times(runner: FakeRunner, new: str, epoch: int) -> dict[str, int]:
    moves = [move for move in runner.moves if move.epoch == epoch]
    return {move.address: at for at, move in enumerate(moves) if move.new.value == new}


def all_are(runner: FakeRunner, state: str, epoch: int, count: int) -> bool:
    return len(times(runner, state, epoch)) == count


@settings(max_examples=25)
@given(graphs())
def test_providers_start_before_and_stop_after_their_dependents_and_nothing_overlaps(drawn) -> None:
    graph, turns, order = drawn
    plays.heard.clear()
    names = tuple(name(node) for node in order)
    with TemporaryDirectory() as folder, host_in_thread(Path(folder)) as runner:
        runner.load(*cast(graph, turns, Path(folder)))
        for epoch in (1, 2):
            runner.start(*names, epoch=epoch)
            runner.until(partial(all_are, runner, "running", epoch, len(graph)))
            runner.stop(*names, epoch=epoch)
            runner.until(partial(all_are, runner, "stopped", epoch, len(graph)))
        for epoch in (1, 2):
            starting, running = times(runner, "starting", epoch), times(runner, "running", epoch)
            stopping, stopped = times(runner, "stopping", epoch), times(runner, "stopped", epoch)
            for node, providers in graph.items():
                for provider in providers:
                    assert running[name(provider)] < starting[name(node)]
                    assert stopped[name(node)] < stopping[name(provider)]
        assert all(may_move(move.old, move.new) for move in runner.moves)
    nothing_overlapped()


def nothing_overlapped() -> None:
    """Callbacks of one instance begin and end in pairs."""
    open_now: dict[str, str] = {}
    for address, callback, when in plays.heard:
        if when == "begin":
            assert address not in open_now
            open_now[address] = callback
        else:
            assert open_now.pop(address) == callback


@settings(max_examples=25)
@given(graphs(), st.sets(st.integers(0, 11), max_size=4))
def test_stopping_some_leaves_the_others_running(drawn, some) -> None:
    graph, turns, order = drawn
    names = [name(node) for node in order]
    chosen = [one for one in names if int(one[1:].split("@")[0]) in some]
    with TemporaryDirectory() as folder, host_in_thread(Path(folder)) as runner:
        runner.load(*cast(graph, turns, Path(folder)))
        runner.start(*names)
        runner.until(lambda: len(times(runner, "running", 1)) == len(graph))
        runner.stop(*chosen)
        runner.until(lambda: len(times(runner, "stopped", 1)) == len(chosen))
        assert {*times(runner, "stopped", 1)} == {*chosen}
        runner.start(*chosen, epoch=2)
        runner.until(lambda: len(times(runner, "running", 2)) == len(chosen))
