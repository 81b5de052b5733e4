"""Holds the health of a plant to what its checks say, and its history to what the journal kept."""

import msgspec

from ignrun.render.health import encode_health, health_moves, health_report, history_text
from ignrun.terms.events import Event, HealthChanged, OperatorAsked
from ignrun.terms.states import Health
from tests.rooms.control.scripted import T0, instance

EVENTS = [
    Event(3, T0, 1.0, "tags@gateway", 1, HealthChanged(Health.UNKNOWN, Health.HEALTHY, "")),
    Event(4, T0, 2.0, "tags@gateway", 1, OperatorAsked("restart", "ann")),
    Event(5, T0, 3.0, "web@gateway", 1, HealthChanged(Health.HEALTHY, Health.UNHEALTHY, "no answer\x1b[2J")),
    Event(6, T0, 4.0, "tags@gateway", 1, HealthChanged(Health.HEALTHY, Health.DEGRADED, "slow")),
]
TWO = (instance("tags@gateway"), instance("web@gateway"))


def test_a_history_tells_each_change_in_order_and_nothing_else() -> None:
    text = history_text(health_report(TWO, health_moves(EVENTS)), ["tags@gateway", "web@gateway"])
    lines = [" ".join(line.split()[2:]) for line in text.splitlines()[1:]]
    assert lines == ["tags unknown healthy", "web healthy unhealthy no answer\\x1b[2J", "tags healthy degraded slow"]


def test_the_json_holds_the_history_of_those_that_are_shown() -> None:
    said = msgspec.json.decode(encode_health(health_report(TWO[:1], health_moves(EVENTS))))
    assert [(move["seq"], move["from"], move["to"]) for move in said["instances"][0]["history"]] == [
        (3, "unknown", "healthy"),
        (6, "healthy", "degraded"),
    ]


def test_without_a_change_that_is_said() -> None:
    assert history_text(health_report(TWO), []) == "no health has changed yet\n"
