"""Fetches secrets from the system's keyring, with the package `keyring`."""

from typing import Any, Final

from ignrun.planner.config.providers.provider import Fetch, SecretProvider, SecretUnavailable, Surroundings

_READS: Final = ("HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "DBUS_SESSION_BUS_ADDRESS", "PYTHON_KEYRING_BACKEND")
_SCHEMA: Final = {
    "oneOf": [
        {"type": "string", "pattern": "^[^/]+/.+$"},
        {
            "type": "object",
            "properties": {"service": {"type": "string"}, "user": {"type": "string"}},
            "required": ["service", "user"],
            "additionalProperties": False,
        },
    ]
}


def _from_keyring(_: Surroundings) -> Fetch:
    def fetch(argument: Any) -> str:
        import keyring
        from keyring.errors import KeyringError

        service, user = _entry(argument)
        try:
            text = keyring.get_password(service, user)
        except KeyringError as error:
            raise SecretUnavailable(f"the keyring does not answer: {type(error).__name__}") from error
        if text is None:
            raise SecretUnavailable(f"the keyring has no entry of `{user}` for `{service}`")
        return text

    return fetch


def _entry(argument: Any) -> tuple[str, str]:
    """Read `SERVICE/USER` or `{service:, user:}`."""
    if isinstance(argument, dict):
        return str(argument["service"]), str(argument["user"])
    service, _, user = str(argument).partition("/")
    return service, user


KEYRING: Final = SecretProvider(
    "keyring", _SCHEMA, _from_keyring, reads=lambda _: _READS, package="keyring", extra="keyring"
)
