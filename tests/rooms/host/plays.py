"""The modules that the tests of this room run in hosts."""

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ignrun import (
    ConfigChange,
    Duration,
    Fatal,
    Module,
    NotReady,
    Refused,
    Reject,
    Secret,
    degraded,
    health_check,
    healthy,
    provides,
    unhealthy,
)

released = threading.Event()
"""Ends what hangs, so that no test leaves anything behind."""

called = threading.Event()
"""Set once `slow`, or what hangs in a change, is being called."""

heard: list[tuple[str, str, str]] = []
"""(address, callback, "begin" | "end"), in order, of every Recorder."""


class Recorder(Module):
    def hear(self, callback: str, when: str) -> None:
        heard.append((self.context.address, callback, when))

    async def step(self, callback: str) -> None:
        self.hear(callback, "begin")
        try:
            for _ in range(self.config.get("turns", 0)):
                await asyncio.sleep(0)
        finally:
            self.hear(callback, "end")

    async def initialize(self) -> None:
        await self.step("initialize")

    async def startup(self) -> None:
        await self.step("startup")

    async def check_health(self) -> None:
        await self.step("check_health")

    async def shutdown(self) -> None:
        await self.step("shutdown")


class Plain(Module):
    """Nothing at all."""


class Tags(Module):
    async def startup(self) -> None:
        self.export(url=f"tags://{self.context.epoch}")
        self.watchers = 0

    @provides
    async def add(self, a: int, b: int = 1) -> int:
        return a + b

    @provides
    def blocking(self) -> str:
        return threading.current_thread().name

    @provides
    async def broken(self) -> None:
        raise ValueError("no such tag")

    @provides
    async def slow(self) -> None:
        called.set()
        await asyncio.sleep(3600)

    @provides
    async def odd(self) -> object:
        return object()

    @provides
    async def count(self, upto: int = 3):
        for number in range(upto):
            yield number

    @provides
    async def ticks(self):
        number = 0
        self.watchers += 1
        try:
            while True:
                yield [self.context.epoch, number]
                number += 1
                await asyncio.sleep(0.001)
        finally:
            self.watchers -= 1

    @provides
    async def produced(self):
        self.made = 0
        while True:
            self.made += 1
            yield self.made

    @provides
    async def how_many(self) -> int:
        return self.made

    @provides
    async def how_many_watch(self) -> int:
        return self.watchers

    async def hidden(self) -> None: ...


class Client(Module):
    """Does in `startup` what its config says with its peer, and exports what came of it."""

    async def startup(self) -> None:
        peer = self.dependency("tags")
        self.export(outcome=await self.outcome(peer, self.config["do"]))

    async def outcome(self, peer: Any, do: str) -> Any:
        try:
            return await getattr(self, do)(peer)
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    async def call(self, peer: Any) -> Any:
        return [await peer.call("add", 2), await peer.call("add", a=2, b=5), await peer.call("blocking") != ""]

    async def exports(self, peer: Any) -> Any:
        return [dict(peer.exports), peer.state.value]

    async def broken(self, peer: Any) -> Any:
        await peer.call("broken")

    async def slow(self, peer: Any) -> Any:
        await peer.call("slow", timeout=0.05)

    async def patient(self, peer: Any) -> Any:
        await peer.call("slow")

    async def odd(self, peer: Any) -> Any:
        await peer.call("odd")

    async def ask(self, peer: Any) -> Any:
        await peer.call("ask")

    async def hidden(self, peer: Any) -> Any:
        await peer.call("hidden")

    async def count(self, peer: Any) -> Any:
        return [number async for number in peer.stream("count", upto=1000)]

    async def backed_up(self, peer: Any) -> Any:
        """Read two values of a stream that never ends, then see how far its provider ran ahead."""
        stream = peer.stream("produced", buffer=10)
        taken = [await anext(stream), await anext(stream)]
        for _ in range(20):
            await asyncio.sleep(0.005)
        made = await peer.call("how_many")
        await stream.aclose()
        return [taken, made]

    async def watchers(self, peer: Any) -> Any:
        """Wait until nobody watches any more."""
        while await peer.call("how_many_watch"):  # noqa: ASYNC110 - polls
            await asyncio.sleep(0.005)
        return 0

    async def dropping(self, peer: Any) -> Any:
        stream = peer.stream("ticks", buffer=4, overflow="drop_oldest")
        await anext(stream)
        while (await anext(stream))[1] < 50:  # noqa: ASYNC110 - a slow reader
            await asyncio.sleep(0.02)
        await stream.aclose()
        return "newest"

    async def blocking(self, peer: Any) -> Any:
        return peer.call_blocking("add", 1)

    async def no_slot(self, peer: Any) -> Any:
        return [self.dependency("alarms", None), self.dependency("alarms")]


