"""Owns the host that most tests of this room talk to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rooms.host import plays
from tests.rooms.host.harness import FakeRunner, host_in_thread


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[FakeRunner]:
    plays.heard.clear()
    plays.released.clear()
    with host_in_thread(tmp_path / "run") as runner:
        yield runner
        plays.released.set()
