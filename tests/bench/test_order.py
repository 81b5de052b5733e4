"""Holds the proof of order to catching every breach, and the generator to giving the same plant for the same seed."""

import pytest

from tests.bench.order import order_violations
from tests.bench.plants import edges_of, random_graph, write_plant

EDGES = [("b", "a")]


def moves(text: str) -> list[tuple[str, str]]:
    """Read `a+ a! a- a.`: starting, running, stopping, stopped."""
    words = {"+": "starting", "!": "running", "-": "stopping", ".": "stopped"}
    return [(one[0], words[one[1]]) for one in text.split()]


def test_a_plant_in_order_breaches_nothing() -> None:
    assert order_violations(moves("a+ a! b+ b! b- b. a- a."), EDGES) == []


@pytest.mark.parametrize(
    ("happened", "breach"),
    [
        ("a+ b+ a! b! b- b. a- a.", "('b', 'starting') came before ('a', 'running')"),
        ("a+ a! b+ b! b- a- b. a.", "('a', 'stopping') came before ('b', 'stopped')"),
        ("b+ b! b- b.", "not both of ('a', 'running') and ('b', 'starting') happened"),
        ("a+ a! b+ b! a- a.", "not both of ('b', 'stopped') and ('a', 'stopping') happened"),
    ],
)
def test_a_breach_of_order_is_caught(happened, breach) -> None:
    assert any(breach in one for one in order_violations(moves(happened), EDGES))


def test_one_seed_gives_one_graph_without_a_circle() -> None:
    graph = random_graph(1000, seed=7)
    assert graph == random_graph(1000, seed=7) != random_graph(1000, seed=8)
    assert len(graph) == 1000 and max(map(len, graph.values())) == 2
    assert all(provider < dependent for dependent, provider in edges_of(graph))


def test_a_plant_of_every_size_can_be_written(tmp_path) -> None:
    for count in (1, 2, 3, 10):
        manifest = write_plant(tmp_path, random_graph(count, seed=1))
        assert manifest.read_text().count("entry:") == count