class Follower(Module):
    """Follows a stream for ever; its checks tell the epochs that it has seen."""

    async def initialize(self) -> None:
        self.epochs: list[int] = []

    async def run(self) -> None:
        async for epoch, _ in self.dependency("tags").stream("ticks"):
            if epoch not in self.epochs:
                self.epochs.append(epoch)
                self.export(epochs=self.epochs)


class Raises(Module):
    """Raises in the callback that its config names."""

    def __init__(self) -> None:
        self.maybe("__init__")

    def maybe(self, callback: str) -> None:
        if self.config.get("in") == callback:
            raise {"NotReady": NotReady, "Fatal": Fatal, "exit": SystemExit}.get(self.config.get("error"), ValueError)(
                "told to"
            )

    async def initialize(self) -> None:
        self.maybe("initialize")

    async def startup(self) -> None:
        self.maybe("startup")

    async def run(self) -> None:
        self.maybe("run")
        await asyncio.sleep(3600)

    async def check_health(self) -> None:
        self.maybe("check_health")

    async def shutdown(self) -> None:
        self.maybe("shutdown")


class Hangs(Module):
    """Hangs in the callback that its config names, on the loop or on a thread, politely or not."""

    async def maybe(self, callback: str) -> None:
        while self.config.get("in") == callback and not released.is_set():
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                if not self.config.get("rude"):
                    raise

    async def initialize(self) -> None:
        await self.maybe("initialize")

    async def startup(self) -> None:
        await self.maybe("startup")

    async def run(self) -> None:
        await self.maybe("run")
        if self.config.get("in") != "run":
            await asyncio.sleep(3600)

    async def check_health(self) -> None:
        await self.maybe("check_health")

    async def shutdown(self) -> None:
        await self.maybe("shutdown")


class HangsOnThread(Module):
    def startup(self) -> None:
        released.wait(30)


class Completes(Module):
    async def run(self) -> None:
        await asyncio.sleep(0)


class Counting(Module):
    """Keeps metrics; its peers make it count."""

    async def startup(self) -> None:
        self.rows = self.diagnostics.metrics.counter("rows", "Rows stored.", kind="tag")
        self.rows.add(2)

    async def run(self) -> None:
        self.diagnostics.set_metric("queue_length", 4)
        with self.diagnostics.metrics.timer("flush").measure():
            await asyncio.sleep(0.002)
        await asyncio.sleep(3600)

    async def shutdown(self) -> None:
        self.rows.add()


class Moody(Module):
    """Healthy only at the third check."""

    async def initialize(self) -> None:
        self.asked = 0

    async def check_health(self) -> Any:
        self.asked += 1
        return (
            [unhealthy("one"), degraded("two"), healthy()][min(self.asked, 3) - 1]
            if self.asked > 1
            else unhealthy("zero")
        )


class Configured(Module):
    async def startup(self) -> None:
        secret = self.config.get("password")
        self.export(seen={key: value for key, value in self.config.items() if not isinstance(value, Secret)})
        if secret is not None:
            self.log.warning("the password is %s", secret.reveal())
            self.log.info("wrapped: %s", secret)


class Talkative(Module):
    async def startup(self) -> None:
        import logging
        import warnings

        self.log.info("hello", extra={"tag": "t1", "big": 2**70})
        logging.getLogger("plant.code").warning("by the root")
        warnings.warn("old ways", stacklevel=1)
        self.thread = threading.Thread(target=lambda: self.log.error("from a thread"))
        self.thread.start()
        self.thread.join()


class Floods(Module):
    async def startup(self) -> None:
        for number in range(50_000):
            self.log.info("line %d %s", number, "x" * 200)


class Blocks(Module):
    async def run(self) -> None:
        await asyncio.sleep(0)
        while True:
            time.sleep(3600)  # noqa: ASYNC251 - blocks the loop on purpose


