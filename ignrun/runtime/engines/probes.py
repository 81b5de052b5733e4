"""Owns the probes: ways of asking a command whether it is ready or healthy, by name, none of which blocks the loop."""

import asyncio
import os
import re
import signal
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from ignrun.manifest.endpoints import http_endpoint, tcp_endpoint
from ignrun.runtime.engines.children import Children
from ignrun.runtime.engines.process import Child, NotStartable, how_of, peek_exit, reap, signal_group, start_process

_MOST_HEAD: Final = 16 * 1024
_GOOD: Final = range(200, 400)


class Site(msgspec.Struct, frozen=True):
    """Where a probe that is a program runs: environment and folder of the command that it asks about."""

    env: Mapping[str, str]
    cwd: str
    children: Children
    soft_limit: int


class Probe(msgspec.Struct, frozen=True):
    """One declared probe: its name and its argument."""

    kind: str
    argument: Any

    def __str__(self) -> str:
        """Say what is asked, as a manifest does."""
        match self.kind:
            case "http":
                return str(self.argument)
            case "tcp":
                return f"tcp:{self.argument}"
            case _:
                return self.kind


Ask = Callable[[Any, Site], Awaitable[str]]
"""Asks once: an empty answer is a good one, another says what is wrong. Cancelled when its time is over."""


def read_probe(raw: Any) -> Probe | None:
    """Turn `{"tcp": ..}` and its like, or the short texts of a manifest, into a probe; raises ValueError."""
    match raw:
        case None:
            return None
        case "notify":
            return Probe("notify", argument=True)
        case str() if raw.startswith("tcp:"):
            return _judged(Probe("tcp", raw.removeprefix("tcp:")))
        case str() if raw.startswith(("http://", "https://")):
            return _judged(Probe("http", raw))
        case dict() if len(raw) == 1 and (kind := next(iter(raw))) in {*ASKED, *TOLD}:
            return _judged(Probe(kind, raw[kind]))
    raise ValueError(f"there is no probe `{raw}`")


def _judged(probe: Probe) -> Probe:
    try:
        match probe.kind:
            case "tcp":
                tcp_endpoint(probe.argument)
            case "http":
                http_endpoint(probe.argument)
            case "log":
                re.compile(probe.argument)
            case "exec":
                _ = str(probe.argument[0])
    except (ValueError, TypeError, LookupError, AttributeError, re.error) as error:
        raise ValueError(f"`{probe}` is no {probe.kind} probe: {error}") from error
    return probe


def endpoint_of(probe: Probe) -> tuple[str, int] | None:
    """Give host and port that a probe connects to, None for one that does not."""
    match probe.kind:
        case "tcp":
            return tcp_endpoint(probe.argument)
        case "http":
            return http_endpoint(probe.argument)
        case _:
            return None


async def _ask_tcp(argument: Any, site: Site) -> str:  # noqa: ARG001 - one signature for all
    host, port = tcp_endpoint(argument)
    return await _talk(host, port, None, None)


async def _ask_http(argument: Any, site: Site) -> str:  # noqa: ARG001 - one signature for all
    url = urlsplit(argument)
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {url.netloc.rpartition('@')[2]}\r\nConnection: close\r\nAccept: */*\r\n\r\n"
    )
    secure = _trusting() if url.scheme == "https" else None
    return await _talk(*http_endpoint(argument), secure, request.encode())


def _trusting() -> ssl.SSLContext:
    """Make a context for asking a service of one's own: nothing secret is sent, so its certificate is not judged."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _talk(host: str, port: int, secure: ssl.SSLContext | None, request: bytes | None) -> str:
    """Connect, and with a `request` judge the status that comes back."""
    try:
        reader, writer = await asyncio.open_connection(host, port, ssl=secure, limit=_MOST_HEAD)
    except (OSError, OverflowError, ValueError) as error:  # ValueError: a host that no name server could know
        return _words(error)
    try:
        return await _status(reader, writer, request) if request else ""
    except (OSError, asyncio.LimitOverrunError, ValueError) as error:
        return _words(error)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _status(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> str:
    writer.write(request)
    await writer.drain()
    words = (await reader.readline()).split(maxsplit=2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():  # noqa: PLR2004 - version, status
        return "what answers does not speak HTTP"
    return "" if int(words[1]) in _GOOD else f"status {int(words[1])}"


def _words(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__


async def _ask_program(argument: Any, site: Site) -> str:
    """Run a program to its end; exit 0 is a good answer. Killed with its group when its time is over."""
    loop = asyncio.get_running_loop()
    argv = [str(word) for word in argument]
    with open("/dev/null", "wb") as nowhere:  # noqa: ASYNC230, PTH123 - a device, not a disk
        void = nowhere.fileno()
        try:
            child = start_process(argv, env=site.env, cwd=site.cwd, out=void, err=void, soft_limit=site.soft_limit)
        except NotStartable as error:
            return str(error)
    site.children.own(child.pid)
    ended = loop.create_future()
    loop.add_reader(child.pidfd, _settle, ended)
    try:
        await ended
        code = peek_exit(child.pidfd) or 0
        return "" if code == 0 else f"`{argv[0]}` ended: {how_of(code)}"
    finally:
        signal_group(child, signal.SIGKILL)
        loop.remove_reader(child.pidfd)
        _collect(child, site.children, loop)


def _settle(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)


def _collect(child: Child, children: Children, loop: asyncio.AbstractEventLoop) -> None:
    """Wait for a program that has ended or was killed just now."""
    if reap(child.pidfd) is None:
        loop.add_reader(child.pidfd, _collect, child, children, loop)
        return
    loop.remove_reader(child.pidfd)
    children.disown(child.pid)
    os.close(child.pidfd)


ASKED: Final[dict[str, Ask]] = {"tcp": _ask_tcp, "http": _ask_http, "exec": _ask_program}
"""Probes that ask, at once and again."""

TOLD: Final = frozenset({"log", "notify"})
"""Probes that wait to be told, by a line of output or by a datagram (`sd_notify`)."""
