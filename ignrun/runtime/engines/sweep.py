"""Owns the end of what a dead runner left behind: processes with the plant's marker, ended before anything new is started."""


def sweep(token: str, grace: float = 2.0) -> tuple[str, ...]:
    """End every process of this user with the plant's marker and return their markers (without the token).

    The caller holds the plant's lock, so whoever carries the marker was left by a dead runner; this process and its ancestors are
    spared. A guardian still at work is given its time. Blocks: call it before the loop runs, in a process that is threadless.
    """
    raise NotImplementedError
