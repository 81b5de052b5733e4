"""Owns RunnerPlants, the same machine over the real runner, whose journal lies in a folder that outlives each of its runners."""

import shutil
import tempfile
from pathlib import Path
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from msgspec.structs import replace

from ignrun.planner.graph.model import InstanceSpec
from ignrun.terms.leaves import Pending, SecretNamed, Tree
from tests.doubles.runner_world import RunnerWorld, key_of
from tests.doubles.scripts import Scripts
from tests.laws.machine import Plants, Version

ALSO: Final = ("crash_the_runner",)
"""What can be done to a real runner only."""

IN_MEMORY: Final = Path("/dev/shm")
"""Where files cost no time, on the systems that have it."""


class RunnerPlants(Plants):
    """Plants over a RunnerWorld; everybody has a secret in his config."""

    folder: Path | None = None

    @precondition(lambda self: self.alive)
    @rule(other=st.booleans())
    def crash_the_runner(self, other: bool) -> None:
        """End the runner without a word, and begin again."""
        world = self.world
        assert isinstance(world, RunnerWorld)
        world.crash()
        self._begin_again(other)

    def _made(self, scripts: Scripts) -> RunnerWorld:
        if self.folder is None:
            self.folder = Path(tempfile.mkdtemp(dir=IN_MEMORY if IN_MEMORY.is_dir() else None))
        return RunnerWorld(self.folder, scripts, self.seed)

    def close(self) -> None:
        """Let go of the world and of its folder."""
        try:
            super().close()
        finally:
            if self.folder is not None:
                shutil.rmtree(self.folder)
                self.folder = None

    def _spec(self, name: str, version: Version) -> InstanceSpec:
        spec = super()._spec(name, version)
        secret = Pending(("key",), (SecretNamed(key_of(spec.address)),))
        return replace(spec, config=Tree({**spec.config.plain, "key": None}, (secret,)))
