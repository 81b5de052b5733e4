"""Turns addresses and paths into the short forms that people see."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

GATEWAY: Final = "@gateway"

ShortName = Callable[[str], str]
"""Turns an address into what people see of it."""


def short_names(addresses: Iterable[str]) -> ShortName:
    """Hide `@gateway` while every address has it: a plant with one scope needs no scopes in its output."""
    if all(address.endswith(GATEWAY) for address in addresses):
        return lambda address: address.removesuffix(GATEWAY)
    return str


def dotted(path: Sequence[str | int]) -> str:
    """Write a path as people do: `("config", "servers", 0, "port")` -> `config.servers[0].port`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def relative_to(folder: str) -> Callable[[str], str]:
    """Give a function that shortens paths below `folder` and leaves the others alone."""
    base = Path(folder)

    def shorten(file: str) -> str:
        path = Path(file)
        return str(path.relative_to(base)) if path.is_absolute() and path.is_relative_to(base) else file

    return shorten