class BlocksInShutdown(Module):
    async def shutdown(self) -> None:
        while True:
            time.sleep(3600)  # noqa: ASYNC251 - blocks the loop on purpose


async def poll(ctx: Any) -> None:
    ctx.log.info("polled")


def plain_function(ctx: Any) -> None: ...


class NoModule: ...


class Tunable(Module):
    """Can be changed while it runs; does what the new config says in the callback that it names, and hears every callback."""

    @dataclass
    class Config:
        flush: Duration = 1.0
        password: Secret | None = None
        do: str = ""
        at: str = "reconfigure"
        checked: bool = False

        def __post_init__(self) -> None:
            if self.flush > 100:
                raise ValueError("nobody flushes that seldom")

    config: Config

    async def initialize(self) -> None:
        self.told: list[Any] = []

    async def startup(self) -> None:
        self.export(me=id(self), pid=os.getpid(), told=self.told)

    @contextlib.contextmanager
    def heard(self, callback: str) -> Iterator[None]:
        heard.append((self.context.address, callback, "begin"))
        try:
            yield
        finally:
            heard.append((self.context.address, callback, "end"))

    async def act(self, callback: str, config: Any) -> None:
        with self.heard(callback):
            if callback == config.at:
                await getattr(self, config.do or "nothing")()

    async def nothing(self) -> None:
        await asyncio.sleep(0)

    async def reject(self) -> None:
        raise Reject("it would wear the disk out")

    async def fail(self) -> None:
        raise ValueError("no such disk")

    async def hang(self) -> None:
        called.set()
        await asyncio.sleep(3600)

    async def cling(self) -> None:
        called.set()
        while not released.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.01)

    async def dawdle(self) -> None:
        await asyncio.sleep(0.1)

    async def prepare_reconfigure(self, change: ConfigChange) -> None:
        assert self.config is change.old
        await self.act("prepare_reconfigure", change.new)

    async def reconfigure(self, change: ConfigChange) -> None:
        assert self.config is change.old
        self.told.append([*change.paths, change.old.flush, change.new.flush])
        self.export(told=self.told)
        await self.act("reconfigure", change.new)

    async def rebind(self, slot: str, peer: Any) -> None:
        await self.act("rebind", self.config)
        if isinstance(peer, tuple):
            self.told.append([slot, *(one.address for one in peer)])
        else:
            self.told.append([slot, peer and await peer.call("add", 1), peer is self.dependency(slot, None)])
        self.export(told=self.told, flush=self.config.flush)

    async def check_health(self) -> None:
        with self.heard("check_health"):
            await asyncio.sleep(0)

    async def shutdown(self) -> None:
        with self.heard("shutdown"):
            await asyncio.sleep(0)


class TunableOnThreads(Module):
    """Changed by plain callbacks."""

    def prepare_reconfigure(self, change: ConfigChange) -> None:
        assert threading.current_thread().name.startswith("callback")

    def reconfigure(self, change: ConfigChange) -> None:
        self.export(on=threading.current_thread().name.partition("_")[0], new=dict(change.new))
        released.wait(change.new.get("seconds", 0))


class Odd(BaseException):
    """An exception that no `except Exception` sees."""


_ODD: dict[str, type[BaseException]] = {
    "odd": Odd,
    "interrupt": KeyboardInterrupt,
    "exit": SystemExit,
    "generator": GeneratorExit,
    "cancelled": asyncio.CancelledError,
    "stop": StopIteration,
}


def act_oddly(config: Any, callback: str) -> None:
    if config.get("in") == callback:
        raise _ODD[config["raise"]]


class RaisesOddly(Module):
    """Raises what derives from BaseException alone in the callback that its config names."""

    async def initialize(self) -> None:
        act_oddly(self.config, "initialize")

    async def startup(self) -> None:
        act_oddly(self.config, "startup")

    async def run(self) -> None:
        act_oddly(self.config, "run")
        await asyncio.sleep(3600)

    async def check_health(self) -> None:
        act_oddly(self.config, "check_health")

    async def reconfigure(self, change: ConfigChange) -> None:
        act_oddly(change.new, "reconfigure")

    @provides
    async def ask(self) -> None:
        act_oddly(self.config, "ask")

    async def shutdown(self) -> None:
        act_oddly(self.config, "shutdown")


