"""Owns nasty children: commands that do what they can not to be ended, by name."""

from typing import Final

_PREAMBLE: Final = "import os, signal, sys, time\n"
_STAY: Final = "print('up', flush=True)\nwhile True: time.sleep(1000)\n"

NASTY: Final = {
    "ignores-term": "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + _STAY,
    "stopped": "print('up', flush=True)\nos.kill(os.getpid(), signal.SIGSTOP)\ntime.sleep(1000)\n",
    "double-fork": "if os.fork() == 0:\n    if os.fork() == 0:\n        signal.signal(15, signal.SIG_IGN)\n        time.sleep(1000)\n    os._exit(0)\n"
    + _STAY,
    "setsid": "if os.fork() == 0:\n    os.setsid()\n    signal.signal(15, signal.SIG_IGN)\n    time.sleep(1000)\n"
    + _STAY,
    "pipe-held": "heard, told = os.pipe()\nif os.fork() == 0:\n    if os.fork() == 0:\n        os.setsid()\n        print('held', flush=True)\n        os.write(told, b'.')\n        time.sleep(1000)\n    os._exit(0)\nos.read(heard, 1)\n"
    + _STAY,
    "many": "for _ in range(200):\n    if os.fork() == 0:\n        signal.signal(15, signal.SIG_IGN)\n        time.sleep(1000)\n"
    + _STAY,
    "forks-on-term": "def again(*_):\n    if os.fork() == 0:\n        os.setsid()\n        time.sleep(1000)\nsignal.signal(signal.SIGTERM, again)\n"
    + _STAY,
    "closes-all": "print('up', flush=True)\nos.closerange(0, 256)\nsignal.signal(15, signal.SIG_IGN)\nwhile True: time.sleep(1000)\n",
}
"""The program of each, which prints `up` when it is as nasty as it gets."""


def program(name: str) -> str:
    """Give the source of a nasty child."""
    return _PREAMBLE + NASTY[name]
