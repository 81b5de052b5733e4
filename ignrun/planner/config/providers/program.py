"""Fetches secrets from programs: what one prints, without the end of its last line, is the secret."""

import subprocess
from typing import Any, Final

from ignrun.planner.config.providers.provider import PATIENCE, Fetch, SecretProvider, SecretUnavailable, Surroundings

READS: Final[tuple[str, ...]] = (
    "PATH", "HOME", "USER", "LANG", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DBUS_SESSION_BUS_ADDRESS", "SSH_AUTH_SOCK",
    "GNUPGHOME", "GPG_TTY", "PASSWORD_STORE_DIR", "VAULT_ADDR", "VAULT_TOKEN", "VAULT_NAMESPACE", "VAULT_CACERT",
)  # fmt: skip
"""What a program that keeps secrets usually looks at: it gets these of the caller's environment, and nothing else."""


def _from_program(around: Surroundings) -> Fetch:
    environment = {name: around.environment[name] for name in READS if name in around.environment}

    def fetch(argument: Any) -> str:
        words = argument if isinstance(argument, list | tuple) else [argument]
        return _printed([str(word) for word in words], around.folder, environment)

    return fetch


def _printed(argv: list[str], folder: str, environment: dict[str, str]) -> str:
    try:
        ended = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            cwd=folder,
            env=environment,
        )
    except subprocess.TimeoutExpired as late:
        raise SecretUnavailable(f"`{argv[0]}` gave no answer within {PATIENCE:g} s") from late
    except OSError as error:
        raise SecretUnavailable(f"`{argv[0]}` cannot be run: {error.strerror}") from error
    if ended.returncode:
        raise SecretUnavailable(f"`{argv[0]}` ended with code {ended.returncode}")
    return ended.stdout.decode(errors="replace").rstrip("\r\n")


EXEC: Final = SecretProvider(
    "exec",
    {"type": ["array", "string"], "minItems": 1, "items": {"type": ["string", "number", "boolean"]}},
    _from_program,
    reads=lambda _: READS,
)
