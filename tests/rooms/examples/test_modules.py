"""Holds the example modules to what they promise, each driven through its states without a runner."""

import psutil
import pytest
import yaml

from ignrun.examples.alarms.module import Alarms
from ignrun.examples.basic.module import BasicExampleModule, BasicHook, create_basic_example_module
from ignrun.examples.historian.module import Historian
from ignrun.examples.historian.store import create
from ignrun.examples.tags import figures
from ignrun.examples.tags.module import Tags
from ignrun.terms.names import ModuleScope
from ignrun.testing import FakePeer, ModuleFailed, drive
from tests.house.tree import ROOT

TAGS = {"interval": 1.0, "groups": ["cpu", "memory"], "disk": "/"}


def change(tag: str, value: float | None) -> dict:
    return {"tag": tag, "value": value, "quality": "good", "at": "2026-01-01T00:00:00.000+00:00"}


# --- tags -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def load(monkeypatch) -> list[float]:
    """The figure that the machine gives for its CPU: the last item."""
    values = [1.0]
    monkeypatch.setattr(psutil, "cpu_percent", lambda interval: values[-1])
    monkeypatch.setattr(psutil, "getloadavg", lambda: (0.5, 0.5, 0.5))
    return values


async def test_tags_offers_every_tag_once_it_runs() -> None:
    async with drive(Tags, config={**TAGS, "groups": list(figures.GROUPS)}) as driver:
        assert set(driver.exports["tags"]) >= {"cpu/percent", "memory/percent", "disk/free", "network/sent"}
        assert (await driver.call("read", "memory/percent"))["quality"] == "good"
        assert await driver.call("read", tag="no/such/tag") is None


async def test_a_listener_hears_every_tag_first_and_then_each_change(load) -> None:
    async with drive(Tags, config={**TAGS, "groups": ["cpu"]}) as driver:
        assert {one["tag"] for one in await driver.take(2, "changes")} == {"cpu/percent", "cpu/load"}
        stream = driver.module.changes()
        first = [await anext(stream) for _ in range(2)]
        await driver.clock.advance(1)
        load.append(7.0)
        await driver.clock.advance(1)
        last = await anext(stream)
        await stream.aclose()
    assert {one["value"] for one in first} == {1.0, 0.5} and (last["tag"], last["value"]) == ("cpu/percent", 7.0)


async def test_a_listener_that_never_listens_costs_a_bounded_buffer(load) -> None:
    async with drive(Tags, config={**TAGS, "groups": ["cpu"]}) as driver:
        stream = driver.module.changes()
        await anext(stream)
        for number in range(1200):
            load.append(number)
            driver.module._sample()
        (heard,) = driver.module._listeners
        assert heard.qsize() == 1024 and (await anext(stream))["value"] == 1200 - 1024
        await stream.aclose()
        assert driver.module._listeners == set()


async def test_tags_of_bad_quality_degrade_the_module(monkeypatch) -> None:
    def refuse(_: str) -> None:
        raise PermissionError

    monkeypatch.setattr(psutil, "disk_usage", refuse)
    async with drive(Tags, config={**TAGS, "groups": ["disk"]}) as driver:
        assert driver.health.health.value == "degraded" and "disk/free" in driver.health.reason


async def test_a_disk_that_is_not_there_makes_the_module_unhealthy() -> None:
    async with drive(Tags, config={**TAGS, "groups": ["disk"], "disk": "/no/such/disk"}) as driver:
        assert driver.health.health.value == "unhealthy" and "`/no/such/disk`" in driver.health.reason


async def test_another_interval_holds_at_once_and_other_groups_are_offered(load) -> None:
    async with drive(Tags, config={**TAGS, "interval": 3600.0}) as driver:
        module = driver.module
        await driver.reconfigure({**TAGS, "interval": 1.0, "groups": ["cpu"]})
        assert driver.module is module and driver.exports == {"tags": ["cpu/load", "cpu/percent"]}
        load.append(9.0)
        await driver.clock.advance(1)
        assert (await driver.call("read", "cpu/percent"))["value"] == 9.0
        with pytest.raises(ModuleFailed, match="measure little but itself"):
            await driver.prepare_reconfigure({**TAGS, "interval": 0.001})


# --- historian --------------------------------------------------------------------------------------------------------


async def test_the_historian_stores_every_change_and_gives_it_back(tmp_path) -> None:
    create(tmp_path / "h.sqlite")
    tags = FakePeer(streams={"changes": [change("a", 1), change("b", 5)]})
    async with drive(Historian, config={"path": str(tmp_path / "h.sqlite")}, peers={"tags": tags}) as driver:
        assert driver.exports == {"path": str(tmp_path / "h.sqlite")}
        tags.push("changes", change("a", 2), change("a", 3))
        await driver.until(lambda: len(driver.module._waiting) == 4)
        assert [row["value"] for row in await driver.call("rows", tag="a", last=2)] == [2, 3]
        assert await driver.call("rows", "b") == [change("b", 5)]


