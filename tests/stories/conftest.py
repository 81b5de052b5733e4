"""Gives every story a plant of its own."""

import socket

import pytest

from tests.stories.plant import new_plant


@pytest.fixture
def plant(tmp_path):
    with new_plant(tmp_path) as one:
        yield one


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
