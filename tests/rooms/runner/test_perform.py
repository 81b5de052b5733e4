"""Holds the performing of effects: with the texts of which secrets commands are filled while an apply is under way."""

import inspect
from typing import Any
from unittest.mock import MagicMock

import pytest
from msgspec.structs import replace

from ignrun.planner.graph.model import EMPTY, Command, InstanceSpec
from ignrun.runner.perform import Performer
from ignrun.runner.secrets import SecretStore
from ignrun.runtime.apply.state import Phase, State, Transaction
from ignrun.runtime.supervise.effects import LoadHost, ReloadCommand, SpawnCommand
from ignrun.runtime.supervise.roster import Instance, Roster
from ignrun.terms.leaves import Pending, SecretNamed, Tree
from tests.doubles.plants import at, command, graph, module, planned


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


def _secret_module(**body: Any) -> InstanceSpec:
    spec = module("web", **body)
    return replace(spec, config=Tree({"password": None}, (Pending(("password",), (SecretNamed("PW"),)),)))


@pytest.mark.parametrize("phase", [Phase.PREPARING, Phase.PREPARED])
def test_while_an_apply_only_prepares_who_comes_back_gets_the_text_of_before_it_and_who_is_prepared_the_new_one(
    phase,
) -> None:
    secrets = SecretStore()
    secrets.offer(1, {"PW": "old-one"})
    secrets.accept(1)
    secrets.offer(2, {"PW": "new-one"})
    now, soon = _secret_module(), _secret_module(host="web@gateway")
    desired = planned(graph([now]), graph([soon]))
    roster = Roster({now.address: Instance(now)})
    state = State(roster=roster, graph=graph([now]), transaction=Transaction(2, 2, desired, "cli", (2,), phase, 0.0))
    doors: dict[str, Any] = {name: MagicMock() for name in inspect.signature(Performer).parameters}
    doors["overlays"].kept.return_value = {}
    performer = Performer(**{**doors, "secrets": secrets})
    for spec in (now, soon):
        performer(state, (LoadHost(spec.body.host, 1, (spec,), (), frozenset()),), at(0))  # type: ignore[union-attr]
    loads = [call.args[2] for call in doors["hosts"].give.call_args_list]
    assert [load.assignments[0].config for load in loads] == [{"password": "old-one"}, {"password": "new-one"}]
