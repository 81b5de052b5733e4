"""Owns SecretProvider, one row of the open table of secret providers: a name, the schema of what it is asked for, and its maker."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

PATIENCE: Final = 10.0
"""Seconds that a provider may take for one secret."""

Fetch = Callable[[Any], str]
"""Gives the text of a secret for what the manifest asks of its provider; raises SecretUnavailable with the reason."""


class SecretUnavailable(Exception):  # noqa: N818 - what the secret is; the house says Failure for another kind
    """A secret is not to be had; the text says why, without any secret in it."""


class Surroundings(msgspec.Struct, frozen=True):
    """What a provider may look at: the manifest's folder, and the environment (env files below what the caller has set)."""

    folder: str
    environment: dict[str, str]

    def __repr__(self) -> str:
        """Show the folder and names only: values may be secrets."""
        return f"Surroundings({self.folder!r}, {sorted(self.environment)})"


class SecretProvider(msgspec.Struct, frozen=True):
    """One way to fetch secrets: `{NAME: argument}` below `secrets` in a manifest.

    `schema` is the JSON Schema of the argument; `make` gives the function that fetches, once for each reading. `reads` names the
    environment variables that fetching this argument looks at: a runner is handed those. `asked` says when it may be called at all: `always`
    (it only looks into the environment), `strict` (also by `--strict-env`), `apply`. `package` is the importable package that it
    cannot work without, `extra` the extra of ignrun that installs it.
    """

    name: str
    schema: dict[str, Any]
    make: Callable[[Surroundings], Fetch]
    reads: Callable[[Any], tuple[str, ...]] = lambda _: ()
    asked: str = "apply"
    package: str = ""
    extra: str = ""
