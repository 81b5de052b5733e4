"""Holds the run-time folder of a plant to be its owner's only."""

import stat

import pytest

from ignrun.runtime.engines.places import make_run_folder, plant_token, remove_run_folder


def test_a_plant_has_one_token_wherever_it_is_asked_from(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "state").mkdir()
    assert plant_token(tmp_path / "state") == plant_token((tmp_path / "state").relative_to(tmp_path))
    assert plant_token(tmp_path / "state") != plant_token(tmp_path / "other")


def test_the_folder_is_private_and_empty(tmp_path) -> None:
    folder = make_run_folder(tmp_path, "token")
    (folder / "left.json").touch()
    (folder / "deep").mkdir()
    folder.chmod(0o777)
    assert make_run_folder(tmp_path, "token") == folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [*folder.iterdir()] == []
    remove_run_folder(folder)
    assert not folder.exists()


def test_a_link_in_its_place_is_refused(tmp_path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "token").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PermissionError):
        make_run_folder(tmp_path, "token")
