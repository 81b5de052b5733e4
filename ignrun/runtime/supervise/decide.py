"""Decides what runs next: looks at everybody who was touched, and at those around them, until nobody has anything left to do."""

from ignrun.runtime.supervise import hosts, order
from ignrun.runtime.supervise.draft import Draft


def decide(draft: Draft) -> None:
    """Work off what is dirty: instances first, then hosts, which may make instances dirty again."""
    while draft.dirty or draft.dirty_hosts:
        while draft.dirty:
            dirty, draft.dirty = draft.dirty, {}
            for address in dirty:
                order.consider(draft, address)
        touched, draft.dirty_hosts = draft.dirty_hosts, {}
        for host in touched:
            hosts.consider(draft, host)
