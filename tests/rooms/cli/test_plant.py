"""Holds the selection of a plant to the order that cli.md gives, and changing verbs to never guessing."""

import os

import pytest

from ignrun.cli.naming import plant_name
from ignrun.cli.options import Aim
from ignrun.cli.plant import find_plant, plant_to_read
from ignrun.terms.failure import AmbiguousPlant, Failure, NoRunner


def found(looking: bool = True, **aim) -> str:
    return find_plant(Aim(**aim), looking=looking).name


# --- the name ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("metadata: {name: bottling}\n", "bottling"),
        (
            "modules: {a: {config: {metadata: {name: no}}}}\nmetadata:\n  labels: {name: no}\n  name: bottling\n",
            "bottling",
        ),
        ("modules: {a: {command: [x]}}\n", "my-plant"),
        ("modules: [metadata, {name: no}]\n", "my-plant"),
        ("metadata: {name: ../../etc}\n", "my-plant"),
        ("metadata: {name: [a]}\n", "my-plant"),
        ("{{{{ not yaml", "my-plant"),
        ("\x00", "my-plant"),
        ("", "my-plant"),
    ],
)
def test_a_plant_is_called_as_its_manifest_says_or_like_its_file(place, text, name) -> None:
    manifest = place / "My Plant.yaml"
    manifest.write_text(text)
    assert plant_name(manifest) == name


def test_a_manifest_that_is_not_there_still_has_a_name(place) -> None:
    assert plant_name(place / "gone.yaml") == "gone"


def test_brackets_without_end_do_not_hurt(place) -> None:
    (place / "deep.yaml").write_text("[" * 60_000)
    assert plant_name(place / "deep.yaml") == "deep"


# --- verbs that read a manifest -----------------------------------------------------------------------------------------


def test_without_a_word_the_manifest_is_ignrun_yaml_here(place) -> None:
    plant, manifest = plant_to_read(Aim())
    assert manifest == place / "ignrun.yaml"
    assert plant.folder.path == place / ".ignrun" / "ignrun"


def test_the_state_folder_lies_beside_the_manifest_unless_it_is_named(place, tmp_path, monkeypatch) -> None:
    assert plant_to_read(Aim("lines/four.yaml"))[0].folder.path == place / "lines" / ".ignrun" / "four"
    assert plant_to_read(Aim("four.yaml", str(tmp_path / "s")))[0].folder.path == tmp_path / "s"
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "systemd"))
    assert plant_to_read(Aim("four.yaml"))[0].folder.path == tmp_path / "systemd"


def test_a_name_leads_to_the_manifest_of_a_plant_that_lies_here(place, plant_lying) -> None:
    plant_lying("four")
    assert plant_to_read(Aim(name="four"))[1] == place / "four.yaml"


# --- verbs that look or change ------------------------------------------------------------------------------------------


def test_the_state_folder_wins_over_manifest_and_name(plant_lying) -> None:
    record = plant_lying("four")
    assert found(state_dir=record.state_dir, manifest="other.yaml", name="nobody") == "four"


def test_a_manifest_wins_over_a_name(plant_lying) -> None:
    plant_lying("four")
    assert found(manifest="five.yaml", name="four") == "five"


def test_a_name_is_looked_for_here_and_then_among_those_that_run(place, plant_running) -> None:
    plant_running("far", place.parent / "elsewhere")
    assert found(looking=False, name="far") == "far"
    with pytest.raises(NoRunner, match="no plant `near` runs"):
        found(name="near")


def test_the_same_name_running_twice_is_ambiguous(place, plant_running) -> None:
    plant_running("far", place.parent / "one")
    plant_running("far", place.parent / "two")
    with pytest.raises(AmbiguousPlant) as caught:
        found(name="far")
    assert len(caught.value.candidates) == 2
    assert all("far.yaml" in one for one in caught.value.candidates)


@pytest.mark.parametrize("given", ["four", "./four.yaml"])
def test_the_environment_may_name_the_plant(plant_lying, monkeypatch, given) -> None:
    plant_lying("four")
    plant_lying("five")
    monkeypatch.setenv("IGNRUN_PLANT", given)
    assert found(looking=False) == "four"


