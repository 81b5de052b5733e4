"""Tells that secrets of every kind pass through every verb without a trace, in what is said and in every file."""

import base64
import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from ignrun.cli.verb import DAILY, MORE
from ignrun.control.endpoints import ENDPOINTS
from tests.rooms.control.unix_http import UnixConnection
from tests.stories.plant import Plant, new_plant, until

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]

CANARIES = {
    "FROM_ENV_FILE": "cAnary/1+d41d8cd98f?",
    "FROM_ENVIRONMENT": "cAnary/2+e2b4f00b20&",
    "FROM_FILE": "cAnary/3+4e980099ecé",
    "FROM_PROGRAM": "cAnary/4+f8427e0a91%",
}
TYPED = "cAnary/5+7f3e9a1c44#"
"""What an operator types where only a reference may stand."""

PLANT = """\
env_files: [secrets.env]
apply: {soak: 0s}
secrets:
  FROM_ENVIRONMENT: {env: PLANT_PASSWORD}
  FROM_FILE: {file: secret.txt}
  FROM_PROGRAM: {exec: [cat, program.txt]}
modules:
  leaky: &leaky
    entry: leaky:Leaky
    config_schema:
      type: object
      properties:
        env_file: &secret {type: string, x-ignrun-secret: true}
        environment: *secret
        file: *secret
        program: *secret
        note: {type: string}
    config: &config
      env_file: ${secret:FROM_ENV_FILE}
      environment: "user:${secret:FROM_ENVIRONMENT}"
      file: ${secret:FROM_FILE}
      program: ${secret:FROM_PROGRAM}
  failing: {entry: "leaky:Failing", config: *config, gate: none, lifecycle: {restart: never}}
  talker: {command: [python, talker.py], config: *config, env: {TOKEN: "${secret:FROM_FILE}"}}
alerts:
  unwell: {when: {modules: "*", health: degraded}, then: [log, {exec: [tee, ".ignrun/alert.json"]}]}
  failed: {when: {modules: "*", state: error}}
"""
LEAKY = """\
import base64, urllib.parse
from ignrun import Module, degraded


def texts(config):
    return [config[name].reveal() for name in ("env_file", "environment", "file", "program")]


class Leaky(Module):
    async def startup(self):
        for text in texts(self.config):
            print("printed", text, repr(text), urllib.parse.quote(text, safe=""))
            print("encoded", base64.b64encode(b"user:" + text.encode()).decode())
            self.log.error("logged %s", text, extra={"password": text})

    def check_health(self):
        return degraded("no answer with " + " or ".join(texts(self.config)))


class Failing(Leaky):
    async def startup(self):
        await super().startup()
        raise RuntimeError("refused: " + " and ".join(texts(self.config)))
"""
TALKER = """\
import os, sys, time
text = open(os.environ["IGNRUN_CONFIG"]).read()
print("out", os.environ["TOKEN"], text, flush=True)
print("err", text, file=sys.stderr, flush=True)
time.sleep(600)
"""
SABOTAGE_OF_HOSTS = "import ignrun.host.masking as masking\nmasking.Masker.mask = lambda self, text: text\n"
SABOTAGE_OF_THE_RUNNER = """\
import importlib.machinery, sys


class Sabotage(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        spec = super().find_spec(name, path, target) if name == "ignrun.runner.secrets" else None
        if spec is not None:
            run = spec.loader.exec_module
            spec.loader.exec_module = lambda module: (run(module), setattr(module.SecretStore, "mask", lambda _, text: text))
        return spec


sys.meta_path.insert(0, Sabotage)
"""

