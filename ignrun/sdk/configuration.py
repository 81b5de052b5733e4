"""Owns ModuleConfigurationManager, the view a module has of its config, and ConfigurationValidator."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ignrun.protocol.orders import Origin
from ignrun.sdk.settings import ConfigRefused, convert, frozen
from ignrun.sdk.surroundings import Surroundings

_NOTHING = object()


class ConfigurationValidator:
    """Says whether values fit a `Config` class, before anybody uses them."""

    def __init__(self, config: type) -> None:
        """Take a dataclass or msgspec Struct."""
        self._config = config

    def problems(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Give one plain sentence for each mistake found; nothing when the values fit."""
        try:
            convert(values, self._config)
        except ConfigRefused as refused:
            return (str(refused),)
        return ()

    def is_valid(self, values: Mapping[str, Any]) -> bool:
        """Tell whether the values fit."""
        return not self.problems(values)


class ModuleConfigurationManager:
    """A view of a module's resolved config, secrets masked; a change of it is a request to the runner."""

    def __init__(self, around: Surroundings, config: type | None) -> None:
        self._around = around
        self._config = config

    @property
    def values(self) -> Mapping[str, Any]:
        """All resolved values, as plain data that cannot be changed; secrets are `Secret`."""
        return frozen(self._around.raw_config) or {}

    @property
    def validator(self) -> ConfigurationValidator:
        """Checks values against the module's own `Config`; raises LookupError when it has none."""
        if self._config is None:
            message = "this module has no `Config` class to check against"
            raise LookupError(message)
        return ConfigurationValidator(self._config)

    def get(self, path: str, default: Any = _NOTHING) -> Any:
        """Give the value at a dotted path such as `server.port`; raises KeyError where there is none and no default."""
        at = self._around.raw_config
        for key in path.split("."):
            if not isinstance(at, Mapping) or key not in at:
                if default is _NOTHING:
                    raise KeyError(path)
                return default
            at = at[key]
        return frozen(at)

    @property
    def origins(self) -> Mapping[str, Origin]:
        """Where each value is from, by its dotted path: `layer` (`default`, `config`, `run-time`, ...) and `place`; no values."""
        return MappingProxyType({one.path: one for one in self._around.origins})

    def origin(self, path: str) -> Origin:
        """Tell which layer gave the value at a dotted path, and where that is written; raises KeyError where there is none."""
        known = self.origins
        if path not in known:
            raise KeyError(path)
        return known[path]

    async def request(self, path: str, value: Any) -> None:
        """Ask for another value at a dotted path, as `ignrun config set MODULE.PATH VALUE --apply` would, and wait until it is in effect.

        It is kept: it outlives this run of the plant. The change goes through `prepare_reconfigure` and `reconfigure` like any other, so
        ask in `run` or in a task: within a callback, which it would wait for, it is refused. An apply that is under way is waited for, at
        most 10 s. Raises Refused; then nothing is changed and nothing is kept. Where the change means a restart, the incarnation that asked does not hear the answer.
        """
        await self._around.request(path, value)

    @property
    def backups(self) -> tuple[str, ...]:
        """Names of the kept backups of run-time values, the oldest first; `ignrun config rollback` goes back to the newest."""
        return self._around.backups
