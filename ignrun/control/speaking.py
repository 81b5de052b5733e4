"""Turns one request into bytes on a socket, and the bytes that come back into an answer; quicker to import than `http.client`."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from io import BufferedReader
from typing import Final

_LONGEST_LINE: Final = 16 * 2**20
_MOST_HEADERS: Final = 100


class Answer:
    """An answer whose body is still on its way; raises ConnectionError where it is cut short, TimeoutError where it is late."""

    def __init__(self, reader: BufferedReader) -> None:
        """Take what a connection says and read the head of it."""
        self._reader = reader
        self.status = _status_of(_line(reader))
        self._headers = dict(_headers(reader))

    def close(self) -> None:
        """Let go of the connection; what is still on its way is not waited for."""
        self._reader.close()

    def read(self) -> bytes:
        """Give the whole body."""
        return b"".join(self._pieces())

    def lines(self) -> Iterator[bytes]:
        """Give the body line by line, each as soon as it is there; ends where the runner does, in good order or not."""
        rest = b""
        with suppress(ConnectionError):
            for piece in self._pieces():
                *whole, rest = (rest + piece).split(b"\n")
                yield from whole

    def _pieces(self) -> Iterator[bytes]:
        if self._headers.get(b"transfer-encoding", b"").lower() == b"chunked":
            while size := _size_of(_line(self._reader)):
                yield _exactly(self._reader, size)
                _line(self._reader)
        elif (length := self._headers.get(b"content-length")) is not None:
            yield _exactly(self._reader, _number(length, 10))
        else:
            yield self._reader.read()


def send(connection: socket.socket, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
    """Send one request over a connection, which is not used again, and give the answer once its head is there."""
    told = {"Host": "localhost", "Connection": "close", **headers, "Content-Length": str(len(body or b""))}
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    connection.sendall(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("ascii") + (body or b""))
    reader = connection.makefile("rb")
    try:
        return Answer(reader)
    except OSError:
        reader.close()
        raise


def _status_of(line: bytes) -> int:
    version, _, rest = line.partition(b" ")
    if not version.startswith(b"HTTP/1."):
        raise ConnectionError("this is no answer")
    return _number(rest[:3], 10)


def _headers(reader: BufferedReader) -> Iterator[tuple[bytes, bytes]]:
    for _ in range(_MOST_HEADERS):
        line = _line(reader)
        if not line:
            return
        name, _, value = line.partition(b":")
        yield name.strip().lower(), value.strip()
    raise ConnectionError("an answer with too many headers")


def _line(reader: BufferedReader) -> bytes:
    line = reader.readline(_LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise ConnectionError("the answer is cut short")
    return line.rstrip(b"\r\n")


def _size_of(line: bytes) -> int:
    return _number(line.partition(b";")[0], 16)


def _number(text: bytes, base: int) -> int:
    try:
        return int(text, base)
    except ValueError:
        raise ConnectionError("this is no number") from None


def _exactly(reader: BufferedReader, size: int) -> bytes:
    data = reader.read(size)
    if len(data) < size:
        raise ConnectionError("the answer is cut short")
    return data
