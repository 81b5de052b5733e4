"""Turns messages into server-sent events, and their lines back into messages."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

MEDIA_TYPE: Final = "text/event-stream"

STILL_HERE: Final = b": still here\n\n"
"""A comment: readers skip it, and either end notices when the other is gone."""

BEGINNING: Final = b"retry: 2000\n\n"
"""The first words of a stream: after how many milliseconds a browser asks again when it has broken off."""


class Message(msgspec.Struct, frozen=True):
    """One message: its data (JSON on one line), its kind (empty for the usual one) and the id by which a reader resumes."""

    data: bytes
    kind: str = ""
    id: str = ""


def written(message: Message) -> bytes:
    """Write a message; its data must be one line."""
    head = (f"event: {message.kind}\n" if message.kind else "") + (f"id: {message.id}\n" if message.id else "")
    return head.encode() + b"data: " + message.data + b"\n\n"


def messages(lines: Iterable[bytes]) -> Iterator[Message]:
    """Read the messages of a stream from its lines; comments and what was cut short are left out."""
    fields: dict[bytes, bytes] = {}
    for line in lines:
        text = line.rstrip(b"\r\n")
        if text:
            name, _, value = text.partition(b":")
            fields[name] = value.removeprefix(b" ")
        else:
            if b"data" in fields:
                yield Message(fields[b"data"], fields.get(b"event", b"").decode(), fields.get(b"id", b"").decode())
            fields = {}
