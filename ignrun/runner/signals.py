"""Turns signals into the wish that the plant go down."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from typing import Final

_CODES: Final = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


@contextlib.contextmanager
def ending_by_signal(ask_down: Callable[[str, int], None]) -> Iterator[None]:
    """Call `ask_down(name, exit code)` in the running loop whenever Ctrl-C, TERM or, where it is not ignored, HUP comes."""
    loop = asyncio.get_running_loop()
    heeded = [one for one in _CODES if signal.getsignal(one) is not signal.SIG_IGN]
    for one in heeded:
        loop.add_signal_handler(one, ask_down, one.name, _CODES[one])
    try:
        yield
    finally:
        for one in heeded:
            loop.remove_signal_handler(one)