async def test_the_historian_stores_what_waits_after_its_pause_and_before_it_stops(tmp_path) -> None:
    create(tmp_path / "h.sqlite")
    tags = FakePeer(streams={"changes": [change("a", 1)]})
    config = {"path": str(tmp_path / "h.sqlite"), "flush": "2s"}
    async with drive(Historian, config=config, peers={"tags": tags}) as driver:
        store = driver.module._store
        await driver.until(lambda: driver.module._waiting)
        assert store.count() == 0
        await driver.clock.advance(2)
        await driver.until(lambda: store.count() == 1)
        tags.push("changes", change("a", 2))
        await driver.until(lambda: driver.module._waiting)
        await driver.stop()
    async with drive(Historian, config=config, peers={"tags": FakePeer(streams={"changes": []})}) as driver:
        assert [row["value"] for row in await driver.call("rows", "a")] == [1, 2]


async def test_a_historian_without_its_database_says_that_it_is_not_ready(tmp_path) -> None:
    async with drive(Historian, config={"path": str(tmp_path / "none.sqlite")}, start=False) as driver:
        with pytest.raises(ModuleFailed, match="holds no history") as failed:
            await driver.start()
    assert failed.value.fault.kind.value == "not-ready"


# --- alarms -----------------------------------------------------------------------------------------------------------


async def test_an_alarm_is_raised_and_cleared_with_hysteresis() -> None:
    tags = FakePeer(streams={"changes": [change("a", 50), change("b", 99)]})
    config = {"thresholds": {"a": {"high": 90, "hysteresis": 5}}}
    async with drive(Alarms, config=config, peers={"tags": tags}) as driver:
        assert await driver.call("active") == []
        for value, active in ((95, 1), (None, 1), (87, 1), (84, 0)):
            tags.push("changes", change("a", value), change("z", 0))
            await driver.clock.advance(0)
            assert len(await driver.call("active")) == active


async def test_an_alarm_whose_threshold_is_taken_away_is_cleared() -> None:
    tags = FakePeer(streams={"changes": [change("a", 99), change("b", 99)]})
    config = {"thresholds": {"a": {"high": 90}, "b": {"high": 90}}}
    async with drive(Alarms, config=config, peers={"tags": tags}) as driver:
        await driver.until(lambda: len(driver.module._active) == 2)
        await driver.reconfigure({"thresholds": {"b": {"high": 90}}})
        assert [one["tag"] for one in await driver.call("active")] == ["b"]


# --- basic ------------------------------------------------------------------------------------------------------------


async def test_the_basic_example_greets_and_counts() -> None:
    async with drive(BasicExampleModule, config={"greeting": "Hello"}) as driver:
        assert driver.path == ("initializing", "initialized", "starting", "running")
        assert driver.health.health.value == "healthy"
        assert await driver.call("greet", "Ada") == {"text": "Hello, Ada", "asked": 1}
        await driver.reconfigure({"greeting": "Good day"})
        assert await driver.call("greet", name="Bob") == {"text": "Good day, Bob", "asked": 2}
        await driver.stop()
        assert driver.path[-2:] == ("stopping", "stopped")


@pytest.mark.parametrize("scope", [ModuleScope.GATEWAY, ModuleScope.DESIGNER])
async def test_the_basic_example_has_a_hook_in_each_of_its_scopes(scope, monkeypatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(BasicHook, "startup", lambda self: said.append(self._scope))
    async with drive(BasicExampleModule, config={"greeting": "Hello"}, scope=scope):
        assert said == [scope.word]


def test_a_hook_greets_and_takes_leave() -> None:
    hook = BasicHook("Hello")
    hook._scope = "gateway"
    hook.startup()
    hook.shutdown()
    assert hook.said == ["Hello, gateway", "goodbye, gateway"]


def test_the_factory_makes_one_that_runs_nowhere_yet() -> None:
    module = create_basic_example_module()
    assert isinstance(module, BasicExampleModule)
    with pytest.raises(RuntimeError, match="does not run anywhere"):
        _ = module.config


# --- definitions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Tags, Historian, Alarms, BasicExampleModule])
def test_every_definition_names_its_class_and_describes_every_key_of_its_config(kind) -> None:
    package = kind.__module__.removesuffix(".module")
    definition = yaml.safe_load(ROOT.joinpath(*package.split("."), "module.yaml").read_text())
    assert definition["entry"] == f"{kind.__module__}:{kind.__name__}"
    for name, one in definition["config_schema"]["properties"].items():
        assert {"description", "examples", "x-ignrun-update"} <= {*one}, name
    if kind.Config:
        assert {*definition["config_schema"]["properties"]} == {*kind.Config.__dataclass_fields__}
