"""Owns the first look at every request: who may speak to a runner at all, decided before routing."""

import re
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
_OF_BROWSERS: Final = (b"origin", b"sec-fetch-site")


class Guard:
    """Refuses with 403 what a browser was tricked into sending: foreign names of the host, and changes asked for by a page."""

    def __init__(self, app: App) -> None:
        """Take the application that answers the others."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        refusal = refused(scope) if scope["type"] == "http" else "only HTTP is spoken here"
        if not refusal:
            await self._app(scope, receive, send)
            return
        body = msgspec.json.encode(Problem(refusal))
        await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})


def refused(scope: Scope) -> str:
    """Say why a request may not enter, nothing when it may."""
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    hosts = [value for name, value in headers if name.lower() == b"host"]
    if len(hosts) != 1 or not _OUR_HOSTS.match(hosts[0]):
        return "the Host of a request must be `localhost`, `127.0.0.1` or `[::1]`"
    if scope["method"] not in _SAFE and any(name.lower() in _OF_BROWSERS for name, _ in headers):
        return "a request that changes something must not come from a web page"
    return ""
