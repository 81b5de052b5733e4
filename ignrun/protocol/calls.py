"""Owns what hosts say to each other when a module in one calls or streams from a module in another: two closed sets."""

from typing import Any, Literal

import msgspec

FailureKind = Literal["failed", "unavailable"]
"""`failed`: the method raised or is not provided; `unavailable`: the provider does not run there (any more)."""


class Call(msgspec.Struct, frozen=True, tag="call", array_like=True):
    """Call a method of a provider once; answered by Answer or Failed with the same `id`."""

    id: int
    provider: str
    method: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class Open(msgspec.Struct, frozen=True, tag="open", array_like=True):
    """Open a stream; Items come until `credit` values have been sent, more with each Credit, then End or Failed."""

    id: int
    provider: str
    method: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    credit: int
    overflow: Literal["block", "drop_oldest"]


class Credit(msgspec.Struct, frozen=True, tag="credit", array_like=True):
    """The reader of a stream has taken so many values: as many more may be sent."""

    id: int
    count: int


class Cancel(msgspec.Struct, frozen=True, tag="cancel", array_like=True):
    """Nobody waits for this call or stream any more."""

    id: int


class Answer(msgspec.Struct, frozen=True, tag="answer", array_like=True):
    """What a called method returned."""

    id: int
    value: Any


class Items(msgspec.Struct, frozen=True, tag="items", array_like=True):
    """The next values of a stream, in order."""

    id: int
    values: list[Any]


class End(msgspec.Struct, frozen=True, tag="end", array_like=True):
    """The stream ended of itself."""

    id: int


class Failed(msgspec.Struct, frozen=True, tag="failed", array_like=True):
    """The call or stream came to no good end; `reason` is one line, secrets masked."""

    id: int
    kind: FailureKind
    reason: str


PeerRequest = Call | Open | Credit | Cancel
PeerReply = Answer | Items | End | Failed
