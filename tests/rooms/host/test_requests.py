"""Holds a host to what its modules see of their config, to how they ask for other values, and to log levels that change."""

import logging

import pytest

from ignrun.protocol.orders import Answer, Levels, Origin, Revise, Revision
from ignrun.protocol.reports import ConfigAsked, Exported, Revised
from tests.rooms.host import plays
from tests.rooms.host.harness import assignment

A = "a@gateway"


@pytest.fixture
def asking(runner, tmp_path):
    origins = (Origin("flush", "config", "/x/ignrun.yaml:3:5"), Origin("ask", "config"))
    config = {"flush": 1, "ask": ["flush", "2s"]}
    runner.load(
        assignment(
            A, "tests.rooms.host.plays:Asking", tmp_path, config=config, origins=origins, backups=("a.000001.json",)
        )
    )
    runner.start(A)
    runner.until_state(A, "running")
    return runner


def told(runner) -> dict:
    return {key: value for one in runner.said(Exported) for key, value in one.exports.items()}


def test_a_module_knows_where_each_value_is_from_and_which_backups_there_are(asking) -> None:
    asking.until(lambda: "origins" in told(asking))
    assert told(asking)["origins"] == {"flush": ["config", "/x/ignrun.yaml:3:5"], "ask": ["config", ""]}
    assert told(asking)["backups"] == ["a.000001.json"]


def test_a_request_is_put_to_the_runner_and_its_answer_goes_to_who_asked(asking) -> None:
    asking.until(lambda: asking.said(ConfigAsked))
    (asked,) = asking.said(ConfigAsked)
    assert (asked.address, asked.epoch, asked.path, asked.text) == (A, 1, "flush", "2s")
    asking.tell(Answer(A, 1, asked.request + 5), Answer(A, 1, asked.request))
    asking.until(lambda: "answer" in told(asking))
    assert told(asking)["answer"] == "done"
    asking.tell(Answer(A, 1, asked.request))  # answered twice: nobody waits any more


def test_a_refusal_says_why_and_origins_come_anew_with_a_change(asking) -> None:
    asking.until(lambda: asking.said(ConfigAsked))
    fresh = (Origin("flush", "run-time", "/s/config/a.json:1:1"),)
    asking.tell(
        Revise((Revision(A, 1, 1, {"flush": 2}, (), (), (), paths=(("flush",),), origins=fresh, backups=("b",)),))
    )
    asking.until(lambda: asking.said(Revised))
    asking.tell(Answer(A, 1, asking.said(ConfigAsked)[0].request, "`flush` is refused: why"))
    asking.until(lambda: "answer" in told(asking))
    assert told(asking)["answer"] == "Refused: `flush` is refused: why"
    assert told(asking)["after"] == ["run-time", ["b"]]


@pytest.mark.parametrize(("value", "refusal"), [("x" * 70_000, "at most"), ({"a": {1j}}, "no JSON value"), ("", "")])
def test_what_cannot_be_a_value_is_refused_before_anybody_is_asked(runner, tmp_path, value, refusal) -> None:
    path = "flush" if refusal else ""
    plays.odd_request = (path, value)
    runner.load(assignment(A, "tests.rooms.host.plays:AskingOddly", tmp_path))
    runner.start(A)
    runner.until(lambda: "answer" in told(runner))
    assert told(runner)["answer"].startswith("Refused: ")
    assert refusal in told(runner)["answer"]
    assert runner.said(ConfigAsked) == []


def test_a_level_that_changes_reaches_the_logger_of_a_running_module(runner, tmp_path) -> None:
    runner.load(assignment(A, "tests.rooms.host.plays:Plain", tmp_path))
    runner.start(A)
    runner.until_state(A, "running")
    logger = logging.getLogger(f"ignrun.instance.{A}")
    try:
        for level in (logging.DEBUG, logging.WARNING, logging.INFO):
            runner.tell(Levels({A: logging.getLevelName(level).lower(), "nobody@gateway": "error"}))
            runner.load()  # what has been obeyed before its answer
            assert logger.getEffectiveLevel() == level
    finally:
        logger.setLevel(logging.NOTSET)
        logging.getLogger("ignrun.instance.nobody@gateway").setLevel(logging.NOTSET)
    assert runner.path_of(A) == ["initializing", "initialized", "starting", "running"]
