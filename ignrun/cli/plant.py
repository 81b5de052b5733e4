"""Turns what the operator said into the one plant that is meant, and finds out whether its runner lives."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from ignrun.cli.options import Aim, absolute
from ignrun.cli.speech import say
from ignrun.runtime.journal.folder import PARENT, StateFolder, check_folder, state_folder_of
from ignrun.runtime.journal.registry import RunnerRecord, last_runner, live_runner, live_runners, run_time_folder
from ignrun.terms.failure import AmbiguousPlant, Failure, NoRunner

DEFAULT_MANIFEST: Final = "ignrun.yaml"
"""The manifest of a command that names none, in the working folder."""


class Plant(msgspec.Struct, frozen=True):
    """One plant: its name, its state folder (which need not exist) and, where it is known, its manifest."""

    name: str
    folder: StateFolder
    manifest: Path | None = None

    @property
    def runner(self) -> RunnerRecord | None:
        """Its runner, if one lives."""
        return live_runner(self.folder)


def plant_to_read(aim: Aim) -> tuple[Plant, Path]:
    """Find the plant whose manifest a command reads: the named one, that of `-n NAME`, else `./ignrun.yaml`."""
    if aim.manifest is None and aim.name is not None:
        plant = _named(aim.name)
        if plant.manifest is None:
            raise Failure(f"the manifest of plant `{aim.name}` is not known", "name it with `-m MANIFEST`")
        return plant, plant.manifest
    manifest = absolute(aim.manifest or DEFAULT_MANIFEST)
    return _of_manifest(manifest, aim.state_dir or ""), manifest


def find_plant(aim: Aim, *, looking: bool) -> Plant:
    """Find the plant that a command means; raises NoRunner when there is none, AmbiguousPlant when there are several.

    A command that only looks (`looking`) may take the user's only live runner; one that changes something never guesses.
    """
    plant = _aimed_at(aim) or _upwards()
    if plant is not None and plant.manifest is not None and plant.runner is None:
        plant = _running_from(plant.manifest) or plant
    if plant is None and looking:
        plant = _only_live()
        _tell_of_another(plant)
    if plant is None:
        raise NoRunner(*_NOTHING_RUNS) if looking else NoRunner(*_NOT_NAMED)
    return plant


def _running_from(manifest: Path) -> Plant | None:
    """Give the plant that runs from this manifest, whatever the file calls it now, if it can be read at all."""
    live = [one for one in live_runners(run_time_folder(os.environ)) if one.manifest == str(manifest)]
    return _of_record(live[0]) if len(live) == 1 else None


def tell_of_former_name(plant: Plant) -> None:
    """Say that the plant that this manifest described when it was called otherwise runs on: another name is another plant."""
    if plant.manifest is None or plant.runner is not None:
        return
    for one in live_runners(run_time_folder(os.environ)):
        if one.manifest == str(plant.manifest) and one.plant != plant.name:
            say(
                f"warning: plant `{one.plant}` (pid {one.pid}) runs from this manifest too, and goes on: "
                f"the manifest's name is `{plant.name}` now, and another name is another plant"
            )
            say(f"hint: `ignrun down -n {one.plant}` ends it")


def _tell_of_another(plant: Plant | None) -> None:
    """Say that what is shown is not the plant whose manifest lies here."""
    here = Path.cwd() / DEFAULT_MANIFEST
    if plant and plant.manifest != here and here.exists():
        say(f"./{DEFAULT_MANIFEST} has not been applied yet; showing `{plant.name}`, the only plant running")


_NOTHING_RUNS: Final = ("no runner is alive", "`ignrun apply MANIFEST` starts one")
_NOT_NAMED: Final = (
    "no plant lies here and none is named",
    "name one with `-n NAME` or `-m MANIFEST`; `ignrun ps` lists those that run",
)


def no_runner(plant: Plant) -> NoRunner:
    """Say that a plant has no runner, and how it gets one."""
    manifest = f" {plant.manifest}" if plant.manifest else " MANIFEST"
    return NoRunner(f"no runner is alive for plant `{plant.name}`", f"`ignrun apply{manifest}` starts one")


def runner_of(plant: Plant) -> RunnerRecord:
    """Give the live runner of a plant; raises NoRunner."""
    record = plant.runner
    if record is None:
        raise no_runner(plant)
    return record


def _aimed_at(aim: Aim) -> Plant | None:
    if aim.state_dir:
        return _in_folder(StateFolder(absolute(aim.state_dir)))
    if aim.manifest:
        return _of_manifest(absolute(aim.manifest), "")
    if aim.name:
        return _named(aim.name)
    given = os.environ.get("IGNRUN_PLANT", "")
    if given:
        return (
            _of_manifest(absolute(given), "") if os.sep in given or given.endswith((".yaml", ".yml")) else _named(given)
        )
    return None


def _of_manifest(manifest: Path, state_dir: str) -> Plant:
    from ignrun.cli.naming import plant_name

    name = plant_name(manifest)
    folder = state_folder_of(manifest, name, os.environ, state_dir)
    if os.access(
        manifest.parent, os.X_OK
    ):  # else nothing beside the manifest can be looked into, itself included: the reader says so
        check_folder(folder.path)
    return Plant(name, folder, manifest)


def _in_folder(folder: StateFolder) -> Plant:
    check_folder(folder.path)
    last = last_runner(folder)
    return Plant(last.plant, folder, Path(last.manifest)) if last else Plant(folder.path.name, folder)


def _of_record(record: RunnerRecord) -> Plant:
    return Plant(record.plant, StateFolder(Path(record.state_dir)), Path(record.manifest))


def _named(name: str) -> Plant:
    """Find a plant by its name: among those that lie here, then among those that run."""
    here = [plant for plant in _lying_here() if plant.name == name]
    if here:
        return here[0]
    live = [record for record in live_runners(run_time_folder(os.environ)) if record.plant == name]
    if len(live) > 1:
        raise AmbiguousPlant(tuple(f"{record.plant} ({record.manifest})" for record in live))
    if not live:
        raise NoRunner(f"no plant `{name}` runs", "`ignrun ps` lists those that do")
    return _of_record(live[0])


def _upwards() -> Plant | None:
    """Take the plant of the nearest `.ignrun` folder; of several the only one that runs."""
    here = list(_lying_here())
    if len(here) > 1:
        here = [plant for plant in here if plant.runner] or here
    if len(here) > 1:
        candidates = tuple(f"{plant.name} ({plant.manifest or plant.folder.path})" for plant in here)
        raise AmbiguousPlant(candidates, running=any(plant.runner for plant in here))
    return here[0] if here else None


def _lying_here() -> Iterator[Plant]:
    start = Path.cwd()
    for folder in (start, *start.parents):
        if not _is_mine(folder / PARENT):
            continue
        check_folder(folder / PARENT)
        plants = [
            plant
            for path in sorted((folder / PARENT).glob("*/"))
            if _is_state((plant := _in_folder(StateFolder(path))).folder)
        ]
        if plants:
            yield from plants
            return


def _is_mine(path: Path) -> bool:
    try:
        return path.stat().st_uid == os.geteuid()
    except OSError:
        return False


def _is_state(folder: StateFolder) -> bool:
    return folder.runner.exists() or folder.journal.exists()


def _only_live() -> Plant | None:
    live = live_runners(run_time_folder(os.environ))
    if len(live) > 1:
        raise AmbiguousPlant(tuple(f"{record.plant} ({record.manifest})" for record in live))
    return _of_record(live[0]) if live else None
