"""Holds the test kit, and the host's code behind it, to what an author meets at the edges: odd hooks, odd exports, requests that wait for themselves."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from ignrun import CallFailed, Duration, Module, Refused, degraded, health_check, provides
from ignrun.testing import FakePeer, ModuleFailed, drive


class Asking(Module):
    """Asks for another value of its config where its config says so."""

    said = ""

    async def ask(self, where: str) -> None:
        if self.config["where"] != where:
            return
        try:
            await self.configuration.request("number", 2)
            self.said = "granted"
        except Refused as refused:
            self.said = str(refused)

    async def startup(self) -> None:
        await self.ask("startup")
        self.later = asyncio.create_task(self.after_a_while())

    async def after_a_while(self) -> None:
        await self.clock.sleep(60)
        await self.ask("task")

    async def check_health(self) -> None:
        await self.ask("check_health")

    @health_check()
    async def second(self) -> None:
        await self.ask("second")

    async def prepare_reconfigure(self, change: Any) -> None:
        await self.ask("prepare_reconfigure")

    async def reconfigure(self, change: Any) -> None:
        await self.ask("reconfigure")

    async def rebind(self, slot: str, peer: Any) -> None:
        await self.ask("rebind")


@pytest.mark.parametrize("where", ["check_health", "second", "prepare_reconfigure", "reconfigure", "rebind"])
async def test_a_callback_that_asks_for_another_value_is_refused_at_once_instead_of_waiting_for_itself(where) -> None:
    async with drive(Asking, config={"where": where, "number": 1}) as run:
        await run.reconfigure({"where": where, "number": 5})
        await run.rebind("tags", FakePeer())
        assert run.module.said == f"`{where}` would wait for itself: ask in `run`, or in a task of the module's own"
        assert run.module.config["number"] == 5


async def test_a_module_that_does_not_run_yet_asks_for_nothing() -> None:
    async with drive(Asking, config={"where": "startup", "number": 1}) as run:
        assert run.module.said == "`asking@gateway` does not run now (its state: starting)"


async def test_a_task_that_a_callback_has_made_may_ask() -> None:
    async with drive(Asking, config={"where": "task", "number": 1}) as run:
        await run.clock.advance(61)
        await run.until(lambda: run.module.said)
        assert (run.module.said, run.module.config["number"]) == ("granted", 2)


@pytest.mark.parametrize("hook", [42, "setup", object()])
async def test_what_has_nothing_of_a_hook_is_none(hook) -> None:
    hooked = type("Hooked", (Module,), {"create_gateway_hook": lambda _: hook})
    with pytest.raises(ModuleFailed, match="which has none of setup, startup, shutdown"):
        async with drive(hooked):
            pass


async def test_no_hook_at_all_and_one_with_a_single_callback_will_do() -> None:
    class Small:
        def shutdown(self) -> None:
            ended.append("shutdown")

    ended: list[str] = []
    for hook in (None, Small()):
        async with drive(type("Hooked", (Module,), {"create_gateway_hook": lambda _, hook=hook: hook})):
            pass
    assert ended == ["shutdown"]


def circle() -> list[Any]:
    one: list[Any] = []
    one.append(one)
    return one


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**70, b"x", {1, 2}, circle(), "\ud800"])
async def test_what_is_not_json_is_refused_where_it_is_exported_and_the_place_is_the_module_s_own(value) -> None:
    class Exporting(Module):
        async def startup(self) -> None:
            self.export(value=value)

    with pytest.raises(ModuleFailed, match="exports are JSON values") as failed:
        async with drive(Exporting):
            pass
    assert failed.value.fault.detail.count("Traceback") == 1
    assert "json/encoder" not in failed.value.fault.detail


async def test_diagnostics_know_the_checks_there_are_and_what_they_said_last() -> None:
    class Checked(Module):
        @health_check()
        async def disk(self) -> object:
            return degraded("nearly full")

    async with drive(Checked) as run:
        assert run.module.diagnostics.checks == ("disk",)
        assert run.module.diagnostics.last_result == degraded("nearly full")
    async with drive(Module) as run:
        assert run.module.diagnostics.checks == ()
        assert repr(run.module.stopping) == "<Stopping: False>"


class Giving(Module):
    @provides
    async def give(self, value: Any = None) -> Any:
        return self.answer if value is None else value

    @provides
    async def given(self):
        yield 1
        yield self.answer

    answer: Any = None


async def test_what_a_module_gives_and_takes_is_as_it_is_between_two_hosts() -> None:
    async with drive(Giving) as run:
        run.module.answer = (1, {"a": (2,)})
        assert await run.call("give") == [1, {"a": [2]}]
        assert await run.take(2, "given") == [1, [1, {"a": [2]}]]
        assert await run.call("give", (3,)) == [3]


async def test_what_cannot_be_sent_to_another_host_fails_in_a_test_already() -> None:
    async with drive(Giving) as run:
        run.module.answer = object()
        with pytest.raises(CallFailed, match="`give` returned what cannot be sent: Encoding objects of type object"):
            await run.call("give")
        with pytest.raises(CallFailed, match="`given` yielded what cannot be sent: Encoding objects of type object"):
            await run.take(2, "given")
        with pytest.raises(
            CallFailed, match="arguments are values of msgpack's types: Encoding objects of type object"
        ):
            await run.call("give", object())


async def test_a_fake_peer_takes_and_gives_what_can_be_sent() -> None:
    class Caller(Module):
        async def startup(self) -> None:
            self.peer = self.dependency("tags")

    peer = FakePeer({"tuple": (1, 2), "odd": object(), "echo": lambda value: value}, streams={"rows": [(1,), object()]})
    async with drive(Caller, peers={"tags": peer}) as run:
        assert await run.module.peer.call("tuple") == [1, 2]
        assert await run.module.peer.call("echo", {"a": (1,)}) == {"a": [1]}
        with pytest.raises(CallFailed, match="`odd` returned what cannot be sent"):
            await run.module.peer.call("odd")
        with pytest.raises(CallFailed, match="arguments are values of msgpack's types"):
            await run.module.peer.call("echo", object())
        rows = run.module.peer.stream("rows")
        assert await anext(rows) == [1]
        with pytest.raises(CallFailed, match="`rows` yielded what cannot be sent"):
            await anext(rows)
        with pytest.raises(ValueError, match="the buffer of a stream"):
            await anext(run.module.peer.stream("rows", buffer=0))


class Awaited(Module):
    """Its `run` is a plain function that gives a coroutine, as a decorator may make it."""

    ended = ""

    def run(self) -> Any:
        return self.forever()

    async def forever(self) -> None:
        try:
            await self.clock.sleep(10_000)
        finally:
            self.ended = "cancelled"


async def test_a_plain_main_loop_that_gives_a_coroutine_is_awaited_and_cancelled_like_an_async_one() -> None:
    async with drive(Awaited) as run:
        await run.clock.advance(5)
        assert run.state.value == "running"
        await run.stop()
        assert (run.module.ended, run.left_behind) == ("cancelled", ())


async def yields(self: Any) -> Any:
    yield 1


def yields_plainly(self: Any) -> Any:
    yield 1


@pytest.mark.parametrize("function", [yields, yields_plainly])
@pytest.mark.parametrize("callback", ["initialize", "startup", "run", "check_health"])
async def test_a_callback_with_a_yield_is_a_mistake_and_not_a_callback_that_ends_well(callback, function) -> None:
    said = f"`{callback}` has a `yield`: nothing of it runs when it is called"
    module = type("Yielding", (Module,), {callback: function})
    if callback == "check_health":
        async with drive(module) as run:
            assert said in run.health.reason
        return
    with pytest.raises(ModuleFailed, match=said):
        async with drive(module) as run:
            await run.completed()


@pytest.mark.parametrize("awaited", [True, False])
async def test_a_task_that_fails_and_that_nobody_awaits_is_told_of(caplog, monkeypatch, awaited) -> None:
    monkeypatch.setattr("ignrun.host.ledger._PATIENCE", 0.02)

    class Careless(Module):
        async def startup(self) -> None:
            self.task = asyncio.create_task(self.fails(), name="poller")
            if awaited:
                await asyncio.gather(self.task, return_exceptions=True)

        async def fails(self) -> None:
            raise ValueError("the broker is gone")

    async with drive(Careless) as run:
        await asyncio.sleep(0.05)
        assert run.state.value == "running"
    told = [record for record in caplog.records if record.name == "ignrun.instance.careless@gateway"]
    expected = [] if awaited else ["task `poller` failed, and nobody awaits it"]
    assert [record.getMessage() for record in told] == expected


@dataclass
class Server:
    port: int
    wait: Duration = 1.0


class Nested(Module):
    @dataclass
    class Config:
        server: Server | None = None
        servers: Sequence[Server] = ()
        by_name: Mapping[str, Server] = field(default_factory=dict)
        waits: Mapping[str, Duration] = field(default_factory=dict)
        plain: list = field(default_factory=list)


async def test_what_is_written_in_inner_blocks_arrives_as_numbers_wherever_they_stand() -> None:
    server = {"port": 1, "wait": "2s"}
    config = {"server": server, "servers": [server], "by_name": {"a": server}, "waits": {"a": "5ms"}, "plain": [1]}
    async with drive(Nested, config=config) as run:
        now = run.module.config
        assert [one.wait for one in (now.server, *now.servers, *now.by_name.values())] == [2.0] * 3
        assert (now.waits, now.plain) == ({"a": 0.005}, [1])


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ({"server": {"port": 1, "wiat": "2s"}}, "$.server"),
        ({"servers": [{"port": 1}, {"port": 1, "wiat": 2}]}, "$.servers[1]"),
        ({"by_name": {"a": {"port": 1, "wiat": 2}}}, "$.by_name.a"),
    ],
)
async def test_an_unknown_key_of_an_inner_block_is_refused_with_its_place(config, place) -> None:
    with pytest.raises(ModuleFailed) as failed:
        async with drive(Nested, config=config):
            pass
    assert f"unknown key `wiat`; did you mean `wait`? - at `{place}`" in failed.value.fault.summary
