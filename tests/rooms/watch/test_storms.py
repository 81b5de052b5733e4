"""Storms, in small: `make torture` has them in full."""

import sys

import pytest

from tests.rooms.watch import storms


async def test_a_storm_of_writes_ends_with_the_last_of_them(tmp_path):
    await storms.of_writes(tmp_path, 600, 1.5)


async def test_readers_are_no_edit(tmp_path):
    await storms.of_readers(tmp_path, 2000)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts what a process has written")
async def test_a_module_that_writes_into_what_is_watched_is_found_out_and_named(tmp_path):
    await storms.of_a_loop(tmp_path)
