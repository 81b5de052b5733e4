"""Holds the performing of effects: with the texts of which secrets commands are filled while an apply is under way."""

import inspect
from typing import Any
from unittest.mock import MagicMock

import pytest
from msgspec.structs import replace

from ignrun.planner.graph.model import EMPTY, Command
from ignrun.runner.perform import Performer
from ignrun.runner.secrets import SecretStore
from ignrun.runtime.apply.state import Phase, State, Transaction
from ignrun.runtime.supervise.effects import ReloadCommand, SpawnCommand
from ignrun.terms.leaves import Pending, SecretNamed, Tree
from tests.doubles.plants import at, command, graph, planned


def _with_password():
    spec = command("web", reload=True)
    assert isinstance(spec.body, Command)
    pending = Pending(("PASSWORD",), (SecretNamed("PW"),))
    return replace(spec, body=replace(spec.body, env=Tree({"PASSWORD": None}, (pending,))))


def _under_way(phase: Phase, reason: str = "") -> State:
    plant = graph([_with_password()])
    return State(
        graph=plant, transaction=Transaction(2, 2, planned(EMPTY, plant), "cli", (2,), phase, 0.0, reason=reason)
    )


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (_under_way(Phase.PREPARED), "old-one"),
        (_under_way(Phase.APPLYING), "new-one"),
        (_under_way(Phase.SOAKING), "new-one"),
        (_under_way(Phase.CLOSING), "new-one"),
        (_under_way(Phase.ROLLING_BACK, "web@gateway: exit 1"), "old-one"),
        (_under_way(Phase.CLOSING, "web@gateway: exit 1"), "old-one"),
    ],
    ids=["prepared", "applying", "soaking", "committed", "going back", "back"],
)
@pytest.mark.parametrize("ordered", ["spawned", "reloaded"])
def test_before_an_apply_begins_and_from_when_it_turns_round_commands_are_filled_with_the_texts_of_before(
    state, text, ordered
) -> None:
    secrets = SecretStore()
    secrets.offer(1, {"PW": "old-one"})
    secrets.accept(1)
    secrets.offer(2, {"PW": "new-one"})
    doors: dict[str, Any] = {name: MagicMock() for name in inspect.signature(Performer).parameters}
    performer = Performer(**{**doors, "secrets": secrets})
    spec = _with_password()
    if ordered == "spawned":
        performer(state, (SpawnCommand(spec, 2, {}),), at(0))
        (launch,) = doors["commands"].spawn.call_args.args
    else:
        performer(state, (ReloadCommand(spec, 2, 7, {}),), at(0))
        launch, _ = doors["commands"].reload.call_args.args
    assert launch.env == {"PASSWORD": text}