class RaisesOddlyOnThreads(Module):
    def initialize(self) -> None:
        act_oddly(self.config, "initialize")

    def startup(self) -> None:
        act_oddly(self.config, "startup")

    def run(self) -> None:
        act_oddly(self.config, "run")
        self.stopping.wait(30)

    def check_health(self) -> None:
        act_oddly(self.config, "check_health")

    def shutdown(self) -> None:
        act_oddly(self.config, "shutdown")


class CancelsItself(Module):
    """Cancels the task that it runs in."""

    async def cancel(self, callback: str) -> None:
        if self.config.get("in") == callback:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await asyncio.sleep(1)

    async def initialize(self) -> None:
        await self.cancel("initialize")

    async def startup(self) -> None:
        await self.cancel("startup")

    async def run(self) -> None:
        await self.cancel("run")
        await asyncio.sleep(3600)

    async def shutdown(self) -> None:
        await self.cancel("shutdown")


class Leaves(Module):
    """Wants to end the process in a task of its own."""

    async def startup(self) -> None:
        self.task = asyncio.create_task(self.leave())

    async def leave(self) -> None:
        await asyncio.sleep(0)
        raise _ODD[self.config["raise"]](5)


class Checked(Module):
    """Has checks of three kinds; counts how often each was asked."""

    async def initialize(self) -> None:
        self.asked = dict.fromkeys(("often", "seldom", "usual"), 0)

    async def check_health(self) -> Any:
        self.asked["usual"] += 1
        return degraded("slow") if self.config.get("slow") else None

    @health_check(interval=0.002)
    async def often(self) -> Any:
        self.asked["often"] += 1
        return unhealthy("no disk") if self.asked["often"] == self.config.get("fails_at") else None

    @health_check(interval=3600)
    def seldom(self) -> Any:
        self.asked["seldom"] += 1
        return {"strange": True} if self.config.get("strange") else healthy("fine")

    @provides
    async def counts(self) -> dict[str, int]:
        return self.asked

    async def shutdown(self) -> None:
        self.export(asked=self.asked)


class Stepwise(Module):
    """Goes to and fro between working and waiting, as its config says."""

    async def startup(self) -> None:
        time.sleep(self.config.get("blocks", 0))  # noqa: ASYNC251 - blocks the loop on purpose
        said: list[Any] = []
        for _ in range(3):
            await asyncio.sleep(0)
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(self.config.get("waits", 3600))
        except TimeoutError:
            said.append("timeout")
        said.append(await self.answer())
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(0))
        self.export(said=said)

    async def answer(self) -> str:
        await asyncio.sleep(0.001)
        return "answer"


class BlockingClient(Module):
    """Calls its peer from a plain callback, on a thread."""

    def startup(self) -> None:
        peer = self.dependency("tags")
        outcome: list[Any] = [peer.call_blocking("add", 2, b=3)]
        for method, timeout in (("broken", None), ("slow", 0.05)):
            try:
                peer.call_blocking(method, timeout=timeout)
            except Exception as error:
                outcome.append(type(error).__name__)
        self.export(outcome=outcome)


class ManyPeers(Module):
    """Asks each of its peers."""

    async def startup(self) -> None:
        peers = self.dependency("tags")
        self.export(outcome=[[one.address, one.slot, await one.call("add", 1)] for one in peers])


class Asking(Module):
    """Tells what it knows of its config, then asks for another value of it and tells what came of that."""

    async def run(self) -> None:
        known = self.configuration
        self.export(
            origins={path: [one.layer, one.place] for path, one in known.origins.items()}, backups=list(known.backups)
        )
        answer = "done"
        try:
            await known.request(*self.config["ask"])
        except Refused as refused:
            answer = f"Refused: {refused}"
        self.export(answer=answer, after=[known.origin("flush").layer, list(known.backups)])
        await self.clock.sleep(1000)

    async def reconfigure(self, change: ConfigChange) -> None:
        pass


odd_request: tuple[str, Any] = ("", "")
"""What AskingOddly asks for."""


class AskingOddly(Module):
    async def run(self) -> None:
        try:
            await self.configuration.request(*odd_request)
        except Refused as refused:
            self.export(answer=f"Refused: {refused}")
        await self.clock.sleep(1000)
