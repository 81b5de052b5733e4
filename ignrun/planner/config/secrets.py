"""Finds the text of a secret: where the manifest says, else in the environment, the credentials folder and /run/secrets."""

import subprocess
from pathlib import Path
from typing import Final

import msgspec

from ignrun.manifest.inputs import Inputs
from ignrun.manifest.model import Manifest, SecretSource

RUN_SECRETS: Final = "/run/secrets"
_EXEC_TIMEOUT: Final = 10.0


class Answer(msgspec.Struct, frozen=True):
    """The text of a secret, or the reason why there is none; `looked` says whether every place was looked into."""

    text: str | None = None
    reason: str = ""
    looked: bool = True

    def __repr__(self) -> str:
        """Show whether there is a text, and not the text."""
        return f"Answer({'found' if self.text is not None else self.reason!r})"


class SecretLookup:
    """Looks secrets up for one reading; files and programs are asked only for an apply (or with strict variables)."""

    def __init__(self, manifest: Manifest, inputs: Inputs, environment: dict[str, str]) -> None:
        """Take `environment` with the env files' values below the caller's own."""
        self._declared = manifest.secrets
        self._folder = manifest.folder
        self._inputs = inputs
        self._environment = environment

    def names_for(self, name: str) -> tuple[str, ...]:
        """Name the environment variables that the secret may come from."""
        source = self._declared.get(name)
        if source is None:
            return (name, "CREDENTIALS_DIRECTORY")
        return (str(source.argument),) if source.provider == "env" else ()

    def find(self, name: str) -> Answer:
        """Fetch the text of a secret."""
        source = self._declared.get(name)
        return self._undeclared(name) if source is None else self._from(source)

    def _from(self, source: SecretSource) -> Answer:
        match source.provider:
            case "env":
                text = self._environment.get(str(source.argument))
                return Answer(text, f"the manifest takes it from the variable `{source.argument}`, which is not set")
            case "file":
                return self._file(Path(self._folder, str(source.argument))) if self._may_look else Answer(looked=False)
            case "exec":
                return self._program(source.argument) if self._inputs.for_apply else Answer(looked=False)
            case _:
                return Answer(None, f"there is no provider `{source.provider}`")

    def _undeclared(self, name: str) -> Answer:
        if name in self._environment:
            return Answer(self._environment[name])
        if not self._may_look:
            return Answer()
        folders = [self._environment.get("CREDENTIALS_DIRECTORY"), RUN_SECRETS]
        for folder in filter(None, folders):
            answer = self._file(Path(folder, name))
            if answer.text is not None:
                return answer
        return Answer(None, "set it in an env file or in the environment, or say in `secrets` where it comes from")

    @property
    def _may_look(self) -> bool:
        return self._inputs.for_apply or self._inputs.strict_env

    def _file(self, path: Path) -> Answer:
        try:
            return Answer(path.read_text(encoding="utf-8").rstrip("\r\n"))
        except OSError as error:
            return Answer(None, f"`{path}` cannot be read: {error.strerror}")
        except UnicodeDecodeError:
            return Answer(None, f"`{path}` is not UTF-8 text")

    def _program(self, argument: object) -> Answer:
        """Run a provider program; its output without the last line end is the secret."""
        argv = [str(word) for word in argument] if isinstance(argument, list | tuple) else [str(argument)]
        try:
            ended = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_EXEC_TIMEOUT,
                check=False,
                cwd=self._folder,
                env=dict(self._inputs.environment),
            )
        except subprocess.TimeoutExpired:
            return Answer(None, f"`{argv[0]}` gave no answer within {_EXEC_TIMEOUT:g} s")
        except OSError as error:
            return Answer(None, f"`{argv[0]}` cannot be run: {error.strerror}")
        if ended.returncode:
            return Answer(None, f"`{argv[0]}` ended with code {ended.returncode}")
        return Answer(ended.stdout.decode(errors="replace").rstrip("\r\n"))
