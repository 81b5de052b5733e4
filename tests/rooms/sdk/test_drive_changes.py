"""Holds the test kit to changes in place: what a module is asked, what it is told, and what it is given afterwards."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from ignrun import ConfigChange, Duration, Module, ModuleState, Refused, Reject, Secret
from ignrun.terms.fault import FaultKind
from ignrun.testing import FakePeer, ModuleFailed, drive
from ignrun.testing.changes import changed_paths


class Pump(Module):
    """Can be changed while it runs."""

    @dataclass
    class Config:
        flush: Duration = 1.0
        password: Secret | None = None
        limits: dict[str, int] | None = None

    config: Config

    async def initialize(self) -> None:
        self.told: list[Any] = []

    async def prepare_reconfigure(self, change: ConfigChange) -> None:
        if change.new.flush < 0.1:
            raise Reject("a flush below 0.1 s would wear the disk out")

    async def reconfigure(self, change: ConfigChange) -> None:
        self.told.append((change.paths, self.config.flush, change.new.flush))
        self.export(flush=change.new.flush)
        if change.new.flush > 100:
            raise ValueError("too seldom")

    async def rebind(self, slot: str, peer: Any) -> None:
        self.told.append((slot, peer, self.dependency(slot, None)))


async def test_a_module_takes_a_new_config_and_stays_the_same_object() -> None:
    async with drive(Pump, config={"flush": "1s"}) as run:
        module = run.module
        await run.reconfigure({"flush": "500ms"})
        assert module is run.module
        assert module.told == [(("flush",), 1.0, 0.5)]
        assert (module.config.flush, module.configuration.get("flush")) == (0.5, "500ms")
        assert run.exports == {"flush": 0.5}
        await run.stop()
        await run.start()
        assert run.module.config.flush == 0.5


async def test_a_rejected_config_changes_nothing() -> None:
    async with drive(Pump) as run:
        with pytest.raises(ModuleFailed, match="rejected: a flush below") as caught:
            await run.reconfigure({"flush": 0.01})
        assert caught.value.fault.kind is FaultKind.REJECTED
        await run.prepare_reconfigure({"flush": 0.2})
        assert (run.state, run.module.told, run.module.config.flush) == (ModuleState.RUNNING, [], 1.0)


async def test_a_change_that_breaks_off_fails_the_module() -> None:
    async with drive(Pump) as run:
        with pytest.raises(ModuleFailed, match="too seldom"):
            await run.reconfigure({"flush": 200})
        assert run.state is ModuleState.ERROR
        assert run.exports == {}


async def test_a_slot_is_bound_anew_then_to_nothing() -> None:
    first, second = FakePeer(), FakePeer()
    async with drive(Pump, peers={"tags": first}) as run:
        await run.rebind("tags", second)
        await run.rebind("tags", None)
        assert run.module.told == [("tags", second, second), ("tags", None, None)]


async def test_secrets_of_the_new_config_arrive_as_secrets() -> None:
    async with drive(Pump, config={"password": "one"}, secrets=["password"]) as run:
        await run.reconfigure({"password": "two"})
        assert isinstance(run.module.config.password, Secret)
        assert await asyncio.to_thread(str, run.module.config.password) == "********"


def test_paths_are_named_as_an_apply_names_them() -> None:
    was = {"a": 1, "b": {"c": [1, 2], "d": None}, "gone": 1}
    now = {"a": 1, "b": {"c": [1, 3], "d": None}, "new": {"x": 1}}
    assert [*changed_paths(was, now)] == [("b", "c"), ("gone",), ("new",)]


@pytest.mark.parametrize(
    ("path", "touched"),
    [("servers", True), ("servers[0]", True), ("servers[0].port.odd", True), ("serv", False), ("flush", False)],
)
def test_a_change_touches_what_is_above_and_below_it(path, touched) -> None:
    assert ConfigChange(None, None, ("servers[0].port",)).touches(path) is touched


async def test_a_module_may_ask_for_another_value_and_has_it_when_it_is_answered() -> None:
    async with drive(Pump, config={"flush": "500ms"}) as run:
        await run.module.configuration.request("flush", "2s")
        assert run.module.config.flush == 2.0
        with pytest.raises(Refused, match="wear the disk"):
            await run.module.configuration.request("flush", 0.01)
        assert run.module.config.flush == 2.0
        assert run.state.value == "running"


async def test_a_module_without_reconfigure_is_told_that_the_kit_does_not_change_it() -> None:
    async with drive(Module, config={"flush": 1}) as run:
        with pytest.raises(Refused, match="no `reconfigure`"):
            await run.module.configuration.request("flush", 2)
        assert run.module.configuration.get("flush") == 1
