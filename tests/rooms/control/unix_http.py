"""Owns HTTP over a Unix socket as the standard library speaks it: somebody else's client, which sends what it is told."""

import http.client
import socket


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, patience: float | None) -> None:
        super().__init__("localhost", timeout=patience)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
