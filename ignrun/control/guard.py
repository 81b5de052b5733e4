"""Owns the first look at every request: who may speak to a runner at all, decided before routing."""

import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import msgspec

from ignrun.control.wire import Problem

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
"""An ASGI application, as servers call it."""

_OUR_HOSTS: Final = re.compile(rb"(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?\Z", re.IGNORECASE)
_SAFE: Final = frozenset({"GET", "HEAD"})
_OWN_PAGES: Final = frozenset({b"same-origin", b"none"})
"""What browsers say in Sec-Fetch-Site of a request that no other site had a hand in."""


class Guard:
    """Refuses with 403 what a browser was tricked into sending: foreign names of the host, and changes asked for by a page.

    With `pages` the runner's own pages may change something: their Origin is the very host that the request names.
    """

    def __init__(self, app: App, *, pages: bool = False) -> None:
        """Take the application that answers the others."""
        self._app = app
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        refusal = refused(scope, pages=self._pages) if scope["type"] == "http" else "only HTTP is spoken here"
        if refusal:
            await _refuse(send, 403, Problem(refusal))
        else:
            await self._app(scope, receive, send)


class TokenGate:
    """Refuses with 401 whoever does not show the token of the plant, whatever he asks for."""

    def __init__(self, app: App, token: str) -> None:
        """Take the application that answers those who have it."""
        self._app = app
        self._wanted = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if secrets.compare_digest(_only(scope, b"authorization") or b"", self._wanted):
            await self._app(scope, receive, send)
            return
        problem = Problem("this address needs the token of the plant", "it is in the file `token` of the state folder")
        await _refuse(send, 401, problem, (b"www-authenticate", b"Bearer"))


def refused(scope: Scope, *, pages: bool = False) -> str:
    """Say why a request may not enter, nothing when it may."""
    host = _only(scope, b"host")
    if host is None or not _OUR_HOSTS.match(host):
        return "the Host of a request must be `localhost`, `127.0.0.1` or `[::1]`"
    if scope["method"] not in _SAFE and not _is_no_page(scope) and not (pages and _is_own_page(scope, host)):
        return "a request that changes something must not come from a web page"
    return ""


def _is_no_page(scope: Scope) -> bool:
    return not _all(scope, b"origin") and not _all(scope, b"sec-fetch-site")


def _is_own_page(scope: Scope, host: bytes) -> bool:
    sites = _all(scope, b"sec-fetch-site")
    return _only(scope, b"origin") == b"http://" + host and all(site in _OWN_PAGES for site in sites)


def _all(scope: Scope, wanted: bytes) -> list[bytes]:
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    return [value for name, value in headers if name.lower() == wanted]


def _only(scope: Scope, wanted: bytes) -> bytes | None:
    found = _all(scope, wanted)
    return found[0] if len(found) == 1 else None


async def _refuse(send: Send, status: int, problem: Problem, *headers: tuple[bytes, bytes]) -> None:
    body = msgspec.json.encode(problem)
    length = str(len(body)).encode()
    given = [(b"content-type", b"application/json"), (b"content-length", length), *headers]
    await send({"type": "http.response.start", "status": status, "headers": given})
    await send({"type": "http.response.body", "body": body})
