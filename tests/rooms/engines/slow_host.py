"""Owns a host that takes its time to be imported, so that its template does."""

import time

time.sleep(1.5)


def main(*_) -> int:
    return 0
