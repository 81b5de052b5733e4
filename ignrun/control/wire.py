"""Owns the bodies of requests and answers that cross the control socket and are not public reports of their own."""

from typing import Final, Literal

import msgspec

from ignrun.render.outcome import OutcomeReport
from ignrun.terms.events import Event

BODY_LIMIT: Final = 1024 * 1024
"""Largest body of a request in bytes."""


class ApplyOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an apply is to go, where that differs from what the manifest says.

    `soak` is in seconds; `on_failure` what a change that turns out bad leads to; `retry` tries what was rejected or rolled back
    before; `watch` has later changes of the files applied, `code` those of the code, too; `no_start` leaves new instances down.
    """

    soak: float | None = None
    on_failure: Literal["rollback", "hold", "exit"] | None = None
    retry: bool = False
    watch: bool = False
    code: bool = False
    no_start: bool = False


class ApplyRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client hands over so that the runner reads the manifest as the client would; paths are absolute.

    The fields of Inputs but those that are the runner's own (`state_dir`, the key of fingerprints). `environment` holds the
    client's variables; `by` names who asks, for the journal.
    """

    manifest: str
    root: str
    python: str = ""
    modes: tuple[str, ...] = ()
    vars: dict[str, str] = {}
    sets: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    strict_env: bool = False
    locked: bool = False
    allowed: tuple[str, ...] = ()
    options: ApplyOptions = ApplyOptions()
    by: str = ""

    def __repr__(self) -> str:
        """Show what is asked for and nothing of the environment, which may hold secrets."""
        return f"ApplyRequest({self.manifest!r}, {len(self.environment)} variables)"


class DownRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who asks the plant to go down."""

    by: str = ""


class AskRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who asks something of one instance; `off` ends a maintenance instead of beginning it."""

    by: str = ""
    off: bool = False


Verb = Literal["restart", "start", "stop", "maintenance", "resume"]
"""What can be asked of an instance; `resume` is the maintenance route with `off`."""


class AskReply(msgspec.Struct, frozen=True):
    """What was asked of an instance holds now."""

    address: str
    verb: Verb


class Problem(msgspec.Struct, frozen=True, tag="problem"):
    """Why a request was refused: a plain statement and what to do about it; the HTTP status stands beside it.

    `kind` names the Failure behind it (`LockHeld`, ..), so that a client can end with the same exit code.
    """

    summary: str
    hint: str = ""
    kind: str = ""


class Progressed(msgspec.Struct, frozen=True, tag="event"):
    """Something happened while an apply was under way."""

    event: Event


class Ended(msgspec.Struct, frozen=True, tag="outcome"):
    """The apply has come to its outcome; nothing follows."""

    outcome: OutcomeReport


ApplyLine = Progressed | Ended | Problem
"""One line of the answer to an apply: events as they come, then the outcome or a problem."""
