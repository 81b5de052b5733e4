"""Owns a real server on a real socket in front of a scripted runner."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from ignrun.control.client import Client
from ignrun.control.port import Steering
from ignrun.control.server import ControlServer
from tests.rooms.control.scripted import ScriptedRunner


@pytest.fixture
async def runner() -> ScriptedRunner:
    return ScriptedRunner()


@pytest.fixture
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("c") / "control.sock"  # short: a socket's path has a limit


@pytest.fixture
async def server(path, runner) -> AsyncIterator[ControlServer]:
    steering: Steering = runner
    server = await ControlServer.open(path, steering)
    yield server
    await server.close()


@pytest.fixture
def client(server, path) -> Client:
    return Client(str(path), patience=5.0)


@pytest.fixture
def off_loop():
    """Give what runs a blocking call beside the loop that has to answer it."""
    return asyncio.to_thread
