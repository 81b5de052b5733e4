"""Owns Fault, the reason why an instance cannot run now."""

import enum

import msgspec


class FaultKind(enum.Enum):
    """What sort of thing went wrong; policy is chosen by it."""

    RAISED = "raised"  # a callback raised
    TIMED_OUT = "timed-out"  # a callback, a probe or a stop did not end in time
    OVERDUE = "overdue"  # a callback did not end in time, and goes on all the same
    NOT_READY = "not-ready"  # the module raised NotReady
    FATAL = "fatal"  # the module raised Fatal: no retry
    REJECTED = "rejected"  # the module raised Reject: this change is refused, nothing has happened
    IMPORT = "import"  # its code could not be imported
    EXITED = "exited"  # its process ended
    NOT_STARTED = "not-started"  # its process could not be started
    UNHEALTHY = "unhealthy"  # health checks failed
    UPSTREAM = "upstream"  # a required provider failed
    SECRET = "secret"  # a secret that it needs is not to be had  # noqa: S105 - a word, not a password
    PROTOCOL = "protocol"  # its host said something that the contract does not allow


class Fault(msgspec.Struct, frozen=True):
    """Why an instance cannot run now: journaled, shown, and the driver of restart policy.

    `summary` is one plain line; `callback` the module callback concerned; `detail` a traceback or output tail with
    secrets masked; `upstream` the address of the instance that is the root cause.
    """

    kind: FaultKind
    summary: str
    callback: str = ""
    detail: str = ""
    upstream: str = ""
