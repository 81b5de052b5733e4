"""Turns what a `tcp` or `http` probe is asked for into host and port, or says why there is none."""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

_LOOPBACK: Final = "127.0.0.1"
_MOST: Final = 65535
_DEFAULTS: Final = {"http": 80, "https": 443}

Endpoint = tuple[str, int]
"""Host and port."""


def tcp_endpoint(argument: Any) -> Endpoint:
    """Read `8080`, `127.0.0.1:8080` or `[::1]:8080`; without a host it is this machine. Raises ValueError."""
    host, colon, port = str(argument).rpartition(":")
    if colon and not host:
        raise ValueError("it names no host before the colon")
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise ValueError(f"an IPv6 address stands in brackets: `[{host}]:{port}`")
    return host.strip("[]") or _LOOPBACK, _port(port)


def http_endpoint(argument: Any) -> Endpoint:
    """Read a URL of `http` or `https`; raises ValueError."""
    url = urlsplit(str(argument))
    if url.scheme not in _DEFAULTS:
        raise ValueError("a URL of `http` or `https` is needed")
    if not url.hostname:
        raise ValueError("it names no host")
    port = url.netloc.rpartition("@")[2].rpartition("]")[2].partition(":")[2]
    return url.hostname, _port(port) if port else _DEFAULTS[url.scheme]


def mistake_in(kind: str, argument: Any) -> str:
    """Say why nobody could ever be asked this; empty where he can, and for probes that connect to nothing."""
    try:
        if kind in _READERS:
            _READERS[kind](argument)
    except ValueError as error:
        return str(error)
    return ""


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"`{text}` is no port")
    number = int(text) if len(text) <= len(str(_MOST)) else _MOST + 1
    if not 0 < number <= _MOST:
        raise ValueError(f"a port is a number from 1 to {_MOST}")
    return number


_READERS: Final[dict[str, Callable[[Any], Endpoint]]] = {"tcp": tcp_endpoint, "http": http_endpoint}
