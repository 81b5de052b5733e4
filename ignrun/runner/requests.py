"""Turns what a module asks for, another value of its own config, into a run-time overlay that has been proven, an apply, and an answer."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import msgspec

from ignrun.control.wire import ApplyRequest
from ignrun.manifest.inputs import Trial
from ignrun.planner.config.run_time import STAMPS
from ignrun.planner.graph.model import Graph
from ignrun.planner.plan.model import Edited, Plan
from ignrun.planner.proposal import Reading
from ignrun.protocol.orders import Answer
from ignrun.protocol.reports import ConfigAsked
from ignrun.render.names import dotted
from ignrun.runner.applies import Applies
from ignrun.runtime.apply.state import State
from ignrun.runtime.journal.overlays import Overlays, stamped
from ignrun.runtime.supervise.roster import Instance
from ignrun.terms.diagnostics import Severity
from ignrun.terms.failure import Failure
from ignrun.terms.names import Address, HostId
from ignrun.terms.verdict import Accepted

PAUSE: Final = 1.0
"""Seconds from one request of an instance to the next that is looked at."""

WAIT: Final = 10.0
"""Seconds that a request waits for an apply that is under way, its soak included."""

MOST: Final = 64
"""How many requests of all instances may be under way."""

_IN_FORCE: Final = frozenset({"committed", "held", "unchanged", "unkept"})

_ABOVE: Final = frozenset({"environment", "set"})
"""Layers that come before run-time values."""

Give = Callable[[HostId, int, Answer], None]
"""Sends an answer to a host in its epoch."""


class _Written(msgspec.Struct, frozen=True):
    """What a request made of the overlay of a module."""

    module: str
    values: dict[str, Any]


class Requests:
    """The requests of modules; each is answered once, lives in the runner's loop, and changes nothing but the config of who asks."""

    def __init__(self, *, state: Callable[[], State], applies: Applies, overlays: Overlays, give: Give) -> None:
        """Take the parts of the runner that a request goes through."""
        self._state = state
        self._applies = applies
        self._overlays = overlays
        self._give = give
        self._under_way: dict[Address, asyncio.Task[None]] = {}
        self._last: dict[Address, float] = {}

    def heard(self, host: HostId, epoch: int, asked: ConfigAsked) -> None:
        """Take in a request of a module in a host; whoever does not live there is not spoken for."""
        address = Address(asked.address)
        instance = self._state().roster.instances.get(address)
        record = self._state().roster.hosts.get(host)
        if record is None or instance is None or address not in record.assigned or instance.epoch != asked.epoch:
            return
        refusal = self._too_much(address) or _unfit(asked)
        if refusal:
            self._answer(host, epoch, asked, refusal)
            return
        self._last[address] = asyncio.get_running_loop().time()
        task = asyncio.create_task(self._serve(host, epoch, asked, instance), name=f"{address} config")
        self._under_way[address] = task
        task.add_done_callback(lambda _: self._under_way.pop(address, None))

    async def close(self) -> None:
        """Break off what is under way."""
        tasks = tuple(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _too_much(self, address: Address) -> str:
        if address in self._under_way:
            return "its last request is not answered yet"
        if asyncio.get_running_loop().time() - self._last.get(address, -PAUSE) < PAUSE:
            return f"it asks too often: at most once in {PAUSE:g} s"
        return "too many requests are under way" if len(self._under_way) >= MOST else ""

    async def _serve(self, host: HostId, epoch: int, asked: ConfigAsked, instance: Instance) -> None:
        try:
            refusal = await self._carry_out(asked, instance.spec.module)
        except Failure as failure:
            refusal = failure.summary
        self._answer(host, epoch, asked, refusal)

    def _answer(self, host: HostId, epoch: int, asked: ConfigAsked, refusal: str) -> None:
        self._give(host, epoch, Answer(asked.address, asked.epoch, asked.request, refusal))

    # --- the work -----------------------------------------------------------------------------------------------------

    async def _carry_out(self, asked: ConfigAsked, module: str) -> str:
        """Try, write, apply; gives what speaks against it, and then nothing is left of it."""
        if not await self._applies.settled(WAIT):
            return f"an apply is under way, and did not end within {WAIT:g} s"
        request = self._applies.as_in_force(asked.address)
        if request is None:
            return "nothing is in force yet"
        now = await asyncio.to_thread(self._overlays.read, module)
        bare = {key: value for key, value in now.items() if key != STAMPS}
        said = f"config set {module}.{asked.path}"
        trial = Trial(module, bare, said, tuple(asked.path.split(".")), asked.text)
        reading = await self._applies.try_out(request, trial)
        if refusal := _refusal_of(reading, module, asked.path):
            return refusal
        values = reading.tried
        if values is None or values == bare:
            return ""
        signed = stamped(now.get(STAMPS, {}), trial.path, asked.address, is_set=True)
        written = _Written(module, {**values, STAMPS: signed})
        if not await asyncio.to_thread(self._written, written, now):
            return "somebody else has changed its run-time values meanwhile"
        return await self._applied(request, written)

    def _written(self, written: _Written, before: dict[str, Any]) -> bool:
        """Write an overlay, unless it is not any more what was tried."""
        with self._overlays.changing():
            if self._overlays.read(written.module) != before:
                return False
            self._overlays.write(written.module, written.values)
            return True

    async def _applied(self, request: ApplyRequest, written: _Written) -> str:
        """Have it applied; what did not come into force is taken back."""
        try:
            outcome = await self._applies.apply(request, "api")
        except Failure as failure:
            await asyncio.to_thread(self._taken_back, written)
            return failure.summary
        if outcome.result in _IN_FORCE:
            return ""
        await asyncio.to_thread(self._taken_back, written)
        return outcome.summary

    def _taken_back(self, written: _Written) -> None:
        with self._overlays.changing():
            if self._overlays.read(written.module) == written.values:
                self._overlays.rollback(written.module)


def _unfit(asked: ConfigAsked) -> str:
    """Say what speaks against a request at first sight: a reference would give a module what was given to others."""
    if "${" in asked.text:
        return "a module asks for a value, never for a reference"
    return "" if asked.path and all(asked.path.split(".")) else f"`{asked.path}` names no config value"


def _refusal_of(reading: Reading, module: str, path: str) -> str:
    """Say what speaks against a change that was tried, nothing where nothing does."""
    verdict = reading.verdict
    if not isinstance(verdict, Accepted):
        mistakes = [one.summary for one in verdict.diagnostics if one.severity is Severity.ERROR]
        return "; ".join(mistakes[:3])
    proposal = verdict.value
    above = _above(proposal.graph, module, path)
    if above:
        return f"`{path}` is given by {above}, which comes before run-time values"
    others = _edited(proposal.plan, module)
    return f"the manifest holds edits of others that are not in force yet: {', '.join(others[:3])}" if others else ""


def _above(graph: Graph, module: str, path: str) -> str:
    """Name the layer that gives the value although a run-time value is set; empty where none does."""
    specs = [spec for spec in graph.instances.values() if spec.module == module]
    layers = [one.layer for spec in specs for one in spec.origins if dotted(one.path) == path]
    return next((f"layer `{layer}`" for layer in layers if layer in _ABOVE), "")


def _edited(plan: Plan, module: str) -> list[str]:
    """Name the instances of other modules that an apply would change because somebody edited them."""
    steps = [step for step in plan.steps if step.action != "no-op" and isinstance(step.cause, Edited)]
    return [step.address for step in steps if step.address.partition("@")[0] != module]
