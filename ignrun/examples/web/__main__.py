"""Turns the file of a historian into a page on a local port, until it is told to stop."""

import hmac
import os
import signal
import sqlite3
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from ignrun.examples.historian.store import Store
from ignrun.examples.web.page import page

_SHOWN: Final = 60
_EXPORTED: Final = 10_000
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


class Config(msgspec.Struct, frozen=True):
    """What the file named in `IGNRUN_CONFIG` holds; `token` opens `/export.json`."""

    port: int
    database: str
    token: str
    title: str = "Tags"


class Server(ThreadingHTTPServer):
    """A local server that knows its config."""

    daemon_threads = True

    def __init__(self, config: Config) -> None:
        super().__init__(("127.0.0.1", config.port), Door)
        self.config = config


class Door(BaseHTTPRequestHandler):
    """Answers `/` with the page, `/healthz` with whether there is a history, `/export.json` with all of it to whoever has the token."""

    server: Server
    server_version = "ignrun-example"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer one request; a history that cannot be read is answered with 503."""
        try:
            store = Store(Path(self.server.config.database), read_only=True)
        except sqlite3.Error as error:
            return self._answer(HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", f"no history: {error}\n")
        try:
            return self._answer(*self._found(urlsplit(self.path).path, store))
        except sqlite3.Error as error:
            return self._answer(HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", f"no history: {error}\n")
        finally:
            store.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own names
        """Stay silent about single requests."""

    def _found(self, path: str, store: Store) -> tuple[HTTPStatus, str, str]:
        latest = store.latest()
        match path:
            case "/":
                history = {one["tag"]: _values(store, one["tag"]) for one in latest}
                return HTTPStatus.OK, "text/html", page(self.server.config.title, latest, history)
            case "/healthz":
                return HTTPStatus.OK, "text/plain", f"{store.count()} changes\n"
            case "/export.json" if not self._has_token():
                return HTTPStatus.UNAUTHORIZED, "text/plain", "a token is needed\n"
            case "/export.json":
                rows = [row for one in latest for row in store.rows(one["tag"], _EXPORTED)]
                return HTTPStatus.OK, "application/json", msgspec.json.encode(rows).decode()
            case _:
                return HTTPStatus.NOT_FOUND, "text/plain", "no such page\n"

    def _has_token(self) -> bool:
        given = self.headers.get("Authorization", "").encode()
        return hmac.compare_digest(given, f"Bearer {self.server.config.token}".encode())

    def _answer(self, status: HTTPStatus, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)


def _values(store: Store, tag: str) -> list[float]:
    return [row["value"] for row in store.rows(tag, _SHOWN) if row["value"] is not None]


def main() -> int:
    """Serve until SIGTERM or SIGINT; 1 when the port is taken, 2 without a config."""
    try:
        config = msgspec.json.decode(Path(os.environ["IGNRUN_CONFIG"]).read_bytes(), type=Config)
    except (KeyError, OSError, msgspec.DecodeError) as error:
        sys.stderr.write(f"IGNRUN_CONFIG names no config of this program: {error}\n")
        return 2
    try:
        server = Server(config)
    except OSError as error:
        sys.stderr.write(f"port {config.port} cannot be served: {error.strerror}\n")
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    sys.stdout.write(f"serving http://127.0.0.1:{config.port}/\n")
    sys.stdout.flush()
    with server:
        server.serve_forever(poll_interval=0.1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
