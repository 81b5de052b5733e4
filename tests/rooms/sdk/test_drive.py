"""Holds the test kit to what module authors are promised, by driving modules with it."""

import asyncio
import threading
from dataclasses import dataclass
from typing import Annotated, Any

import pytest

from ignrun import (
    AbstractIgnitionModule,
    CallFailed,
    Duration,
    Fatal,
    LifecycleEvent,
    Module,
    ModuleScope,
    NotReady,
    Path,
    Secret,
    Size,
    degraded,
    health_check,
    healthy,
    provides,
    unhealthy,
    update,
)
from ignrun.terms.fault import FaultKind
from ignrun.terms.states import Health, ModuleState
from ignrun.testing import FakePeer, ModuleFailed, drive


class Historian(AbstractIgnitionModule):
    """Stores tag changes."""

    @dataclass
    class Config:
        path: Annotated[str, update("restart")]
        flush: Duration = 1.0
        room: Size = 1024
        password: Secret | None = None
        where: Path | None = None

    config: Config

    async def initialize(self) -> None:
        self.rows: list[Any] = []

    async def startup(self) -> None:
        self.export(path=self.config.path)

    async def run(self) -> None:
        async for change in self.dependency("tags").stream("changes"):
            self.rows.append(change)

    @provides
    async def last(self, count: int = 1) -> list[Any]:
        return self.rows[-count:]

    @provides
    async def numbers(self):
        for number in range(10):
            yield number

    async def check_health(self):
        return healthy() if self.rows else degraded("nothing stored yet")


def tags(*values: Any) -> FakePeer:
    return FakePeer(streams={"changes": values})


async def test_a_module_runs_through_its_states_and_stores_what_its_peer_streams() -> None:
    peer = tags(1, 2)
    async with drive(
        Historian, config={"path": "x.sqlite", "flush": "2s", "room": "1KiB"}, peers={"tags": peer}
    ) as run:
        assert run.state is ModuleState.RUNNING
        assert run.module.config == Historian.Config("x.sqlite", 2.0, 1024)
        assert run.exports == {"path": "x.sqlite"}
        peer.push("changes", 3)
        await run.until(lambda: run.module.rows == [1, 2, 3])
        assert await run.call("last", count=2) == [2, 3]
        assert await run.take(3, "numbers") == [0, 1, 2]
        assert (await run.check_health()).health is Health.HEALTHY
    assert run.path == ("initializing", "initialized", "starting", "running", "stopping", "stopped")
    assert run.left_behind == ()


async def test_a_main_loop_that_returns_is_completion() -> None:
    peer = tags(1)
    async with drive(Historian, config={"path": "x"}, peers={"tags": peer}) as run:
        peer.finish("changes")
        await run.completed()
        assert run.state is ModuleState.STOPPED
        assert isinstance(last := run.events[-1].body, LifecycleEvent)
        assert last.cause == "completed"


async def test_what_a_callback_raises_is_a_fault_with_its_traceback() -> None:
    class Broken(Module):
        async def startup(self) -> None:
            raise ValueError("no disk")

    with pytest.raises(ModuleFailed, match="`startup` raised ValueError: no disk") as failed:
        async with drive(Broken):
            pass
    assert failed.value.fault.callback == "startup"
    assert "test_drive.py" in failed.value.fault.detail
    assert "ignrun/host" not in failed.value.fault.detail


@pytest.mark.parametrize(
    ("error", "kind"), [(NotReady("later"), FaultKind.NOT_READY), (Fatal("never"), FaultKind.FATAL)]
)
async def test_not_ready_and_fatal_keep_their_meaning(error, kind) -> None:
    class Raising(Module):
        def startup(self) -> None:
            raise error

    with pytest.raises(ModuleFailed) as failed:
        async with drive(Raising):
            pass
    assert failed.value.fault.kind is kind


async def test_sys_exit_in_a_callback_is_a_fault_and_ends_nothing_else() -> None:
    class Exiting(Module):
        async def initialize(self) -> None:
            raise SystemExit(3)

    with pytest.raises(ModuleFailed, match=r"`initialize` called sys.exit\(3\)"):
        async with drive(Exiting):
            pass


async def test_plain_callbacks_run_on_a_thread_and_see_that_they_should_stop() -> None:
    class Plain(Module):
        def startup(self) -> None:
            self.thread = threading.get_ident()

        def run(self) -> None:
            self.began = True
            while not self.stopping.wait(0.01):
                pass

    async with drive(Plain) as run:
        assert run.module.thread != threading.get_ident()
        await run.until(lambda: getattr(run.module, "began", False))
    assert run.state is ModuleState.STOPPED
    assert run.left_behind == ()


