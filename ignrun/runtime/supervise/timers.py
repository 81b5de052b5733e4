"""Owns the times at which a roster has to be looked at again without anybody having said anything."""

from ignrun.runtime.supervise import hosts, silence, slowness
from ignrun.runtime.supervise.draft import Draft


def fire(draft: Draft) -> None:
    """Have everybody looked at whose time has come."""
    now = draft.now.mono
    for address in [a for a, due in draft.retries.items() if due <= now]:
        del draft.retries[address]
        draft.dirty[address] = None
    slowness.look(draft)
    for host in [h for h, due in draft.host_retries.items() if due <= now]:
        del draft.host_retries[host]
        draft.mark_members(host)
    for host in [h for h, due in draft.watched.items() if due <= now]:
        del draft.watched[host]
        record = draft.hosts.get(host)
        fault = silence.judge(draft, record) if record is not None else None
        if record is not None and fault is not None:
            hosts.blame(draft, record, fault)


def earliest(draft: Draft) -> float | None:
    """Give the earliest time that somebody waits for; None when nobody does."""
    looks = () if draft.slow_look is None else (draft.slow_look,)
    return min((*draft.retries.values(), *draft.host_retries.values(), *draft.watched.values(), *looks), default=None)
