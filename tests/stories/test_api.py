"""Asks a real runner over its socket and over loopback, as scripts, curl and strangers would."""

import http.client
import json
import socket
import stat
from pathlib import Path

import pytest

from ignrun.control.client import Client
from ignrun.terms.failure import RunnerRefused

pytestmark = pytest.mark.story

PLANT = """
modules:
  beat:
    command: [sh, -c, "echo beating; exec sleep 1000"]
"""


def test_a_runner_serves_loopback_with_its_token_and_never_without(plant) -> None:
    plant.write(PLANT)
    plant.ignrun("apply", "-d", "--listen", "127.0.0.1:0")
    told = plant.status()["plant"]
    token_file = Path(told["state_dir"], "token")
    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600
    token = token_file.read_text().strip()
    client = Client.at(told["listen"], token)
    assert [one.address for one in client.status().instances] == ["beat@gateway"]
    with pytest.raises(RunnerRefused, match="needs the token"):
        Client.at(told["listen"], token[:-1]).status()
    assert token not in plant.ignrun("status").said + plant.ignrun("events").said
    assert told["listen"] in plant.ignrun("status").out
    refused = plant.ignrun("apply", "--listen", "127.0.0.1:0", code=1)
    assert "lives already and opens no door" in refused.err


def test_a_port_that_is_taken_stops_the_runner_before_anything_is_started(plant, port) -> None:
    plant.write(PLANT)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        done = plant.ignrun("apply", "-d", "--listen", f"127.0.0.1:{port}", code=1)
    assert f"`127.0.0.1:{port}` cannot be listened on: Address already in use" in done.err
    plant.nothing_left()
    assert "on loopback only" in plant.ignrun("run", "--listen", "0.0.0.0:80", code=2).err


def test_a_client_of_the_socket_sees_modules_config_logs_and_events(plant, monkeypatch) -> None:
    plant.write(PLANT)
    plant.ignrun("apply", "-d")
    client = Client(plant.status()["plant"]["socket"])
    assert [one.name for one in client.modules().modules] == ["beat"]
    assert [one.address for one in client.config().instances] == ["beat@gateway"]
    assert client.ready() == ""
    assert [(one.number, one.current) for one in client.generations().generations] == [(1, True)]
    assert client.generation(1).generation.number == 1
    with pytest.raises(RunnerRefused, match="there is no generation 7"):
        client.generation(7)
    first = [one.seq for one in client.events()]
    assert first == list(range(1, len(first) + 1))
    assert [one.text for one in client.logs("beat", lines=1)] == ["beating"]
    client.ask("restart", "beat", "ann")
    assert next(one.seq for one in client.events(first[-1])) == first[-1] + 1
    monkeypatch.setenv("XDG_RUNTIME_DIR", plant.environment["XDG_RUNTIME_DIR"])
    assert Client.of("ignrun").status().plant.name == "ignrun"


def test_what_breaks_off_is_resumed_by_number(plant) -> None:
    plant.write(PLANT)
    plant.ignrun("apply", "-d", "--listen", "localhost:0")
    told = plant.status()["plant"]
    token = Path(told["state_dir"], "token").read_text().strip()
    host, _, port = told["listen"].removeprefix("http://").rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.request(
        "GET", "/v1/events?follow=false", headers={"Authorization": f"Bearer {token}", "Last-Event-ID": "3"}
    )
    text = connection.getresponse().read().decode()
    connection.close()
    numbers = [int(line[4:]) for line in text.splitlines() if line.startswith("id: ")]
    assert (numbers[0], numbers) == (4, list(range(4, numbers[-1] + 1)))
    assert json.loads(next(line for line in text.splitlines() if line.startswith("data: "))[6:])["seq"] == 4
