"""Where secrets come from: every provider that ships, those that others bring, and that nobody is called before an apply."""

import json
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from typing import ClassVar

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from ignrun.planner.config.providers import table
from tests.rooms.planner.reading import complaints, read, write

CANARY = "canary-5e9e"


def plant(source: str) -> str:
    return f'secrets: {{PW: {source}}}\nmodules: {{a: {{command: [echo], env: {{PW: "${{secret:PW}}"}}}}}}\n'


def fetched(folder, source, **environment):
    reading = read(folder, plant(source), environment=environment, for_apply=True)
    assert CANARY not in repr(reading)
    return reading.secrets.get("PW")


def told(folder, source, **more) -> list[str]:
    found = complaints(folder, plant(source), **more)
    assert not any(CANARY in line for line in found)
    return [line.split(" ", 1)[1] for line in found]


# --- at hand and programs ---------------------------------------------------------------------------------------------


def test_a_file_is_a_secret_without_the_end_of_its_last_line(tmp_path):
    write(tmp_path, "pw", f"{CANARY}\r\n")
    assert fetched(tmp_path, "{file: pw}") == CANARY


def test_a_program_gets_what_keepers_of_secrets_look_at_and_nothing_else(tmp_path):
    program = write(tmp_path, "show", '#!/bin/sh\nprintf "%s %s" "$VAULT_ADDR" "$OTHER"\n')
    program.chmod(0o700)
    assert fetched(tmp_path, "{exec: [./show]}", VAULT_ADDR="http://vault", OTHER=CANARY) == "http://vault "


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{file: gone}", "cannot be read: No such file or directory"),
        ("{env: GONE}", "the manifest takes it from the variable `GONE`, which is not set"),
        ("{exec: [sh, -c, 'echo canary-5e9e >&2; exit 3']}", "`sh` ended with code 3"),
        ("{exec: [./gone]}", "`./gone` cannot be run: No such file or directory"),
    ],
)
def test_why_a_secret_is_not_to_be_had_is_said_in_the_hint(tmp_path, source, reason):
    [line] = told(tmp_path, source, for_apply=True)
    assert line.startswith("IGN502 the secret `PW` is not to be had")
    assert reason in line


def test_a_name_is_no_way_out_of_the_credentials_folder(tmp_path):
    write(tmp_path, "pw", CANARY)
    (tmp_path / "cred").mkdir()
    text = 'modules: {a: {command: [echo], env: {PW: "${secret:../pw}"}}}\n'
    reading = read(tmp_path, text, environment={"CREDENTIALS_DIRECTORY": str(tmp_path / "cred")}, for_apply=True)
    assert reading.secrets == {}


# --- nobody is called before an apply ---------------------------------------------------------------------------------


@pytest.mark.parametrize("strict_env", [False, True])
@pytest.mark.parametrize(
    "source",
    ["{exec: [sh, -c, 'touch called; echo x']}", "{keyring: plc/admin}", "{vault: secret/plc#pw}", "{hsm: slot-1}"],
)
def test_validate_and_plan_call_no_provider(tmp_path, monkeypatch, source, strict_env):
    def called(*_):
        raise AssertionError("a provider was called")

    monkeypatch.setattr(keyring, "get_password", called)
    monkeypatch.setattr("hvac.Client", called)
    bring(tmp_path, monkeypatch, "def fetch(argument):\n    raise SystemExit('called')")
    found = told(tmp_path, source, strict_env=strict_env, environment={"VAULT_ADDR": "http://127.0.0.1:1"})
    assert found == []
    assert not (tmp_path / "called").exists()


# --- the keyring ------------------------------------------------------------------------------------------------------


class FakeKeyring(KeyringBackend):
    priority = 1

    def get_password(self, service: str, username: str) -> str | None:
        if service == "locked":
            raise KeyringLocked(CANARY)
        return CANARY if (service, username) == ("plc", "line/4") else None

    def set_password(self, service: str, username: str, password: str) -> None: ...

    def delete_password(self, service: str, username: str) -> None: ...


@pytest.fixture
def fake_keyring():
    before = keyring.get_keyring()
    keyring.set_keyring(FakeKeyring())
    yield
    keyring.set_keyring(before)


@pytest.mark.parametrize("source", ["{keyring: plc/line/4}", "{keyring: {service: plc, user: line/4}}"])
def test_an_entry_of_the_keyring_is_a_secret(tmp_path, fake_keyring, source):
    assert fetched(tmp_path, source) == CANARY