@pytest.mark.parametrize("scope", ModuleScope)
@pytest.mark.parametrize("step", ["create", "setup", "startup"])
async def test_a_failing_hook_fails_the_module_in_each_scope(step, scope) -> None:
    class Hook:
        def setup(self, context) -> None:
            assert context.scope is scope
            if step == "setup":
                raise RuntimeError("hook")

        def startup(self) -> None:
            if step == "startup":
                raise RuntimeError("hook")

    def create(self) -> object:
        if step == "create":
            raise RuntimeError("hook")
        return Hook()

    hooked = type("Hooked", (Module,), {f"create_{scope.word}_hook": create})
    with pytest.raises(ModuleFailed, match=r"hook( setup| startup)?` raised RuntimeError"):
        async with drive(hooked, scope=scope):
            pass


async def test_hooks_of_other_scopes_are_not_made() -> None:
    class Hooked(Module):
        def create_gateway_hook(self) -> object:
            raise RuntimeError("not asked for")

        def create_designer_hook(self) -> object:
            raise RuntimeError("not asked for")

    async with drive(Hooked, scope=ModuleScope.CLIENT) as run:
        assert run.state is ModuleState.RUNNING


async def test_a_hook_whose_shutdown_fails_ends_in_error_and_the_module_is_shut_down_all_the_same() -> None:
    heard: list[str] = []

    class Hook:
        def shutdown(self) -> None:
            raise RuntimeError("hook")

    class Hooked(Module):
        def create_gateway_hook(self) -> object:
            return Hook()

        async def shutdown(self) -> None:
            heard.append("shutdown")

    async with drive(Hooked) as run:
        with pytest.raises(ModuleFailed, match="`gateway hook shutdown` raised RuntimeError"):
            await run.stop()
        assert (run.state, heard) == (ModuleState.ERROR, ["shutdown"])


async def test_the_hook_of_the_scope_is_set_up_started_and_shut_down() -> None:
    heard: list[str] = []

    class Hook:
        def setup(self, context) -> None:
            heard.append(f"setup {context.address}")

        async def startup(self) -> None:
            heard.append("startup")

        def shutdown(self) -> None:
            heard.append("shutdown")

    class Hooked(Module):
        def create_designer_hook(self) -> object:
            return Hook()

        def create_gateway_hook(self) -> object:
            raise AssertionError("of another scope")

    async with drive(Hooked, scope=ModuleScope.DESIGNER):
        assert heard == ["setup hooked@designer", "startup"]
    assert heard[-1] == "shutdown"


async def test_an_async_function_is_a_module() -> None:
    async def poll(ctx: Any) -> None:
        ctx.export(seen=ctx.config["n"])
        while not ctx.stopping:
            await ctx.clock.sleep(5)
            ctx.export(seen=ctx.config["n"] + ctx.clock.monotonic())

    async with drive(poll, config={"n": 1}) as run:
        await run.until(lambda: run.exports)
        await run.clock.advance(11)
        assert run.exports == {"seen": 11.0}


async def test_checks_are_weighed_and_the_worst_counts() -> None:
    class Checked(Module):
        async def check_health(self):
            return healthy()

        @health_check(interval=1)
        def disk(self):
            return unhealthy("disk full")

        @health_check()
        async def link(self):
            raise OSError("no link")

    async with drive(Checked) as run:
        assert run.health.health is Health.UNHEALTHY
        assert run.health.reason == "disk full"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, "missing required field `path`"),
        ({"path": 3}, "Expected `str`, got `int`"),
        ({"path": "x", "flsh": 1}, "unknown key `flsh`; did you mean `flush`?"),
        ({"path": "x", "flush": "2 days"}, "`2 days` is not a duration"),
    ],
)
async def test_a_config_that_does_not_fit_says_where(config, said) -> None:
    with pytest.raises(ModuleFailed) as failed:
        async with drive(Historian, config=config, peers={"tags": tags()}):
            pass
    assert said in failed.value.fault.summary


async def test_a_secret_in_a_property_that_is_no_secret_says_how_to_declare_it() -> None:
    with pytest.raises(ModuleFailed) as failed:
        async with drive(Historian, config={"path": "hunter2!"}, secrets=["path"], peers={"tags": tags()}):
            pass
    said = failed.value.fault.summary
    assert (
        "Expected `str`, got `Secret` (a value from `${secret:..}` is declared as `ignrun.Secret`) - at `$.path`"
        in said
    )


