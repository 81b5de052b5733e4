"""Holds the figures of a process to what two looks at it say."""

from ignrun.runtime.observe.figures import Figures, figures_of
from ignrun.terms.sample import ProcessSample


def test_rates_are_taken_between_two_looks() -> None:
    before = ProcessSample(7, 10.0, 1000, 3.0, 2, 9, 100, 500)
    now = ProcessSample(7, 14.0, 2000, 5.0, 3, 8, 500, 500)
    assert figures_of(now, before) == Figures(7, 2000, 0.5, 3, 8, 100.0, 0.0)


def test_a_first_look_and_one_at_another_process_have_no_rates() -> None:
    now = ProcessSample(7, 14.0, 2000, 5.0, 3)
    assert figures_of(now) == Figures(7, 2000, None, 3, None)
    assert figures_of(now, ProcessSample(6, 10.0, 1000, 3.0, 2)).cpu is None


def test_a_counter_that_runs_backwards_is_no_negative_rate() -> None:
    found = figures_of(ProcessSample(7, 14.0, 1, 1.0, 1, 1, 0, 0), ProcessSample(7, 10.0, 1, 2.0, 1, 1, 9, 9))
    assert (found.cpu, found.read, found.written) == (0.0, 0.0, 0.0)
