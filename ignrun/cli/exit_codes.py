"""Owns ExitCode, what the exit status of every command means, and which failure ends in which."""

import enum
from collections.abc import Iterable
from typing import Final

from ignrun.terms.diagnostics import Diagnostic, Severity
from ignrun.terms.failure import (
    AmbiguousPlant,
    Failure,
    LockHeld,
    NoRunner,
    RunnerRefused,
    StalePlan,
    StateFolderFailure,
    WaitTimedOut,
)


class ExitCode(enum.IntEnum):
    """The exit status of a command: documented in docs/reference/exit-codes.md, stable."""

    DONE = 0
    FAILURE = 1
    USAGE = 2
    INVALID = 3
    VERSIONS = 4
    LOCKED = 5
    ROLLED_BACK = 6
    ROLLBACK_PARTIAL = 7
    STALE = 8
    POLICY = 9
    CHANGES = 10
    UNHEALTHY = 11
    TIMED_OUT = 12
    NO_RUNNER = 13
    BUG = 70
    INTERRUPTED = 130
    TERMINATED = 143


MEANINGS: Final[dict[ExitCode, str]] = {
    ExitCode.DONE: "done; `plan` ends so even with changes",
    ExitCode.FAILURE: "failure: the world or the operator is in the way, the message says how",
    ExitCode.USAGE: "usage: an option or argument is wrong, or several plants could be meant",
    ExitCode.INVALID: "the manifest is invalid, or an apply was rejected while preparing; nothing was touched",
    ExitCode.VERSIONS: "versions cannot be resolved",
    ExitCode.LOCKED: "the lock is held, or the state folder cannot be used",
    ExitCode.ROLLED_BACK: "the apply failed and was rolled back",
    ExitCode.ROLLBACK_PARTIAL: "the apply failed and could be rolled back only in part",
    ExitCode.STALE: "the plan is stale: its base has moved",
    ExitCode.POLICY: "a policy refused the plan",
    ExitCode.CHANGES: "changes are present (only with `plan --detailed-exitcode`)",
    ExitCode.UNHEALTHY: "unhealthy or held: not everything has arrived",
    ExitCode.TIMED_OUT: "the client's own wait timed out; the runner goes on",
    ExitCode.NO_RUNNER: "no runner is there to do it",
    ExitCode.BUG: "a bug in ignrun",
    ExitCode.INTERRUPTED: "interrupted (Ctrl-C)",
    ExitCode.TERMINATED: "terminated (SIGTERM)",
}
"""One line for each code, as the reference page shows it."""

_BY_FAILURE: Final[tuple[tuple[type[Failure], ExitCode], ...]] = (
    (StateFolderFailure, ExitCode.LOCKED),
    (LockHeld, ExitCode.LOCKED),
    (NoRunner, ExitCode.NO_RUNNER),
    (AmbiguousPlant, ExitCode.USAGE),
    (WaitTimedOut, ExitCode.TIMED_OUT),
    (StalePlan, ExitCode.STALE),
)

_BY_RESULT: Final = {
    "committed": ExitCode.DONE,
    "unchanged": ExitCode.DONE,
    "held": ExitCode.UNHEALTHY,
    "rejected": ExitCode.INVALID,
    "refused": ExitCode.FAILURE,
    "unkept": ExitCode.FAILURE,
    "rolled-back": ExitCode.ROLLED_BACK,
    "rollback-partial": ExitCode.ROLLBACK_PARTIAL,
    "superseded": ExitCode.FAILURE,
    "interrupted": ExitCode.FAILURE,
}


def code_of_rejection(diagnostics: Iterable[Diagnostic]) -> ExitCode:
    """Say with which code a refused manifest ends a command: VERSIONS or STALE where nothing else is wrong."""
    from ignrun.terms.codes import STALE, VERSIONS

    errors = {one.code for one in diagnostics if one.severity is Severity.ERROR}
    if errors == {STALE}:
        return ExitCode.STALE
    return ExitCode.VERSIONS if errors and errors <= VERSIONS else ExitCode.INVALID


def code_of_failure(failure: Failure) -> ExitCode:
    """Say with which code a failure ends a command; a runner's refusal says which failure is behind it."""
    if isinstance(failure, RunnerRefused) and failure.kind:
        return next((code for kind, code in _BY_FAILURE if kind.__name__ == failure.kind), ExitCode.FAILURE)
    return next((code for kind, code in _BY_FAILURE if isinstance(failure, kind)), ExitCode.FAILURE)


def code_of_result(result: str) -> ExitCode:
    """Say with which code the result of an apply ends a command."""
    return _BY_RESULT.get(result, ExitCode.FAILURE)
