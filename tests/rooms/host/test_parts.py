"""Holds the small parts of a host: masks, faults, feeds and the frames of peers."""

import asyncio
import logging
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ignrun.host.config import dotted, settle
from ignrun.host.faults import fault_of
from ignrun.host.feed import Feed
from ignrun.host.logs import set_level
from ignrun.host.masking import Masker
from ignrun.host.sharing import Sharing
from ignrun.protocol.calls import Answer, Call, Cancel, Credit, End, Failed, Items, Open, PeerReply, PeerRequest
from ignrun.protocol.frames import Unframer, frame
from ignrun.protocol.orders import Assignment
from ignrun.sdk.settings import ConfigRefused
from ignrun.sdk.surroundings import logger_of
from ignrun.terms.leaves import ExportNamed, Pending
from ignrun.terms.secret import MASK, Secret
from tests.rooms.host.harness import assignment


@given(st.text(min_size=3).filter(lambda text: len(text.strip()) >= 3 and text not in MASK), st.text(), st.text())
def test_a_known_secret_never_shows_plain_quoted_or_as_json(secret, before, after) -> None:
    masker = Masker()
    masker.learn(secret)
    for look in (secret, repr(secret), msgspec.json.encode(secret).decode()):
        assert secret not in masker.mask(f"{before}{look}{after}").replace(MASK, "\0")


def test_the_longest_secret_is_masked_whole() -> None:
    masker = Masker()
    masker.learn("abc")
    masker.learn("abcdef")
    assert masker.mask("x abcdef abc") == f"x {MASK} {MASK}"


def test_a_line_of_a_long_secret_is_masked_too() -> None:
    masker = Masker()
    masker.learn("-----BEGIN-----\nMIIEvgIBADANB\n-----END-----\n")
    assert masker.mask("error near MIIEvgIBADANB") == f"error near {MASK}"


class HostileError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text for you")


def raised(depth: int, error: BaseException) -> BaseException:
    try:
        if depth:
            raised_deeper(depth, error)
        raise error  # noqa: TRY301 - to be caught here
    except BaseException as caught:
        return caught


def raised_deeper(depth: int, error: BaseException) -> None:
    if depth:
        raised_deeper(depth - 1, error)
    raise error


def test_a_fault_has_one_line_and_the_last_frames() -> None:
    fault = fault_of(raised(60, ValueError("two\nlines " + "x" * 9000)), "startup", Masker())
    assert "\n" not in fault.summary
    assert len(fault.summary) < 500
    assert fault.detail.count("in raised_deeper") <= 20


def test_an_exception_without_a_text_still_makes_a_fault() -> None:
    fault = fault_of(raised(0, HostileError()), "startup", Masker())
    assert "its text cannot be had: RuntimeError" in fault.summary


REQUESTS: list[PeerRequest] = [
    Call(1, "a@gateway", "rows", (1, "x"), {"k": None}),
    Open(2, "a@gateway", "changes", (), {}, 8, "drop_oldest"),
    Credit(2, 4),
    Cancel(1),
]
REPLIES: list[PeerReply] = [Answer(1, {"a": [1]}), Items(2, [1, "x", None]), End(2), Failed(1, "failed", "why")]


@pytest.mark.parametrize(("kind", "messages"), [(PeerRequest, REQUESTS), (PeerReply, REPLIES)])
def test_frames_of_peers_survive_the_wire(kind, messages) -> None:
    def received(one: Any) -> Any:
        return Call(one.id, one.provider, one.method, tuple(one.args), one.kwargs) if isinstance(one, Call) else one

    unframer: Unframer[Any] = Unframer(kind)
    data = b"".join(frame(one) for one in messages)
    found = [one for at in range(len(data)) for one in unframer.feed(data[at : at + 1])]
    assert [received(one) for one in found] == messages


async def test_a_feed_makes_its_writer_wait_and_gives_everything_in_order() -> None:
    feed = Feed(2, "block")

    async def write() -> None:
        for number in range(10):
            await feed.put(number)
        feed.end()

    writer = asyncio.create_task(write())
    found: list[int] = []
    while values := await feed.take():
        assert len(values) <= 2
        found += values
    await writer
    assert found == list(range(10))


async def test_a_feed_that_drops_keeps_the_newest() -> None:
    feed = Feed(3, "drop_oldest")
    for number in range(10):
        await feed.put(number)
    feed.end(ValueError("over"))
    assert await feed.take() == [7, 8, 9]
    with pytest.raises(ValueError, match="over"):
        await feed.take()


def test_a_config_is_filled_wrapped_and_its_secrets_learnt(tmp_path) -> None:
    masker = Masker()
    given_ = assignment(
        "a@gateway",
        "x:y",
        tmp_path,
        config={"db": {"password": "hunter2"}, "url": None},
        pending=(Pending(("url",), (ExportNamed("b@gateway", "url"),)),),
        secrets=(("db", "password"),),
    )
    values = settle(given_, lambda _: {"url": "u"}, masker)
    assert values == {"db": {"password": Secret("hunter2")}, "url": "u"}
    assert masker.mask("hunter2") == MASK
    with pytest.raises(ConfigRefused, match="`b@gateway` does not export `url`"):
        settle(given_, lambda _: {}, masker)


def test_a_path_is_written_as_people_do() -> None:
    assert dotted(("servers", 0, "port")) == "servers[0].port"


@pytest.fixture
def loggers():
    root = logging.getLogger()
    level, known = root.level, {*logging.root.manager.loggerDict}
    root.setLevel(logging.INFO)
    yield logging.root.manager.loggerDict
    root.setLevel(level)
    for name in {*logging.root.manager.loggerDict} - known:
        del logging.root.manager.loggerDict[name]


def test_a_level_that_goes_without_saying_makes_no_logger(loggers) -> None:
    set_level("quiet@gateway", "info")
    assert "ignrun.instance.quiet@gateway" not in loggers


def test_the_level_of_an_instance_can_be_set_and_set_back(loggers) -> None:
    log = logger_of("loud@gateway")
    assert not log.isEnabledFor(logging.DEBUG)
    set_level("loud@gateway", "debug")
    assert log.isEnabledFor(logging.DEBUG)
    set_level("loud@gateway", "info")
    assert not log.isEnabledFor(logging.DEBUG)
    set_level("fresh@gateway", "error")
    assert not logger_of("fresh@gateway").isEnabledFor(logging.WARNING)


def test_what_many_assignments_say_alike_is_kept_once(tmp_path) -> None:
    sharing = Sharing()
    first, second = (msgspec.msgpack.decode(msgspec.msgpack.encode(assignment(f"{name}@gateway", "plant:Part", tmp_path)), type=Assignment) for name in "ab")  # fmt: skip
    assert first.timeouts is not second.timeouts
    for one in (first, second):
        sharing.share(one)
    assert all(getattr(first, name) is getattr(second, name) for name in ("entry", "path", "timeouts", "plant"))
    assert (first.address, second.address) == ("a@gateway", "b@gateway")
