"""Owns what pytest learns from ignrun: the fixture `ignrun_plant`, which runs a whole plant for one test."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from ignrun.testing.plant import PlantUnderTest

MakePlant = Callable[..., PlantUnderTest]


@pytest.fixture
def ignrun_plant(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakePlant]:
    """Make plants of manifests and take them down when the test is over.

    `ignrun_plant("ignrun.yaml", mode="test")` applies the manifest, looked for beside the test file and then in the root folder, in that mode
    and gives the plant once everything has arrived; raises PlantFailed when it does not. `vars` and `sets` are `--var` and `--set`;
    `environment` is added to that of the test; with `apply=False` nothing runs yet.
    """
    made: list[PlantUnderTest] = []

    def make(
        manifest: str | Path,
        *,
        mode: str | None = None,
        vars: Mapping[str, object] | None = None,  # noqa: A002 - the word of the manifest
        sets: Mapping[str, object] | None = None,
        environment: Mapping[str, str] | None = None,
        apply: bool = True,
    ) -> PlantUnderTest:
        options = [] if mode is None else ["--mode", mode]
        for option, values in (("--var", vars), ("--set", sets)):
            for name, value in (values or {}).items():
                options += [option, f"{name}={value}"]
        state_dir = tmp_path / f"ignrun-{len(made)}"
        plant = PlantUnderTest(_found(Path(manifest), request), state_dir, options, environment)
        made.append(plant)
        if apply:
            plant.apply()
        return plant

    yield make
    for plant in reversed(made):
        plant.down()


def _found(manifest: Path, request: pytest.FixtureRequest) -> Path:
    folders = (request.path.parent, request.config.rootpath)
    return next((one for folder in folders if (one := folder / manifest).is_file()), folders[0] / manifest)
