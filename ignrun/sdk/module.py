"""Owns AbstractIgnitionModule, the class that module authors extend, and how an async function becomes one."""

import inspect
import logging
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Any, ClassVar

from ignrun.sdk.configuration import ModuleConfigurationManager
from ignrun.sdk.context import ModuleContext, Stopping
from ignrun.sdk.diagnostics import ModuleDiagnosticsManager
from ignrun.sdk.health import HealthResult
from ignrun.sdk.lifecycle import ModuleLifecycleManager
from ignrun.sdk.marks import health_checks
from ignrun.sdk.surroundings import Surroundings, logger_of
from ignrun.sdk.timing import ModuleClock
from ignrun.terms.metadata import ModuleMetadata

_RAISE: Any = object()


class AbstractIgnitionModule:
    """A long-lived module. Every callback may be `async def` or plain `def` (then it runs on a thread).

    Callbacks of one instance never overlap, `run` excepted; each has a timeout; what one raises ends the start.
    Optional callbacks that are not defined here: `run`, `prepare_reconfigure(change)`, `reconfigure(change)`, `rebind(slot, peer)`.
    """

    Config: ClassVar[Any] = None
    """A dataclass or msgspec Struct; without one `self.config` is a read-only mapping."""

    _surroundings: Surroundings | None = None

    # --- callbacks ----------------------------------------------------------------------------------------------------

    def initialize(self) -> Awaitable[None] | None:
        """Build structures; nobody else is up yet."""

    def startup(self) -> Awaitable[None] | None:
        """Begin to work: every required provider has met its condition. May raise NotReady or Fatal."""

    def check_health(self) -> Awaitable[HealthResult | None] | HealthResult | None:
        """Answer healthy(), degraded(reason) or unhealthy(reason); nothing is healthy, an exception unhealthy."""

    def shutdown(self) -> Awaitable[None] | None:
        """Give everything back; `run` and every background task of the module have been cancelled, or will be after this."""

    def create_gateway_hook(self) -> object | None:
        """Make the object whose `setup(context)`, `startup()` and `shutdown()` run in gateway scope."""

    def create_client_hook(self) -> object | None:
        """Make the hook of client scope."""

    def create_designer_hook(self) -> object | None:
        """Make the hook of designer scope."""

    # --- what a module is given ---------------------------------------------------------------------------------------

    @property
    def metadata(self) -> ModuleMetadata:
        """Name, version and origin, from the manifest or the definition."""
        return self._around.metadata

    @property
    def context(self) -> ModuleContext:
        """Folders, scope, plant and mode."""
        return self._around.context

    @property
    def config(self) -> Any:
        """The resolved config: `Config`, or a read-only mapping."""
        return self._around.config

    @property
    def stopping(self) -> Stopping:
        """True once the stop has begun; plain callbacks look at it, or `wait(seconds)` by it."""
        return self._around.stopping

    @property
    def clock(self) -> ModuleClock:
        """Time: `utc()`, `monotonic()`, `await sleep(seconds)`; a fake one under `ignrun.testing`."""
        return self._around.clock

    @cached_property
    def log(self) -> logging.Logger:
        """The logger of this instance; secrets are masked, `extra=` becomes fields."""
        return logger_of(self._around.address)

    @cached_property
    def lifecycle(self) -> ModuleLifecycleManager:
        """State, events and statistics of this instance, to look at."""
        return ModuleLifecycleManager(self._around)

    @cached_property
    def configuration(self) -> ModuleConfigurationManager:
        """The resolved values and where they came from; a change is a request."""
        return ModuleConfigurationManager(self._around, self.Config)

    @cached_property
    def diagnostics(self) -> ModuleDiagnosticsManager:
        """Errors recorded by the module, its checks and its metrics."""
        own = type(self).check_health is not AbstractIgnitionModule.check_health
        checks = (*(("check_health",) if own else ()), *(name for name, _ in health_checks(type(self))))
        return ModuleDiagnosticsManager(self._around, self.log, checks)

    def dependency(self, slot: str, default: Any = _RAISE) -> Any:
        """Give the Peer bound to `slot`, a tuple of them for a `many` slot; where nothing is bound `default`, else LookupError."""
        try:
            return self._around.peers(slot)
        except LookupError:
            if default is _RAISE:
                raise
            return default

    def export(self, **values: Any) -> None:
        """Offer values to others: JSON, at most 64 KiB, published when startup or reconfigure returns.

        Raises TypeError or ValueError at once where a value is not JSON (a Secret never is) or all together are too long.
        """
        self._around.publish(values)

    @property
    def _around(self) -> Surroundings:
        if self._surroundings is None:
            message = f"this `{type(self).__name__}` does not run anywhere: give its class to a manifest, or to ignrun.testing"
            raise RuntimeError(message)
        return self._surroundings


Module = AbstractIgnitionModule
"""The same class under a short name."""


class FunctionModule(AbstractIgnitionModule):
    """A module made of one async function, which is its `run`; the function receives this object as its `ctx`."""

    function: ClassVar[Callable[[Any], Awaitable[None]]]

    async def run(self) -> None:
        """Await the function."""
        await type(self).function(self)


def module_class(entry: object, name: str) -> type[AbstractIgnitionModule]:
    """Turn what an `entry` names, a class or an async function, into a module class; raises TypeError for anything else."""
    if isinstance(entry, type) and issubclass(entry, AbstractIgnitionModule):
        return entry
    if inspect.iscoroutinefunction(entry):
        return type(
            entry.__name__, (FunctionModule,), {"function": staticmethod(entry), "__module__": entry.__module__}
        )
    what = (
        "a class that does not extend AbstractIgnitionModule"
        if isinstance(entry, type)
        else f"`{type(entry).__name__}`"
    )
    message = f"`{name}` is {what}; an entry is a class that extends AbstractIgnitionModule, or an async function"
    raise TypeError(message)


def make_module(kind: type[AbstractIgnitionModule], surroundings: Surroundings) -> AbstractIgnitionModule:
    """Make one incarnation's object; its config and context are there already when its `__init__` runs."""
    module = kind.__new__(kind)
    module._surroundings = surroundings  # noqa: SLF001 - the one place where a module is given its surroundings
    module.__init__()  # type: ignore[misc]
    return module
