"""Holds the API to quick answers and steady memory while a crowd of clients reads slowly, and one not at all."""

import asyncio
import gc
import http.client
import statistics
import time
import tracemalloc

import pytest

from tests.rooms.control.scripted import ScriptedRunner
from tests.rooms.control.unix_http import UnixConnection

PIECE = 512


async def crowd(path, size: int) -> list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    found = []
    for _ in range(size):
        reader, writer = await asyncio.open_unix_connection(str(path), limit=1024)
        writer.write(b"GET /v1/events?after=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        found.append((reader, writer))
    return found


async def read_slowly(reader: asyncio.StreamReader, pause: float) -> None:
    while await reader.read(PIECE):  # noqa: ASYNC110 - being slow is what it is for
        await asyncio.sleep(pause)


def timed(path) -> float:
    began = time.perf_counter()
    connection = UnixConnection(str(path), 30.0)
    try:
        connection.request("GET", "/v1/status")
        answer: http.client.HTTPResponse = connection.getresponse()
        answer.read()
        assert answer.status == 200
    finally:
        connection.close()
    return time.perf_counter() - began


async def p99_and_growth(path, runner: ScriptedRunner, *, size: int, asks: int) -> tuple[float, int]:
    """Let `size` slow readers, and one who never reads, follow a busy plant; give the 99th percentile of a status in seconds
    and by how many bytes the runner's memory grew from the first half to the end."""
    readers = await crowd(path, size)
    _, silent = (await crowd(path, 1))[0]
    reading = [asyncio.create_task(read_slowly(reader, 0.02)) for reader, _ in readers]
    took: list[float] = []
    half = 0
    tracemalloc.start()
    try:
        for number in range(asks):
            runner.happen(50)
            took.append(await asyncio.to_thread(timed, path))
            if number == asks // 2:
                gc.collect()
                half = tracemalloc.get_traced_memory()[0] - kept(runner)
        gc.collect()
        growth = tracemalloc.get_traced_memory()[0] - kept(runner) - half
    finally:
        tracemalloc.stop()
        for task in reading:
            task.cancel()
        for _, writer in readers:
            writer.close()
        silent.close()
    return statistics.quantiles(took, n=100)[98], growth


def kept(runner: ScriptedRunner) -> int:
    """Say how much the double itself keeps: a real runner has its events on disk."""
    return len(runner.stored) * 900


async def test_slow_clients_and_one_that_never_reads_hold_nobody_up(server, runner, path) -> None:
    p99, growth = await p99_and_growth(path, runner, size=40, asks=120)
    assert p99 < 0.25
    assert growth < 12 * 2**20


async def test_many_open_streams_are_refused_and_the_rest_goes_on(path, client, off_loop, monkeypatch) -> None:
    monkeypatch.setattr("ignrun.control.streams.MOST", 3)
    held = await crowd(path, 3)
    async with asyncio.timeout(10):
        for reader, _ in held:
            await reader.readuntil(b"retry: ")
    with pytest.raises(Exception, match="as many streams as it can"):
        await off_loop(lambda: list(client.events()))
    assert (await off_loop(client.status)).plant.name == "demo"
    for _, writer in held:
        writer.close()


@pytest.mark.torture
@pytest.mark.timeout(600)
async def test_two_hundred_slow_clients_hold_nobody_up(server, runner, path) -> None:
    p99, growth = await p99_and_growth(path, runner, size=200, asks=1000)
    print(f"200 slow clients, 1 that never reads: p99 {p99 * 1000:.1f} ms, growth {growth / 2**20:.1f} MiB")  # noqa: T201 - a figure to be told
    assert p99 < 0.25
    assert growth < 12 * 2**20