OFFLINE: dict[str, list[list[str]]] = {
    "validate": [[], *(["--format", form] for form in ("json", "sarif", "junit", "github")), ["literal.yaml"],
                 *(["literal.yaml", "--format", form] for form in ("json", "sarif", "junit", "github")),
                 ["--set", f"leaky.file={TYPED}"]],
    "plan": [[], ["-o", "json"]],
    "graph": [[], ["--format", "json"]],
    "lock": [["--check"], []],
    "modules": [["list"]],
    "generate": [["schema", "leaky:Leaky"]],
    "schema": [[], ["--kind", "overlay"]],
    "explain": [["IGN224"]],
    "export": [["systemd", "-m", "ignrun.yaml"]],
    "policy": [["rules.py"]],
    "completion": [["bash"]],
    "info": [[], ["-o", "json"]],
}  # fmt: skip
CONFIG: list[list[str]] = [
    ["show", "leaky"], ["show", "leaky", "-o", "json"], ["explain", "leaky.file"], ["explain", "leaky.environment"],
    ["get", "leaky.file"], ["set", "leaky.note", "hello"], ["set", "leaky.file", TYPED], ["backups", "leaky"],
    ["unset", "leaky.note"], ["rollback", "leaky"],
]  # fmt: skip
ONLINE: dict[str, list[list[str]]] = {
    "config": CONFIG,
    "status": [[], ["-o", "json"], ["--history"], ["--history", "-o", "json"]],
    "events": [["--lines", "1000"], ["-o", "json", "--lines", "1000"]],
    "logs": [["--lines", "1000"], ["-o", "json", "--lines", "1000"]],
    "health": [[], ["-o", "json"], ["--history"]],
    "history": [[], ["1"], ["1", "-o", "json"]],
    "diff": [[], ["-o", "json"]],
    "watch": [["status"]],
    "doctor": [[], ["-o", "json"]],
    "why": [["failing"], ["leaky", "-o", "json"]],
    "wait": [["talker", "--timeout", "5s"]],
    "top": [["--once"], ["-o", "json"]],
    "alerts": [[], ["-o", "json"]],
    "report": [["--out", ".ignrun/report.zip"]],
    "ps": [[], ["-o", "json"]],
    "restart": [["leaky"]],
    "stop": [["talker"]],
    "start": [["talker"]],
    "maintenance": [["leaky"]],
}
USAGE, BUG = 2, 70
AS_A_WHOLE = {"apply", "down", "rollback", "run", "test"}
ELSEWHERE = {"demo": "tests/stories/test_manifests.py"}


def forms(secret: str) -> set[str]:
    """A secret as it is, as it stands in URLs and JSON, and what base64 makes of it wherever it begins."""
    found = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):
            whole = encode(b"\0" * before + secret.encode()).decode().rstrip("=")
            found.add(whole[(0, 2, 3)[before] : -1])
    return found


def hits(text: bytes) -> list[str]:
    return [
        name
        for name, secret in {**CANARIES, "TYPED": TYPED}.items()
        if any(one.encode() in text for one in forms(secret))
    ]


def told(plant: Plant) -> list[tuple[str, ...]]:
    """Each command that said a secret, by what it said first."""
    return [(*hits(done.said.encode()), done.said[:200]) for done in plant.heard if hits(done.said.encode())]


def kept(plant: Plant, *handed_over: Path) -> list[tuple[str, ...]]:
    """Each file of the state and the run-time folder that holds a secret, but those that are handed to commands."""
    folders = (plant.folder / ".ignrun", Path(plant.environment["TMPDIR"]))
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file() and not file.is_symlink()]
    return [(*found, str(file)) for file in files if file not in handed_over and (found := hits(_read(file)))]


def _read(file: Path) -> bytes:
    try:
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as packed:
                return b"\n".join(packed.read(name) for name in packed.namelist())
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def prepared(folder: Path, *, sabotage: bool = False) -> dict[str, str]:
    """Write the plant's files, and give the environment that it is run in."""
    (folder / "ignrun.yaml").write_text(PLANT)
    (folder / "literal.yaml").write_text(PLANT.replace("${secret:FROM_FILE}", TYPED, 1))
    (folder / "leaky.py").write_text((SABOTAGE_OF_HOSTS if sabotage else "") + LEAKY)
    (folder / "talker.py").write_text(TALKER)
    (folder / "secrets.env").write_text(f"FROM_ENV_FILE='{CANARIES['FROM_ENV_FILE']}'\n")
    (folder / "secret.txt").write_text(CANARIES["FROM_FILE"])
    (folder / "rules.py").write_text("def judge(plan):\n    return []\n")
    (folder / "program.txt").write_text(CANARIES["FROM_PROGRAM"])
    sabotaged = folder / "sabotage"
    sabotaged.mkdir()
    (sabotaged / "sitecustomize.py").write_text(SABOTAGE_OF_THE_RUNNER)
    return {"PLANT_PASSWORD": CANARIES["FROM_ENVIRONMENT"]} | ({"PYTHONPATH": str(sabotaged)} if sabotage else {})


@pytest.fixture
def leaky(tmp_path) -> Iterator[Plant]:
    with new_plant(tmp_path, **prepared(tmp_path)) as plant:
        yield plant


def config_files(plant: Plant) -> list[Path]:
    """The files in which commands are handed their config: those hold secrets for as long as the commands run."""
    return [file for file in Path(plant.environment["TMPDIR"]).rglob("*.json") if file.stat().st_mode & 0o077 == 0]


