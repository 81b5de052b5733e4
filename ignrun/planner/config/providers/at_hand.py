"""Fetches secrets that lie at hand: in the environment, or in a file."""

from pathlib import Path
from typing import Any, Final

from ignrun.manifest.seen import saw
from ignrun.planner.config.providers.provider import Fetch, SecretProvider, SecretUnavailable, Surroundings

LARGEST: Final = 1 << 20
"""Bytes of the file of a secret, at most."""


def _from_environment(around: Surroundings) -> Fetch:
    def fetch(name: Any) -> str:
        text = around.environment.get(str(name))
        if text is None:
            raise SecretUnavailable(f"the manifest takes it from the variable `{name}`, which is not set")
        return text

    return fetch


def _from_file(around: Surroundings) -> Fetch:
    return lambda name: text_of_file(Path(around.folder, str(name)))


def text_of_file(path: Path) -> str:
    """Read the secret that is the text of a file, without the end of its last line; raises SecretUnavailable."""
    saw(str(path))
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise SecretUnavailable(f"`{path}` cannot be read: {error.strerror}") from error
    if len(data) > LARGEST:
        raise SecretUnavailable(f"`{path}` is larger than 1 MiB")
    try:
        return data.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise SecretUnavailable(f"`{path}` is not UTF-8 text") from error


ENV: Final = SecretProvider(
    "env", {"type": "string", "minLength": 1}, _from_environment, reads=lambda name: (str(name),), asked="always"
)
FILE: Final = SecretProvider("file", {"type": "string", "minLength": 1}, _from_file, asked="strict")
