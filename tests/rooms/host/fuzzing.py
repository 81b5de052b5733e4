"""Makes frames that no honest side would send: valid ones with bytes, types and lengths changed, and plain noise."""

import random
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any

import msgspec

from ignrun.protocol.frames import FrameError, Unframer, frame
from ignrun.protocol.orders import (  # fmt: skip
    Answer,
    Check,
    Clear,
    ClearStop,
    HostOrder,
    Item,
    Levels,
    Load,
    Measure,
    Revise,
    Route,
    Routes,
    Start,
    Stop,
)
from ignrun.protocol.orders import Prepare as PrepareOrder
from ignrun.protocol.reports import (
    EXPORT_LIMIT,
    ConfigAsked,
    Exported,
    HealthReport,
    Hello,
    HostReport,
    ImportFault,
    Loaded,
    Logged,
    LogLine,
    Measured,
    Metrics,
    Move,
    Moves,
    Prepared,
    Resumed,
    Revised,
    Stalled,
    Traits,
    Unfinished,
)  # fmt: skip
from ignrun.runtime.engines import believed as checking
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.metric import Metric
from ignrun.terms.states import Health, ModuleState

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RUN_DIR = Path("/run/plant")
FAULT = Fault(FaultKind.RAISED, "why", "startup", "Traceback", "b@gateway")
REPORTS: tuple[HostReport, ...] = (
    Hello(1, "0.1.0", 7, "3.11", "/run/plant/7.peers"),
    Loaded((ImportFault("a@gateway", FAULT),), (Traits("a@gateway", ("run",), ("ask",)),)),
    Moves((Move("a@gateway", 1, ModuleState.STARTING, ModuleState.RUNNING, "x", NOW, 1.0, FAULT, {"url": [1, None]}),)),
    Exported("a@gateway", 1, {"url": {"deep": [1.5, True]}}),
    HealthReport("a@gateway", 1, Health.DEGRADED, "slow"),
    Logged((LogLine("a@gateway", NOW, "info", "text", {"n": 1}),)),
    Unfinished("a@gateway", 1, ("run", "thread x")),
    Stalled("a@gateway", "x.py:1", 2.0),
    Resumed("a@gateway", 2.0),
    Prepared("a@gateway", 1, 7, FAULT),
    Revised("a@gateway", 1, 7, None, {"url": "x"}),
    Metrics((Measured("a@gateway", 1, (Metric("rows", "counter", 2.0, (("kind", "tag"),)),)),)),
    ConfigAsked("a@gateway", 1, 7, "flush", "2s"),
)
ODD: tuple[Any, ...] = (
    None, True, -1, 2**63, 1.5, float("nan"), float("-inf"), "", "x" * 70_000, "\x1b[31m", b"\xff", [], {}, [[[[]]]], {"a": {}}, {1: 2},
    msgspec.msgpack.Ext(5, b"x"), NOW, "move", "hello", list(range(300)),
)  # fmt: skip


def changed(value: Any, chance: random.Random) -> Any:
    """Put something odd in one place of a tree, each place as likely as any other."""
    places = [*_places(value)]
    return _put(value, chance.choice(places), chance.choice(ODD))


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    for key, one in value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ()):
        yield from _places(one, (*at, key))


def _put(value: Any, at: tuple[Any, ...], odd: Any) -> Any:
    if not at:
        return odd
    key, *rest = at
    if isinstance(value, dict):
        return {**value, key: _put(value[key], tuple(rest), odd)}
    return [*value[:key], _put(value[key], tuple(rest), odd), *value[key + 1 :]]


def spoilt(body: bytes, chance: random.Random) -> bytes:
    """Change some bytes: flip, cut, double, or put noise in."""
    match chance.randrange(4):
        case 0:
            at = chance.randrange(len(body))
            return body[:at] + bytes([body[at] ^ (1 << chance.randrange(8))]) + body[at + 1 :]
        case 1:
            return body[: chance.randrange(len(body))]
        case 2:
            return body + body[chance.randrange(len(body)) :]
        case _:
            return chance.randbytes(chance.randrange(1, 64))


def packed(body: bytes, chance: random.Random) -> bytes:
    """Make a frame of a body; once in a while its length is a lie."""
    length = len(body) if chance.random() < 0.95 else chance.choice((0, 1, len(body) + 1, 2**31, 2**32 - 1))
    return struct.pack("!I", length) + body


def bad_frames(messages: tuple[Any, ...], count: int, chance: random.Random) -> Iterator[bytes]:
    """Make so many frames out of these messages."""
    for _ in range(count):
        message = msgspec.msgpack.decode(msgspec.msgpack.encode(chance.choice(messages)))
        if chance.random() < 0.6:
            try:
                body = msgspec.msgpack.encode(changed(message, chance))
            except (OverflowError, TypeError):
                continue
        else:
            body = spoilt(msgspec.msgpack.encode(message), chance)
        yield packed(body, chance)


def survived(data: bytes) -> bool:
    """Read what a host says as the runner does: it is refused as a whole, or small, plain and of the protocol. Anything else raises."""
    reports: Unframer[HostReport] = Unframer(HostReport)
    try:
        for report in reports.feed(data):
            fine = checking.believed(report, RUN_DIR, lambda text: text)
            assert len(frame(fine)) < 2**20, "a report is not small"
            if isinstance(fine, Metrics):
                assert all(map(isfinite, _numbers(msgspec.to_builtins(fine)))), "a figure is none"
            assert all(len(msgspec.json.encode(one)) <= EXPORT_LIMIT for one in _exports(fine)), "exports are not small"
    except FrameError:
        return False
    return True


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict | list | tuple):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _numbers(one)
    elif isinstance(value, float):
        yield value


def _exports(report: HostReport) -> list[Any]:
    match report:
        case Moves(moves):
            return [move.exports for move in moves]
        case Exported(_, _, exports) | Revised(_, _, _, _, exports):
            return [exports]
        case _:
            return []


def odd_orders(addresses: tuple[str, ...], count: int, chance: random.Random) -> Iterator[HostOrder]:
    """Make valid orders that make no sense: for nobody, for yesterday's epoch, twice, in any order."""
    for _ in range(count):
        names = tuple(chance.choice((*addresses, "nobody@gateway", "")) for _ in range(chance.randrange(4)))
        items = tuple(Item(name, chance.choice((-1, 0, 1, 1, 2, 3, 2**40))) for name in names)
        cleared = names if chance.random() < 0.7 else ()
        yield chance.choice((
            Start(items, cleared), Stop(items, cleared), Clear(items), ClearStop(items), Load(()), Check(items, 0.01),
            Measure(chance.choice((-1.0, 0.0, 5.0))), PrepareOrder(()), Revise(()),
            Answer("", 1, chance.choice((-1, 1, 2))), Levels({name: chance.choice(("debug", "info")) for name in names if name}),
            Routes(tuple(Route(name, "/nowhere", ModuleState.RUNNING) for name in names)),
        ))  # fmt: skip