def brought_up(plant: Plant) -> None:
    """Apply, and wait until everybody who leaks has done so."""
    plant.ignrun("apply", "-d", code=None)

    def spoken() -> bool:
        said = plant.ignrun("logs", *plant.aim(), "--lines", "1000").out
        return "err" in said and said.count("printed") >= 2 * len(CANARIES)

    until(spoken, 30, lambda: plant.heard[-1].said)
    until(lambda: plant.instances()["leaky@gateway"]["health"] == "degraded", 30, plant.status)


# --- the harness shows its power --------------------------------------------------------------------------------------


def test_every_verb_is_in_this_story() -> None:
    assert {*OFFLINE, *ONLINE, *AS_A_WHOLE, *ELSEWHERE} == {*DAILY, *MORE}


@pytest.mark.parametrize("secret", CANARIES.values())
@pytest.mark.parametrize("before", ["", "u:", "us:", "use:"])
def test_a_secret_is_found_however_it_is_encoded(secret, before) -> None:
    whole = f"{before}{secret}"
    for text in (
        base64.b64encode(whole.encode()),
        base64.urlsafe_b64encode(whole.encode()),
        quote(whole).encode(),
        quote_plus(whole).encode(),
        json.dumps({"said": whole}).encode(),
    ):
        assert hits(b"GET /" + text + b" HTTP/1.1")
    assert not hits(b"********")


def test_a_build_whose_masks_are_off_is_caught_in_what_is_said_and_in_files(tmp_path) -> None:
    with new_plant(tmp_path, **prepared(tmp_path, sabotage=True)) as plant:
        brought_up(plant)
        plant.ignrun("status", *plant.aim(), "-o", "json")
        plant.ignrun("down", *plant.aim())
        assert {name for one in told(plant) for name in one[:-1]} >= {*CANARIES}
        assert {name for one in kept(plant) for name in one[:-1]} >= {*CANARIES}


# --- and finds nothing ------------------------------------------------------------------------------------------------


def test_secrets_pass_through_every_verb_without_a_trace(leaky: Plant) -> None:
    def call(verb: str, *args: str) -> None:
        done = leaky.ignrun(verb, *args, code=None)
        assert done.code not in {USAGE, BUG}, (verb, args, done.said)

    for verb, calls in OFFLINE.items():
        for args in calls:
            call(verb, *args)
    for args in CONFIG:
        call("config", *args, *leaky.aim())
    brought_up(leaky)
    for verb, calls in ONLINE.items():
        for args in calls:
            call(verb, *args, *(leaky.aim() if verb != "ps" else ()))
    call("apply", "--set", "leaky.note=again")
    call("rollback", "--yes", *leaky.aim())
    assert answered_with_secrets(leaky) == []
    assert kept(leaky, *config_files(leaky)) == []
    leaky.ignrun("down", *leaky.aim())
    call("test", "--timeout", "3s")
    foreground(leaky)
    leaky.nothing_left()
    assert told(leaky) == []
    assert kept(leaky) == []
    assert sum("********" in done.said for done in leaky.heard) > 3, "the secrets were to be asked for"


def answered_with_secrets(plant: Plant) -> list[str]:
    """Each GET of the control API whose answer holds a secret."""
    asked = [one for one in ENDPOINTS if one.method == "GET"]
    found = []
    socket = plant.status()["plant"]["socket"]
    for one in asked:
        path = one.path.replace("{address}", "leaky").replace("{number}", "1")
        streams = {"events", "logs"}
        connection = UnixConnection(socket, 20.0)
        connection.request("GET", f"{path}?follow=false" if one.handler in streams else path)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        assert answer.status in {200, 503}, (path, text[:300])
        if hits(text):
            found.append(path)
    return found


def foreground(plant: Plant) -> None:
    """Be the runner until everybody has spoken, then leave by Ctrl-C; what was said is heard like that of the others."""
    command = [sys.executable, "-m", "ignrun", "run"]
    with (
        (plant.folder / "said.txt").open("wb") as said,
        subprocess.Popen(command, cwd=plant.folder, env=plant.environment, stdout=said, stderr=said) as process,
    ):
        until(lambda: "err" in (text := (plant.folder / "said.txt").read_text()) and "printed" in text, 30)
        os.kill(process.pid, signal.SIGINT)
        process.wait(60)
    text = (plant.folder / "said.txt").read_text()
    assert "printed" in text
    assert hits(text.encode()) == []
