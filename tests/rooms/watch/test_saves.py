"""However a file is saved, the edit is applied once and whole, within two seconds; a second time, too."""

import asyncio
import subprocess
from pathlib import Path

import pytest

from ignrun.runtime.watch import decide as decisions
from tests.rooms.watch.harness import Watched
from tests.rooms.watch.styles import CHANGING, UNCHANGING, folder_swap, in_pieces, temporary_and_rename

IN_TIME = 2.0


def plant(tmp_path: Path) -> Path:
    file = tmp_path / "plant" / "plant.yaml"
    file.parent.mkdir()
    file.write_text("value 100")
    return file


async def saved(watched: Watched, file: Path, save, text: str, within: float = IN_TIME) -> None:
    """Save once; the text is applied in time, and nothing but whole texts is."""
    before = len(watched.applied)
    await asyncio.to_thread(save, file, text)
    await watched.until(lambda: len(watched.applied) > before and watched.applied[-1][str(file)] == text, within)


@pytest.mark.parametrize("style", CHANGING)
async def test_an_edit_is_applied_once_and_the_next_one_too(tmp_path, style):
    file = plant(tmp_path)
    async with Watched(file) as watched:
        for number in (101, 102):
            await saved(watched, file, CHANGING[style], f"value {number}", 6 if style == "folder_swap" else IN_TIME)
        await watched.quiet(0.2)
        assert [seen[str(file)] for seen in watched.applied] == ["value 101", "value 102"]


@pytest.mark.parametrize("style", UNCHANGING)
async def test_what_changes_nothing_is_no_edit(tmp_path, style):
    file = plant(tmp_path)
    async with Watched(file) as watched:
        for _ in range(2):
            await asyncio.to_thread(UNCHANGING[style], file, "")
            await watched.quiet(0.15)
        assert watched.applied == []


def _more_than(watched: Watched, count: int):
    return lambda: len(watched.applied) > count


def _reads(watched: Watched, file: Path, text: str):
    return lambda: watched.applied[-1][str(file)] == text


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