def test_the_plant_of_the_nearest_folder_above_is_meant(place, plant_lying, monkeypatch) -> None:
    plant_lying("four")
    below = place / "deep" / "deeper"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert found(looking=False) == "four"


def test_of_several_plants_here_the_only_one_that_runs_is_meant(plant_lying, plant_running) -> None:
    plant_lying("four")
    plant_running("five")
    assert found() == "five"


def test_several_plants_here_are_ambiguous(plant_lying) -> None:
    plant_lying("four")
    plant_lying("five")
    with pytest.raises(AmbiguousPlant, match="several plants are here, and none of them runs: "):
        found()


def test_a_verb_that_looks_takes_the_only_live_runner_and_one_that_changes_does_not(place, plant_running) -> None:
    plant_running("far", place.parent / "elsewhere")
    assert found() == "far"
    with pytest.raises(NoRunner, match="none is named"):
        found(looking=False)


def test_several_live_runners_are_ambiguous_for_who_looks(place, plant_running) -> None:
    plant_running("one", place.parent / "elsewhere")
    plant_running("two", place.parent / "elsewhere")
    with pytest.raises(AmbiguousPlant, match=r"several plants are running: one .*, two "):
        found()


def test_where_nothing_is_the_hint_says_how_to_begin() -> None:
    with pytest.raises(NoRunner) as caught:
        found()
    assert "ignrun apply" in caught.value.hint


def test_a_plant_without_a_known_manifest_asks_for_it(place) -> None:
    (place / ".ignrun" / "four").mkdir(parents=True)
    (place / ".ignrun" / "four" / "journal.sqlite").touch()
    with pytest.raises(Failure, match="not known"):
        plant_to_read(Aim(name="four"))


def test_the_tests_own_the_environment_that_they_look_into() -> None:
    assert not [name for name in os.environ if name.startswith("IGNRUN_")]


# --- a folder that cannot be used -------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["status", "events", "logs", "down", "plan", "apply"])
def test_a_state_folder_that_cannot_be_looked_into_is_named(place, ignrun, verb) -> None:
    (place / "line.yaml").write_text("modules: {a: {command: [sleep, '9']}}\n")
    (place / ".ignrun").mkdir()
    (place / ".ignrun" / "line").write_text("this is no folder")
    aim = [str(place / "line.yaml")] if verb in {"plan", "apply"} else ["-m", str(place / "line.yaml")]
    ended = ignrun(verb, *aim)
    assert ended.code == 5
    assert f"the state folder `{place / '.ignrun' / 'line'}` cannot be used: Not a directory" in ended.err
    assert "Traceback" not in ended.err + ended.out


def test_whatever_file_the_system_refuses_is_named(place, ignrun, plant_lying) -> None:
    plant_lying("line")
    (place / ".ignrun" / "line" / "logs" / "web.log").mkdir()
    ended = ignrun("logs")
    assert ended.code == 1
    assert ended.err == f"error: `{place / '.ignrun' / 'line' / 'logs' / 'web.log'}` cannot be used: Is a directory\n"


def test_whoever_is_shown_another_plant_than_the_one_that_lies_here_is_told_so(place, plant_running, capsys) -> None:
    plant_running("mine", place.parent / "elsewhere")
    assert found() == "mine"
    assert capsys.readouterr().err == ""
    (place / "ignrun.yaml").write_text("modules: {}\n")
    assert found() == "mine"
    said = "./ignrun.yaml has not been applied yet; showing `mine`, the only plant running\n"
    assert capsys.readouterr().err == said


def test_a_plant_whose_manifest_says_another_name_by_now_is_still_found_by_it(place, plant_running) -> None:
    record = plant_running("line")
    manifest = place / "line.yaml"
    assert record.manifest == str(manifest)
    manifest.write_text("metadata: {name: another}\n")
    assert found(manifest=str(manifest), looking=False) == "line"
