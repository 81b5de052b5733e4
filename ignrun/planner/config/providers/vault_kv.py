"""Fetches secrets from the key-value engines of a HashiCorp Vault (or OpenBao) server, with the package `hvac`."""

from pathlib import Path
from typing import Any, Final

from ignrun.planner.config.providers.provider import PATIENCE, Fetch, SecretProvider, SecretUnavailable, Surroundings

_READS: Final = ("HOME", "VAULT_ADDR", "VAULT_TOKEN", "VAULT_NAMESPACE", "VAULT_CACERT", "VAULT_SKIP_VERIFY")
_SCHEMA: Final = {
    "oneOf": [
        {"type": "string", "pattern": "^[^/#]+/[^#]+#.+$"},
        {
            "type": "object",
            "properties": {
                "path": {"type": "string", "pattern": "^[^/]+/.+$"},
                "key": {"type": "string", "minLength": 1},
                "version": {"type": "integer", "minimum": 1},
                "engine": {"enum": [1, 2]},
                "address": {"type": "string", "pattern": "^https?://"},
            },
            "required": ["path", "key"],
            "additionalProperties": False,
        },
    ]
}


def _from_vault(around: Surroundings) -> Fetch:
    read: dict[str, dict[str, Any]] = {}

    def fetch(argument: Any) -> str:
        asked = _asked(argument)
        known = repr(sorted((name, value) for name, value in asked.items() if name != "key"))
        if known not in read:
            read[known] = _read(asked, around.environment)
        text = read[known].get(asked["key"])
        if not isinstance(text, str):
            raise SecretUnavailable(f"`{asked['path']}` has no text `{asked['key']}`")
        return text

    return fetch


def _asked(argument: Any) -> dict[str, Any]:
    """Read `MOUNT/PATH#KEY` or `{path:, key:}`."""
    if isinstance(argument, dict):
        return argument
    path, _, key = str(argument).partition("#")
    return {"path": path, "key": key}


def _read(asked: dict[str, Any], environment: dict[str, str]) -> dict[str, Any]:
    """Ask the server for one secret, all its keys; raises SecretUnavailable."""
    import hvac
    from hvac.exceptions import Forbidden, InvalidPath, VaultError
    from requests.exceptions import RequestException

    address = asked.get("address") or environment.get("VAULT_ADDR", "")
    if not address:
        raise SecretUnavailable("set VAULT_ADDR, or name the server: `{path: .., key: .., address: ..}`")
    client = hvac.Client(
        url=address,
        token=_token(environment),
        namespace=environment.get("VAULT_NAMESPACE") or None,
        verify=_verify(environment),
        timeout=int(PATIENCE),
    )
    mount, _, path = str(asked["path"]).partition("/")
    try:
        return _answer(client, asked, mount, path)
    except Forbidden as error:
        raise SecretUnavailable(f"the server at `{address}` refuses to show `{asked['path']}` to this token") from error
    except InvalidPath as error:
        raise SecretUnavailable(f"the server at `{address}` has nothing at `{asked['path']}`") from error
    except VaultError as error:
        raise SecretUnavailable(f"the server at `{address}` refuses: {type(error).__name__}") from error
    except RequestException as error:
        raise SecretUnavailable(f"the server at `{address}` does not answer: {type(error).__name__}") from error
    finally:
        client.adapter.close()


def _answer(client: Any, asked: dict[str, Any], mount: str, path: str) -> dict[str, Any]:
    if asked.get("engine") == 1:
        answer = client.secrets.kv.v1.read_secret(path=path, mount_point=mount)
        data = answer.get("data") if isinstance(answer, dict) else None
    else:
        answer = client.secrets.kv.v2.read_secret_version(
            path=path, mount_point=mount, version=asked.get("version"), raise_on_deleted_version=True
        )
        data = answer.get("data", {}).get("data") if isinstance(answer, dict) else None
    if not isinstance(data, dict):
        raise SecretUnavailable(f"`{asked['path']}` is no secret of a key-value engine")
    return data


def _token(environment: dict[str, str]) -> str:
    """Give the token of the environment, else the one that `vault login` keeps."""
    if environment.get("VAULT_TOKEN"):
        return environment["VAULT_TOKEN"]
    try:
        return Path(environment.get("HOME", ""), ".vault-token").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SecretUnavailable("set VAULT_TOKEN, or log in with `vault login`") from error


def _verify(environment: dict[str, str]) -> bool | str:
    if environment.get("VAULT_SKIP_VERIFY", "").lower() in {"1", "true"}:
        return False
    return environment.get("VAULT_CACERT") or True


VAULT: Final = SecretProvider("vault", _SCHEMA, _from_vault, reads=lambda _: _READS, package="hvac", extra="vault")