def test_a_keyring_without_the_entry_or_locked_says_so(tmp_path, fake_keyring):
    [line] = told(tmp_path, "{keyring: plc/nobody}", for_apply=True)
    assert line.endswith("(the keyring has no entry of `nobody` for `plc`)")
    [line] = told(tmp_path, "{keyring: locked/x}", for_apply=True)
    assert line.endswith("(the keyring does not answer: KeyringLocked)")


# --- Vault ------------------------------------------------------------------------------------------------------------


class FakeVault(BaseHTTPRequestHandler):
    """The two key-value engines of a Vault server, as far as reading goes."""

    asked: ClassVar[list[str]] = []
    token = "t-123"

    def do_GET(self) -> None:
        FakeVault.asked.append(self.path)
        if self.headers.get("X-Vault-Token") != self.token:
            self.reply(403, {"errors": ["permission denied"]})
        elif self.path.startswith("/v1/secret/data/line/plc"):
            data = {"pw": CANARY if "version=1" in self.path or "?" not in self.path else "other", "n": 5}
            self.reply(200, {"data": {"data": data, "metadata": {"version": 1}}})
        elif self.path == "/v1/old/plc":
            self.reply(200, {"data": {"pw": CANARY}})
        elif self.path.startswith("/v1/sick"):
            self.reply(503, {"errors": ["sealed"]})
        else:
            self.reply(404, {"errors": []})

    def reply(self, status: int, body: object) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None: ...


@contextmanager
def serving():
    FakeVault.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakeVault)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield {"VAULT_ADDR": f"http://127.0.0.1:{server.server_port}", "VAULT_TOKEN": FakeVault.token}
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def vault():
    with serving() as environment:
        yield environment


@pytest.mark.parametrize(
    "source",
    [
        "{vault: secret/line/plc#pw}",
        "{vault: {path: secret/line/plc, key: pw, version: 1}}",
        "{vault: {path: old/plc, key: pw, engine: 1}}",
    ],
)
def test_a_key_of_a_vault_is_a_secret(tmp_path, vault, source):
    assert fetched(tmp_path, source, **vault) == CANARY


def test_the_address_may_stand_in_the_manifest_and_the_token_where_vault_login_keeps_it(tmp_path, vault):
    write(tmp_path, "home/.vault-token", f"{vault['VAULT_TOKEN']}\n")
    source = f"{{vault: {{path: secret/line/plc, key: pw, address: '{vault['VAULT_ADDR']}'}}}}"
    assert fetched(tmp_path, source, HOME=str(tmp_path / "home")) == CANARY


def test_several_keys_of_one_secret_are_asked_for_once(tmp_path, vault):
    FakeVault.asked.clear()
    text = """\
        secrets: {A: {vault: secret/line/plc#pw}, B: {vault: {path: secret/line/plc, key: pw}}}
        modules: {a: {command: [echo], env: {A: "${secret:A}", B: "${secret:B}"}}}
        """
    assert read(tmp_path, text, environment=vault, for_apply=True).secrets == {"A": CANARY, "B": CANARY}
    assert len(FakeVault.asked) == 1


@pytest.mark.parametrize(
    ("source", "environment", "reason"),
    [
        ("{vault: secret/line/plc#gone}", {}, "`secret/line/plc` has no text `gone`"),
        ("{vault: secret/line/plc#n}", {}, "`secret/line/plc` has no text `n`"),
        ("{vault: secret/gone#pw}", {}, "has nothing at `secret/gone`"),
        ("{vault: secret/line/plc#pw}", {"VAULT_TOKEN": "wrong"}, "refuses to show `secret/line/plc` to this token"),
        ("{vault: {path: sick/x, key: pw, engine: 1}}", {}, "refuses: VaultDown"),
        ("{vault: secret/line/plc#pw}", {"VAULT_ADDR": "http://127.0.0.1:1"}, "does not answer: ConnectionError"),
        ("{vault: secret/line/plc#pw}", {"VAULT_ADDR": ""}, "set VAULT_ADDR"),
        ("{vault: secret/line/plc#pw}", {"VAULT_TOKEN": "", "HOME": "/nowhere"}, "set VAULT_TOKEN"),
    ],
)
def test_a_vault_that_does_not_give_the_secret_says_why(tmp_path, vault, source, environment, reason):
    [line] = told(tmp_path, source, environment=vault | environment, for_apply=True)
    assert reason in line


