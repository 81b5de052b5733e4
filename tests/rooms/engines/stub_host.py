"""Turns a forked process into a host of the tests: what it does is said by its name."""

import os
import re
import resource
import signal
import subprocess
import sys
import time

import ignrun
from ignrun.protocol.frames import Unframer, frame
from ignrun.protocol.orders import HostOrder, Load, Quit
from ignrun.protocol.reports import PROTOCOL, Exported, Hello, Loaded, Logged, LogLine, Unfinished


def main(sock, host_id: str, run_dir: str) -> int:
    kind = host_id.partition(".")[0]
    if kind == "raises":
        raise RuntimeError("this host cannot serve")
    if kind == "babbles":
        sock.sendall(b"\0\0\0\5hello")
        time.sleep(60)
    if kind == "family":
        subprocess.Popen(["sleep", "1000"], start_new_session=True)
        subprocess.Popen(["sleep", "1000"], start_new_session=True, env={})
    if kind in ("limited", "free"):
        _say_limits(greedy=host_id.endswith("greedy"))
    socket = "/tmp/elsewhere" if kind == "lures" else f"{run_dir}/{os.getpid()}.peers"
    sock.sendall(frame(Hello(PROTOCOL, ignrun.__version__, os.getpid(), "3", socket)))
    if kind == "deaf":
        time.sleep(60)
    if kind == "stopped":
        os.kill(os.getpid(), signal.SIGSTOP)
    if kind == "regex":
        re.match(r"(a+)+$", "a" * 60 + "b")
    if kind == "exports":
        sock.sendall(frame(Exported("a@gateway", 1, {"a": "x" * 100_000})))
    if kind == "leaves":
        sock.sendall(frame(Unfinished("a@gateway", 1, ("thread `pass" + "word`",))))
    if kind == "hangs-up":
        sock.close()
        time.sleep(60)
    return _obey(sock)


def _obey(sock) -> int:
    from datetime import UTC, datetime

    orders: Unframer[HostOrder] = Unframer(HostOrder)
    while data := sock.recv(65536):
        for order in orders.feed(data):
            match order:
                case Load(assignments):
                    line = LogLine("", datetime.now(UTC), "info", f"{len(assignments)} to load")
                    sock.sendall(frame(Logged((line,))) + frame(Loaded()))
                    sys.stdout.write("loaded\n")
                    sys.stderr.write("pass" + "word\n")
                case Quit():
                    return 3
    return 0


def _say_limits(*, greedy: bool) -> None:
    memory, descriptors = (resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_NOFILE))
    processors = len(os.sched_getaffinity(0))
    sys.stdout.write(f"memory {memory}, descriptors {descriptors}, processors {processors}\n")
    if greedy:
        try:
            bytearray(2**30)
        except MemoryError:
            sys.stdout.write("no more memory\n")
        else:
            sys.stdout.write("a gigabyte\n")
    sys.stdout.flush()