async def test_a_checkout_of_fifty_files_is_one_edit(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    files = [folder / f"part-{number}.yaml" for number in range(50)]
    for name in ("one", "two"):
        for file in files:
            file.write_text(f"{name}\n")
        git(folder, "add", ".")
        git(folder, "commit", "-q", "-m", name)
        git(folder, "tag", f"at-{name}")
    git(folder, "checkout", "-q", "at-two")
    async with Watched(*files) as watched:
        for name in ("one", "two"):
            before = len(watched.applied)
            await asyncio.to_thread(git, folder, "checkout", "-q", f"at-{name}")
            await watched.until(_more_than(watched, before), IN_TIME)
        await watched.quiet(0.2)
        assert [set(seen.values()) for seen in watched.applied] == [{"one\n"}, {"two\n"}]


async def test_nothing_is_applied_while_git_is_at_work(tmp_path):
    folder = tmp_path / "work"
    (folder / ".git").mkdir(parents=True)
    file = folder / "plant.yaml"
    file.write_text("1")
    lock = folder / ".git" / "index.lock"
    async with Watched(file) as watched:
        lock.touch()
        file.write_text("2")
        await watched.until(lambda: watched.watcher.status().holds, IN_TIME)
        assert watched.watcher.status().holds == (f"`{lock}` exists: 1 changed file until git is done",)
        lock.unlink()
        await watched.until(lambda: watched.applied, IN_TIME)


async def test_a_file_that_a_pattern_matches_is_seen_when_it_comes_and_when_it_goes(tmp_path):
    file = plant(tmp_path)
    parts = file.parent / "parts"
    parts.mkdir()
    async with Watched(file, patterns=((file.parent, "parts/*.yaml"),)) as watched:
        (parts / "one.yaml").write_text("one")
        await watched.until(lambda: watched.applied, IN_TIME)
        (parts / "one.yaml").write_text("two")
        await watched.until(lambda: len(watched.applied) == 2, IN_TIME)
        assert watched.applied[-1][str(parts / "one.yaml")] == "two"
        (parts / "other.txt").write_text("no part")
        await watched.quiet(0.2)
        (parts / "one.yaml").unlink()
        await watched.until(lambda: len(watched.applied) == 3, IN_TIME)
        assert str(parts / "one.yaml") not in watched.applied[-1]


async def test_a_missing_file_is_seen_when_it_comes_even_in_a_folder_that_is_not_there_yet(tmp_path):
    file = plant(tmp_path)
    missing = file.parent / "deep" / "er" / "more.yaml"
    async with Watched(file, missing) as watched:
        missing.parent.mkdir(parents=True)
        missing.write_text("here")
        await watched.until(lambda: watched.applied and watched.applied[-1][str(missing)] == "here", IN_TIME)


async def test_a_folder_that_is_deleted_and_made_again_is_watched_again(tmp_path):
    file = plant(tmp_path)
    async with Watched(file) as watched:
        for number in (1, 2):
            file.unlink()
            file.parent.rmdir()
            await watched.until(lambda: watched.applied and watched.applied[-1][str(file)] == "", 6)
            file.parent.mkdir()
            file.write_text(f"again {number}")
            await watched.until(_reads(watched, file, f"again {number}"), 6)
        await saved(watched, file, in_pieces, "by event")


# --- without events ---------------------------------------------------------------------------------------------------


@pytest.fixture
def deaf(monkeypatch):
    monkeypatch.setattr("ignrun.runtime.watch.events.FolderEvents._happened", lambda *_: None)
    monkeypatch.setattr("ignrun.runtime.watch.events.FolderEvents._overflowed", lambda *_: None)


async def test_an_edit_whose_events_are_lost_is_found_by_looking(tmp_path, deaf, monkeypatch):
    monkeypatch.setattr(decisions, "RESCAN", 1.0)
    file = plant(tmp_path)
    async with Watched(file) as watched:
        await saved(watched, file, temporary_and_rename, "value 101", 2)
        status = watched.watcher.status()
        assert (status.backend, status.reason) == ("polling", f"no event told of a change of `{file}`")
        await saved(watched, file, in_pieces, "value 102", 2)


async def test_where_the_system_gives_no_events_it_polls_and_says_so(tmp_path, monkeypatch):
    def refused() -> None:
        raise OSError(24, "inotify instance limit reached")

    monkeypatch.setattr("watchdog.observers.inotify_c.InotifyFD.__init__", lambda _: refused())
    file = plant(tmp_path)
    watched = Watched(file)
    watched.watcher.start()
    await watched.until(lambda: watched.watcher.status().digest, 5)
    status = watched.watcher.status()
    assert (status.backend, status.reason) == ("polling", "inotify instance limit reached")
    assert [one.state for one in watched.turned] == ["polling"]
    await saved(watched, file, in_pieces, "value 101", 2)
    await watched.watcher.stop()


# --- sabotage ---------------------------------------------------------------------------------------------------------


async def test_the_harness_catches_a_build_that_does_not_look_again(tmp_path, deaf, monkeypatch):
    monkeypatch.setattr(decisions, "RESCAN", 1e9)
    file = plant(tmp_path)
    async with Watched(file) as watched:
        with pytest.raises(AssertionError):
            await saved(watched, file, temporary_and_rename, "value 101", 2)


async def test_the_harness_catches_a_build_that_does_not_settle(tmp_path, monkeypatch):
    monkeypatch.setattr(decisions, "CAP", 0.0)

    def slowly(file: Path, text: str) -> None:
        import time

        with file.open("w") as opened:
            for letter in text:
                opened.write(letter)
                opened.flush()
                time.sleep(0.03)

    file = plant(tmp_path)
    async with Watched(file) as watched:
        await saved(watched, file, slowly, "value 101")
        assert [seen[str(file)] for seen in watched.applied] != ["value 101"]


def test_a_folder_swap_is_a_style(tmp_path):
    file = plant(tmp_path)
    folder_swap(file, "x")
    assert file.read_text() == "x"
