"""Tells the service manager that started this runner how far it is: up, busy, going down (sd_notify)."""

import os
import socket
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Final

VARIABLE: Final = "NOTIFY_SOCKET"


class ServiceNotice:
    """What is said to whoever may have started this process and waits to hear from it; without one nothing is."""

    def __init__(self, environment: MutableMapping[str, str]) -> None:
        """Take the address out of the environment: no child is to speak in the runner's name."""
        self._address = environment.pop(VARIABLE, "")

    def ready(self, status: str) -> None:
        """Say that the plant is up as far as it will be, in a line for people."""
        self._say(f"READY=1\nSTATUS={_line(status)}\nMAINPID={os.getpid()}")

    def busy(self, status: str) -> None:
        """Say in a line for people what is going on."""
        self._say(f"STATUS={_line(status)}")

    def stopping(self) -> None:
        """Say that the plant is going down."""
        self._say("STOPPING=1\nSTATUS=going down")

    def _say(self, text: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as door:
            door.sendto(text.encode(errors="replace"), address)


def _line(text: str) -> str:
    return " ".join(text.split())
