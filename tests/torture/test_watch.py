"""Saves a file in every way, 280 times in all, and weathers twenty storms: every settled edit is applied once, in time."""

import asyncio

import pytest

from tests.rooms.watch import storms
from tests.rooms.watch.harness import Watched
from tests.rooms.watch.styles import CHANGING, UNCHANGING

pytestmark = [pytest.mark.torture, pytest.mark.timeout(600)]

SAVES = 280
STORMS = 20


@pytest.mark.parametrize("style", CHANGING)
async def test_every_save_is_applied_once(tmp_path, style):
    file = tmp_path / "plant" / "plant.yaml"
    file.parent.mkdir()
    file.write_text("value 1000")
    times = SAVES // (len(CHANGING) + 1) + 1
    async with Watched(file) as watched:
        for number in range(1001, 1001 + times):
            await asyncio.to_thread(CHANGING[style], file, f"value {number}")
            await watched.until(_reads(watched, str(file), f"value {number}"), 6 if style == "folder_swap" else 2)
        await watched.quiet(0.3)
        assert [seen[str(file)] for seen in watched.applied] == [f"value {n}" for n in range(1001, 1001 + times)]


@pytest.mark.parametrize("style", UNCHANGING)
async def test_what_changes_nothing_is_never_applied(tmp_path, style):
    file = tmp_path / "plant.yaml"
    file.write_text("value 0")
    async with Watched(file) as watched:
        for _ in range(20):
            await asyncio.to_thread(UNCHANGING[style], file, "")
            await watched.quiet(0.1)
        assert watched.applied == []


@pytest.mark.parametrize("number", range(STORMS))
async def test_a_storm_ends_with_its_last_write(tmp_path, number):
    await storms.of_writes(tmp_path, 10_000, 10)


@pytest.mark.parametrize("number", range(3))
async def test_a_loop_is_found_out(tmp_path, number):
    await storms.of_a_loop(tmp_path)


async def test_edits_without_events_are_applied_within_six_seconds(tmp_path, monkeypatch):
    monkeypatch.setattr("ignrun.runtime.watch.events.FolderEvents._happened", lambda *_: None)
    file = tmp_path / "plant.yaml"
    for number in range(5):
        file.write_text("value 0")
        async with Watched(file) as watched:
            await watched.quiet(number)
            file.write_text("value 1")
            await watched.until(_reads(watched, str(file), "value 1"), 6)


def _reads(watched: Watched, path: str, text: str):
    return lambda: watched.applied and watched.applied[-1][path] == text
