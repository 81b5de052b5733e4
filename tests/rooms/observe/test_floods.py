"""Holds whoever writes without end to a measure, and the others to theirs."""

from hypothesis import given
from hypothesis import strategies as st

from ignrun.runtime.observe.floods import LONG, Floods


def test_a_flood_is_cut_to_its_measure_and_counted_by_name() -> None:
    floods = Floods(of_one=100, of_process=1000)
    let_in = sum(floods.admits("noisy@gateway", "gateway", 10, at / 1000) for at in range(10_000))
    assert 1000 <= let_in <= 1250  # ten seconds at 100 a second, and what may come at once
    assert floods.told() == {"noisy@gateway": 10_000 - let_in}
    assert floods.told() == {} and floods.suppressed == {"noisy@gateway": 10_000 - let_in}


def test_a_neighbour_of_a_flood_is_heard() -> None:
    floods = Floods(of_one=100, of_process=1000)
    heard = [floods.admits("calm@gateway", "gateway", 10, at / 100) for at in range(1000) if _flooded(floods, at / 100)]
    assert len(heard) == 1000 and all(heard)


def _flooded(floods: Floods, mono: float) -> bool:
    for _ in range(50):
        floods.admits("noisy@gateway", "gateway", 10, mono)
    return True


def test_many_names_in_one_process_do_not_let_more_of_it_through() -> None:
    floods = Floods(of_one=100, of_process=200)
    let_in = sum(floods.admits(f"m{number % 50}@gateway", "gateway", 1, 0.0) for number in range(10_000))
    assert let_in == 400


def test_a_long_line_counts_as_several() -> None:
    floods = Floods(of_one=10, of_process=1000)
    assert sum(floods.admits("web@gateway", "web@gateway", 4 * LONG, 0.0) for _ in range(100)) == 4


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 5)), max_size=200))
def test_every_line_is_either_let_in_or_counted(lines) -> None:
    floods = Floods(of_one=5, of_process=8)
    let_in = sum(floods.admits(name, "host", 1, mono) for name, mono in sorted(lines, key=lambda one: one[1]))
    assert let_in + sum(floods.told().values()) == len(lines)
