"""Finds the text of a secret: where the manifest says, else in the environment, the credentials folder and /run/secrets."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from ignrun.manifest.inputs import Inputs
from ignrun.manifest.model import Manifest, SecretSource
from ignrun.manifest.places import at_span
from ignrun.planner.config.providers.at_hand import text_of_file
from ignrun.planner.config.providers.provider import SecretProvider, SecretUnavailable, Surroundings
from ignrun.planner.config.providers.table import Flaw, Providers
from ignrun.terms.diagnostics import Diagnostic, Severity, diagnose
from ignrun.terms.hints import did_you_mean

RUN_SECRETS: Final = "/run/secrets"


class Answer(msgspec.Struct, frozen=True):
    """The text of a secret, or the reason why there is none; `looked` says whether every place was looked into."""

    text: str | None = None
    reason: str = ""
    looked: bool = True

    def __repr__(self) -> str:
        """Show whether there is a text, and not the text."""
        return f"Answer({'found' if self.text is not None else self.reason!r})"


class SecretLookup:
    """Looks secrets up for one reading; files are read only for an apply (or with strict variables), providers called for an apply."""

    def __init__(self, manifest: Manifest, inputs: Inputs, environment: dict[str, str]) -> None:
        """Take `environment` with the env files' values below the caller's own."""
        self._manifest = manifest
        self._inputs = inputs
        self._environment = environment
        self._providers = Providers(Surroundings(manifest.folder, environment))
        self._asked: set[str] = set()

    def flaws(self) -> Iterator[Diagnostic]:
        """Say what is wrong with the sources that the manifest declares, and lacking for those that were asked for; nobody is called."""
        for source in self._manifest.secrets.values():
            flaw = self._providers.flaw(source.provider, source.argument)
            if flaw and (flaw.grave or source.name in self._asked):
                yield self._diagnostic(source, flaw)

    def names_for(self, name: str) -> tuple[str, ...]:
        """Name the environment variables that the secret may come from, or that its provider looks at."""
        source = self._manifest.secrets.get(name)
        if source is None:
            return (name, "CREDENTIALS_DIRECTORY")
        provider = self._providers.named(source.provider)
        return provider.reads(source.argument) if isinstance(provider, SecretProvider) else ()

    def find(self, name: str) -> Answer:
        """Fetch the text of a secret; where it is not looked for, that has its reason elsewhere."""
        self._asked.add(name)
        source = self._manifest.secrets.get(name)
        if source is None:
            return self._undeclared(name)
        provider = self._providers.named(source.provider)
        flawed = self._providers.flaw(source.provider, source.argument)
        if isinstance(provider, Flaw) or flawed or not self._may_ask(provider):
            return Answer(looked=False)
        try:
            return Answer(self._providers.fetch(provider, source.argument))
        except SecretUnavailable as reason:
            return Answer(None, str(reason))

    def near(self, name: str) -> str:
        """Ask for the declared secret that may be meant where `name` is not declared."""
        return "" if name in self._manifest.secrets else did_you_mean(name, self._manifest.secrets)

    def _may_ask(self, provider: SecretProvider) -> bool:
        strict = provider.asked == "strict" and self._inputs.strict_env
        return self._inputs.for_apply or strict or provider.asked == "always"

    def _undeclared(self, name: str) -> Answer:
        if name in self._environment:
            return Answer(self._environment[name])
        if not (self._inputs.for_apply or self._inputs.strict_env):
            return Answer()
        folders = [self._environment.get("CREDENTIALS_DIRECTORY"), RUN_SECRETS]
        for folder in filter(None, folders if "/" not in name else ()):
            try:
                return Answer(text_of_file(Path(folder, name)))
            except SecretUnavailable:
                continue
        return Answer(None, "set it in an env file or in the environment, or say in `secrets` where it comes from")

    def _diagnostic(self, source: SecretSource, flaw: Flaw) -> Diagnostic:
        must = flaw.grave or self._inputs.for_apply
        severity = Severity.ERROR if must else Severity.WARNING
        document = next((one for one in self._manifest.documents if one.file == source.span.file), None)
        if document is None:
            return diagnose(source.span, flaw.code, flaw.summary, hint=flaw.hint, severity=severity)
        return at_span(document, source.span, flaw.code, flaw.summary, hint=flaw.hint, severity=severity)
