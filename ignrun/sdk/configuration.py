"""Owns ModuleConfigurationManager, the view a module has of its config, and ConfigurationValidator."""

from collections.abc import Callable, Mapping
from typing import Any

from ignrun.sdk.raised import NotOffered
from ignrun.sdk.settings import ConfigRefused, convert, frozen

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

    def __init__(self, values: Callable[[], Any], config: type | None) -> None:
        self._values = values
        self._config = config

    @property
    def values(self) -> Mapping[str, Any]:
        """All resolved values, as plain data that cannot be changed; secrets are `Secret`."""
        return frozen(self._values()) or {}

    @property
    def validator(self) -> ConfigurationValidator:
        """Checks values against the module's own `Config`; raises LookupError when it has none."""
        if self._config is None:
            message = "this module has no `Config` class to check against"
            raise LookupError(message)
        return ConfigurationValidator(self._config)

    def get(self, path: str, default: Any = _NOTHING) -> Any:
        """Give the value at a dotted path such as `server.port`; raises KeyError where there is none and no default."""
        at = self._values()
        for key in path.split("."):
            if not isinstance(at, Mapping) or key not in at:
                if default is _NOTHING:
                    raise KeyError(path)
                return default
            at = at[key]
        return frozen(at)

    def origin(self, path: str) -> str:
        """Tell which layer gave a value; raises NotOffered: hosts are not told origins yet, `ignrun plan` shows them."""
        message = f"the origin of `{path}` is not known in a host"
        raise NotOffered(message)

    async def request(self, path: str, value: Any) -> None:  # noqa: ARG002 - part of the contract
        """Ask the runner for a change at run time; raises NotOffered: edit the manifest and apply it."""
        message = f"a change of `{path}` at run time is refused: edit the manifest and run `ignrun apply`"
        raise NotOffered(message)

    @property
    def backups(self) -> tuple[str, ...]:
        """Names of the kept backups of run-time changes: none, as there are no run-time changes."""
        return ()
