"""Owns Providers, the table of all secret providers of one reading: those that ship with ignrun and those that others bring."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

import msgspec

from ignrun.planner.catalog.locate import entry_points
from ignrun.planner.config.providers.at_hand import ENV, FILE
from ignrun.planner.config.providers.keyring_entry import KEYRING
from ignrun.planner.config.providers.program import EXEC
from ignrun.planner.config.providers.provider import Fetch, SecretProvider, SecretUnavailable, Surroundings
from ignrun.planner.config.providers.vault_kv import VAULT
from ignrun.terms.hints import did_you_mean

GROUP: Final = "ignrun.secret_providers"
"""Entry points by which others bring providers: the name of a provider, and where its SecretProvider is: `package.module:NAME`."""

SHIPPED: Final = {one.name: one for one in (ENV, FILE, EXEC, KEYRING, VAULT)}

_CHECKED: Final = frozenset({"env", "file", "exec"})
"""Providers whose arguments the schema of manifests has checked."""


class Flaw(msgspec.Struct, frozen=True):
    """Why a provider, or what it is asked for, is of no use; `grave` says that no installation could help."""

    code: str
    summary: str
    hint: str = ""
    grave: bool = True


class Providers:
    """Finds providers by name, shipped ones first, and calls them; nothing that others bring is imported before it is named."""

    def __init__(self, around: Surroundings, brought: Callable[[str], list[tuple[str, str]]] = entry_points) -> None:
        """Take what providers may look at, and who lists the entry points of a group."""
        self._around = around
        self._brought = brought
        self._known: dict[str, SecretProvider | Flaw] = dict(SHIPPED)
        self._made: dict[str, Fetch] = {}

    def named(self, name: str) -> SecretProvider | Flaw:
        """Give the provider of a name, or say why there is none."""
        if name not in self._known:
            self._known[name] = self._plugged_in(name)
        return self._known[name]

    def flaw(self, name: str, argument: Any) -> Flaw | None:
        """Say what is wrong with asking this provider for that; it is not called."""
        provider = self.named(name)
        if isinstance(provider, Flaw):
            return provider
        return _unfit(provider, argument) or _not_installed(provider)

    def fetch(self, provider: SecretProvider, argument: Any) -> str:
        """Give the text of a secret; raises SecretUnavailable, whatever the provider raises."""
        lacking = _not_installed(provider)
        if lacking:
            raise SecretUnavailable(lacking.hint)
        try:
            if provider.name not in self._made:
                self._made[provider.name] = provider.make(self._around)
            text = self._made[provider.name](argument)
        except SecretUnavailable:
            raise
        except Exception as error:
            raise SecretUnavailable(f"the provider `{provider.name}` failed: {type(error).__name__}") from error
        if not isinstance(text, str):
            raise SecretUnavailable(f"the provider `{provider.name}` gave no text")
        return text

    def _plugged_in(self, name: str) -> SecretProvider | Flaw:
        brought = dict(self._brought(GROUP))
        if name not in brought:
            hint = did_you_mean(name, [*SHIPPED, *brought]) or "is the package that brings it installed?"
            return Flaw("IGN507", f"there is no secret provider `{name}`", hint)
        return _loaded(name, brought[name])


def _loaded(name: str, place: str) -> SecretProvider | Flaw:
    module, _, attribute = place.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except Exception as error:  # noqa: BLE001 - code of others
        return Flaw(
            "IGN508", f"the secret provider `{name}` cannot be loaded", f"`{place}`: {type(error).__name__}: {error}"
        )
    if not isinstance(found, SecretProvider):
        return Flaw("IGN508", f"the secret provider `{name}` cannot be loaded", f"`{place}` is no SecretProvider")
    return found


def _not_installed(provider: SecretProvider) -> Flaw | None:
    if not provider.package or find_spec(provider.package) is not None:
        return None
    install = f"`pip install 'ignrun[{provider.extra}]'`" if provider.extra else f"install `{provider.package}`"
    summary = f"the secret provider `{provider.name}` needs the package `{provider.package}`"
    return Flaw("IGN508", summary, install, grave=False)


def _unfit(provider: SecretProvider, argument: Any) -> Flaw | None:
    if provider.name in _CHECKED:
        return None
    from jsonschema import Draft202012Validator
    from referencing import Registry

    checker: Any = Draft202012Validator(provider.schema, registry=Registry())
    if checker.is_valid(argument):
        return None
    return Flaw("IGN206", f"`{provider.name}` does not take this", _FORMS.get(provider.name, "see its documentation"))


_FORMS: Final = {
    "keyring": "write `SERVICE/USER`, or `{service: .., user: ..}`",
    "vault": "write `MOUNT/PATH#KEY`, or `{path: MOUNT/PATH, key: KEY}`",
}