async def test_a_secret_is_masked_wherever_it_could_be_shown() -> None:
    class Leaky(Module):
        async def startup(self) -> None:
            raise ValueError(f"cannot log in with {self.config['password'].reveal()}")

    with pytest.raises(ModuleFailed) as failed:
        async with drive(Leaky, config={"password": "hunter2!"}, secrets=["password"]):
            pass
    assert "hunter2!" not in f"{failed.value.fault}"
    assert "********" in failed.value.fault.summary


async def test_a_secret_is_no_export_and_exports_have_a_limit() -> None:
    class Exporting(Module):
        async def startup(self) -> None:
            with pytest.raises(TypeError, match="a Secret is never exported"):
                self.export(password=Secret("x"))
            with pytest.raises(ValueError, match="65536 are allowed"):
                self.export(text="x" * 70_000)
            for cannot_be_sent in (2**70, "\udcff"):
                with pytest.raises(TypeError, match="exports are JSON values"):
                    self.export(value=cannot_be_sent)
            mine = [1]
            self.export(fine=1, mine=mine, keyed={1: (None,)})
            mine.append(2)

    async with drive(Exporting) as run:
        assert run.exports == {"fine": 1, "mine": [1], "keyed": {"1": [None]}}


async def test_only_provided_methods_can_be_called() -> None:
    class Closed(Module):
        async def inside(self) -> None: ...

    async with drive(Closed) as run:
        with pytest.raises(CallFailed, match="does not provide `inside`"):
            await run.call("inside")


async def test_tasks_of_a_module_are_cancelled_and_those_that_refuse_are_named() -> None:
    stubborn = asyncio.Event()

    class Tasks(Module):
        async def startup(self) -> None:
            self.polite = asyncio.create_task(asyncio.sleep(3600))
            self.rude = asyncio.create_task(self.refuse(), name="rude")
            await asyncio.sleep(0)

        async def refuse(self) -> None:
            while not stubborn.is_set():
                try:
                    await stubborn.wait()
                except asyncio.CancelledError:
                    continue

    async with drive(Tasks) as run:
        module = run.module
    assert module.polite.cancelled()
    assert run.left_behind == ("task rude",)
    stubborn.set()
    await module.rude


async def test_managers_are_views_and_made_when_first_used() -> None:
    async with drive(Historian, config={"path": "x"}, peers={"tags": tags()}) as run:
        module = run.module
        assert "lifecycle" not in vars(module)
        assert module.lifecycle.state is ModuleState.RUNNING
        assert [event.body.new.value for event in module.lifecycle.events] == list(run.path)
        statistics = module.lifecycle.statistics
        assert (statistics.restart_count, statistics.error_count, statistics.health_status) == (0, 0, Health.DEGRADED)
        assert module.configuration.get("path") == "x"
        assert module.configuration.validator.problems({"pth": 1})
        assert (module.configuration.origins, module.configuration.backups) == ({}, ())
        with pytest.raises(KeyError, match="path"):
            module.configuration.origin("path")
        module.diagnostics.record_error(ValueError("odd"), tag="t1")
        assert [error.text for error in module.diagnostics.errors] == ["odd"]


async def test_an_error_ends_no_uptime(monkeypatch) -> None:
    class Fragile(Module):
        async def run(self) -> None:
            await self.clock.sleep(90)
            raise ValueError("worn out")

    async with drive(Fragile) as run:
        await run.clock.advance(60)
        assert run.module.lifecycle.statistics.uptime_seconds == 60
        await run.clock.advance(30)
        with pytest.raises(ModuleFailed):
            await run.completed()
        await run.clock.advance(10)
        figures = run.module.lifecycle.statistics
        assert (figures.uptime_seconds, figures.error_count, figures.availability_percentage) == (90, 1, 90)
        assert figures.mean_time_between_failures == 90
        told = [event.body for event in run.events if isinstance(event.body, LifecycleEvent)]
        assert [(one.new.value, one.epoch) for one in told[-2:]] == [("running", 1), ("error", 1)]


async def test_a_stopped_module_starts_again_as_a_fresh_object() -> None:
    async with drive(Historian, config={"path": "x"}, peers={"tags": tags()}) as run:
        first = run.module
        await run.stop()
        await run.start()
        assert run.module is not first
        assert run.module.lifecycle.statistics.restart_count == 1


def test_a_module_that_runs_nowhere_says_so() -> None:
    with pytest.raises(RuntimeError, match="does not run anywhere"):
        _ = Historian().config


async def test_a_thread_that_goes_on_after_shutdown_is_left_behind_by_name() -> None:
    release = threading.Event()

    class Leaky(Module):
        async def startup(self) -> None:
            threading.Thread(target=release.wait, name="pump").start()

    async with drive(Leaky) as driver:
        await driver.stop()
        assert driver.left_behind == ("thread pump",)
        release.set()
