"""Owns Ledger, what resolving references looks up and what it was asked for on the way."""

import hashlib
import hmac
from collections.abc import Mapping

from ignrun.manifest.files import read_text
from ignrun.manifest.inputs import InputFile, Inputs
from ignrun.planner.config.secrets import SecretLookup
from ignrun.planner.config.spots import Spot
from ignrun.terms.diagnostics import Diagnostic
from ignrun.terms.verdict import examined


class Ledger:
    """Answers for environment, secrets and files; keeps the names asked for, the values given and one diagnostic for each missing one."""

    def __init__(self, inputs: Inputs, environment: dict[str, str], lookup: SecretLookup) -> None:
        """Look variables up in `environment` (env files below the caller's own) and secrets by `lookup`."""
        self._inputs = inputs
        self._environment = environment
        self._lookup = lookup
        self._missing: set[str] = set()
        self._texts: dict[tuple[str, tuple[str, ...]], str | None] = {}
        self.used: dict[str, str] = {}
        self.names: set[str] = set()
        self.needed: dict[str, None] = {}
        self.secrets: dict[str, str] = {}
        self.files: dict[str, InputFile] = {}
        self.diagnostics: list[Diagnostic] = []

    def variable(self, name: str) -> str | None:
        """Give a variable's value, and remember that it was asked for."""
        self.names.add(name)
        value = self._environment.get(name)
        if value is not None:
            self.used[name] = value
        return value

    def variable_used(self, name: str, value: str, *, secret: bool) -> None:
        """Remember a variable that was used without being asked for; the value of a secret one is kept out."""
        self.names.add(name)
        if not secret:
            self.used[name] = value

    def unset(self, name: str, spot: Spot, message: str | None) -> None:
        """Note that a variable without a default has no value: an error where it is needed now, else a remark."""
        if name in self._missing:
            return
        self._missing.add(name)
        if self._inputs.for_apply or self._inputs.strict_env:
            hint = message or f"set it, or write `${{env:{name}:-default}}`"
            self.diagnostics.append(spot.mistake("IGN501", f"the variable `{name}` is not set", hint=hint))
        else:
            self.diagnostics.append(spot.remark("IGN506", f"the variable `{name}` is not set: known at apply"))

    def secret(self, name: str, spot: Spot) -> None:
        """Note that a secret is needed, and fetch it where the inputs ask for that."""
        if name in self.needed:
            return
        self.needed[name] = None
        self.names.update(self._lookup.names_for(name))
        answer = self._lookup.find(name)
        if answer.text is not None:
            self.secrets[name] = answer.text
        elif answer.looked and (self._inputs.for_apply or self._inputs.strict_env):
            hint = self._lookup.near(name) or answer.reason
            self.diagnostics.append(spot.mistake("IGN502", f"the secret `{name}` is not to be had", hint=hint))
        elif answer.looked:
            told = f"the secret `{name}` is not set: known at apply"
            self.diagnostics.append(spot.remark("IGN506", told, hint=self._lookup.near(name)))

    def text_of(self, path: str, roots: tuple[str, ...], spot: Spot) -> str | None:
        """Read a text file below one of `roots` once, and count it among the inputs; one that cannot be read is told where it is named."""
        if (path, roots) not in self._texts:
            read = read_text(path, roots)
            text = examined(read)
            self.diagnostics += [spot.instead_of(one, path) for one in read.diagnostics]
            self._texts[path, roots] = self._without_nul(text.text, path, spot) if text else None
            if text:
                self.files[path] = InputFile(path, text.digest, "file")
        return self._texts[path, roots]

    def _without_nul(self, text: str, path: str, spot: Spot) -> str | None:
        if "\0" not in text:
            return text
        hint = "no argument and no variable can hold it: name a text file"
        self.diagnostics.append(spot.mistake("IGN106", f"`{path}` holds a NUL character", hint=hint))
        return None

    def fingerprints(self) -> dict[str, str]:
        """Give the keyed digest (hex) of every secret at hand; none without a key."""
        return fingerprints(self.secrets, self._inputs.fingerprint_key)


def fingerprints(secrets: Mapping[str, str], key: bytes) -> dict[str, str]:
    """Give the keyed digest (hex) of every text by its name; none without a key."""
    if not key:
        return {}
    return {
        name: hmac.new(key, f"{name}\0{text}".encode(), hashlib.sha256).hexdigest()[:32]
        for name, text in sorted(secrets.items())
    }