def test_a_runner_is_handed_what_the_providers_look_at(tmp_path):
    names = read(tmp_path, plant("{vault: secret/line/plc#pw}")).verdict.value.names
    assert {"VAULT_ADDR", "VAULT_TOKEN", "HOME"} <= {*names}


# --- what others bring ------------------------------------------------------------------------------------------------

PLUG_IN = """\
from ignrun import SecretProvider, SecretUnavailable, Surroundings

def make(around: Surroundings):
    {fetch}
    return fetch

HSM = SecretProvider("hsm", {{"type": "string", "pattern": "^slot-[0-9]$"}}, make, reads=lambda _: ("HSM_PIN",))
NONE = "nothing"
"""


def bring(folder, monkeypatch, fetch: str, value: str = "acme_hsm:HSM") -> None:
    """Put a package with a provider on the import path, as an installed distribution would be."""
    write(folder, "site/acme_hsm.py", PLUG_IN.format(fetch=fetch.replace("\n", "\n    ")))
    write(folder, "site/acme_hsm-1.0.dist-info/METADATA", "Name: acme-hsm\n")
    write(folder, "site/acme_hsm-1.0.dist-info/entry_points.txt", f"[ignrun.secret_providers]\nhsm = {value}\n")
    monkeypatch.syspath_prepend(str(folder / "site"))
    monkeypatch.delitem(sys.modules, "acme_hsm", raising=False)


def test_a_provider_that_a_package_brings_is_used_like_one_of_ours(tmp_path, monkeypatch):
    bring(tmp_path, monkeypatch, "def fetch(slot):\n    return around.environment['HSM_PIN'] + slot")
    assert fetched(tmp_path, "{hsm: slot-1}", HSM_PIN="4711") == "4711slot-1"
    assert "HSM_PIN" in read(tmp_path, plant("{hsm: slot-1}")).verdict.value.names
    assert told(tmp_path, "{hsm: slot-x}") == ["IGN206 `hsm` does not take this (see its documentation)"]


@pytest.mark.parametrize(
    ("fetch", "reason"),
    [
        ("def fetch(_):\n    raise SecretUnavailable('the token is locked')", "the token is locked"),
        (f"def fetch(_):\n    raise ZeroDivisionError('{CANARY}')", "the provider `hsm` failed: ZeroDivisionError"),
        ("def fetch(_):\n    return 5", "the provider `hsm` gave no text"),
    ],
)
def test_a_provider_that_fails_is_named_and_what_it_said_is_kept_back(tmp_path, monkeypatch, fetch, reason):
    bring(tmp_path, monkeypatch, fetch)
    [line] = told(tmp_path, "{hsm: slot-1}", for_apply=True)
    assert line == f"IGN502 the secret `PW` is not to be had ({reason})"


@pytest.mark.parametrize("value", ["acme_hsm:NONE", "acme_hsm:GONE", "acme_gone:HSM"])
def test_a_provider_that_cannot_be_loaded_is_told(tmp_path, monkeypatch, value):
    bring(tmp_path, monkeypatch, "fetch = None", value)
    [line] = told(tmp_path, "{hsm: slot-1}")
    assert line.startswith(f"IGN508 the secret provider `hsm` cannot be loaded (`{value}`")


def test_a_provider_that_nobody_brings_is_an_error_with_the_nearest_name(tmp_path):
    assert told(tmp_path, "{valt: a/b#c}") == ["IGN507 there is no secret provider `valt` (did you mean `vault`?)"]


@pytest.mark.parametrize(("source", "package"), [("{keyring: a/b}", "keyring"), ("{vault: a/b#c}", "hvac")])
def test_a_provider_whose_package_is_missing_names_the_extra(tmp_path, monkeypatch, source, package):
    monkeypatch.setattr(table, "find_spec", lambda name: None if name == package else find_spec(name))
    extra = "keyring" if package == "keyring" else "vault"
    warned = read(tmp_path, plant(source)).verdict
    assert [(one.code, one.severity.value) for one in warned.diagnostics] == [("IGN508", "warning")]
    [line] = told(tmp_path, source, for_apply=True)
    assert line == (
        f"IGN508 the secret provider `{extra}` needs the package `{package}` (`pip install 'ignrun[{extra}]'`)"
    )
