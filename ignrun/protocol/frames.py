"""Turns messages into length-prefixed msgpack frames and back, refusing what is too long or not of the type."""

import struct
from collections.abc import Iterator
from functools import cache
from typing import Any, Final, Generic, TypeVar

import msgspec

T = TypeVar("T")

LIMIT: Final = 16 * 2**20
"""Largest body of one frame in bytes."""

UNSENDABLE: Final = (TypeError, ValueError, OverflowError, RecursionError)
"""What `frame` raises for values that are not msgpack's, too long or nested too deeply."""

_LENGTH: Final = struct.Struct("!I")


class FrameError(ValueError):
    """What arrived is not a frame of this protocol; the connection cannot be trusted any further."""


def frame(message: object) -> bytes:
    """Turn one message into its frame; raises FrameError when it is over the limit."""
    body = msgspec.msgpack.encode(message)
    if len(body) > LIMIT:
        text = f"a frame of {len(body)} bytes is over the limit of {LIMIT}"
        raise FrameError(text)
    return _LENGTH.pack(len(body)) + body


@cache
def decoder_of(message_type: object) -> msgspec.msgpack.Decoder[Any]:
    """Give the decoder of a Struct or a tagged union, which takes a millisecond to make: one for the whole process."""
    return msgspec.msgpack.Decoder(message_type)  # type: ignore[call-overload, no-any-return, unused-ignore]


class Unframer(Generic[T]):
    """Owns the bytes of one connection that are not a whole frame yet."""

    def __init__(self, message_type: object) -> None:
        """Prepare to read frames whose bodies are of `message_type` (a Struct or a tagged union)."""
        self._decoder: msgspec.msgpack.Decoder[T] = decoder_of(message_type)
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[T]:
        """Take received bytes and yield every message that is complete; raises FrameError."""
        self._buffer += data
        at = 0
        try:
            while len(self._buffer) - at >= _LENGTH.size:
                (length,) = _LENGTH.unpack_from(self._buffer, at)
                if length > LIMIT:
                    text = f"a frame of {length} bytes is announced, the limit is {LIMIT}"
                    raise FrameError(text)
                end = at + _LENGTH.size + length
                if len(self._buffer) < end:
                    break
                body = bytes(self._buffer[at + _LENGTH.size : end])
                at = end
                yield self._decoded(body)
        finally:
            del self._buffer[:at]

    def _decoded(self, body: bytes) -> T:
        try:
            return self._decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            text = f"a frame does not fit the protocol: {error}"
            raise FrameError(text) from error
