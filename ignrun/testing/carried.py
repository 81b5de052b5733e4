"""Turns values into what they are in another host: refused where they cannot be sent, so that a test finds out and not a plant."""

from typing import Any

import msgspec

from ignrun.protocol.frames import UNSENDABLE
from ignrun.sdk.raised import CallFailed

ARGUMENTS = "arguments are values of msgpack's types"


def returned(method: str, value: Any) -> Any:
    """Give what arrives of what a method returned; raises CallFailed."""
    return _carried(value, f"`{method}` returned what cannot be sent")


def yielded(method: str, value: Any) -> Any:
    """Give what arrives of one value of a stream; raises CallFailed."""
    return _carried(value, f"`{method}` yielded what cannot be sent")


def arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Give what arrives of the arguments of a call; raises CallFailed."""
    given, named = _carried([args, kwargs], ARGUMENTS)
    return tuple(given), named


def _carried(value: Any, otherwise: str) -> Any:
    try:
        return msgspec.msgpack.decode(msgspec.msgpack.encode(value))
    except UNSENDABLE as error:
        message = f"{otherwise}: {error}"
        raise CallFailed(message) from error
