"""Owns Failure, the exceptions for a world or an operator in the way; each carries objects and says its own sentence."""

from pathlib import Path


class Failure(Exception):  # noqa: N818 - the house's word for this kind of error
    """Root of what may stop a command without being a bug: `summary` is a plain statement, `hint` what to do about it."""

    def __init__(self, summary: str, hint: str = "") -> None:
        """Take one plain line and one line of advice."""
        super().__init__(summary)
        self.summary = summary
        self.hint = hint


class StateFolderFailure(Failure):
    """The state folder cannot be used: missing rights, a full or read-only disk, a newer format."""

    def __init__(self, folder: Path, reason: str, hint: str = "") -> None:
        """Name the folder and why it refuses."""
        super().__init__(f"the state folder `{folder}` cannot be used: {reason}", hint)
        self.folder = folder


class LockHeld(Failure):
    """Another runner, or another apply, owns what this one needs."""

    def __init__(self, what: str, owner: str, hint: str = "") -> None:
        """Name the thing and who owns it."""
        super().__init__(f"{what} is held by {owner}", hint)
        self.owner = owner


class NoRunner(Failure):
    """The command needs a live runner and there is none."""


class AmbiguousPlant(Failure):
    """Several plants answer to what the operator said."""

    def __init__(self, candidates: tuple[str, ...], *, running: bool = True) -> None:
        """Name every plant that it could be; with `running` false, none of them runs."""
        what = "several plants are running: " if running else "several plants are here, and none of them runs: "
        super().__init__(what + ", ".join(candidates), "name one with `-n NAME` or `-m MANIFEST`")
        self.candidates = candidates


class RunnerRefused(Failure):
    """The runner answered a request with a refusal; `status` is the HTTP status, `kind` the Failure it met, if any."""

    def __init__(self, status: int, summary: str, hint: str = "", kind: str = "") -> None:
        """Keep the runner's own words."""
        super().__init__(summary, hint)
        self.status = status
        self.kind = kind


class WaitTimedOut(Failure):
    """The client's own wait ended before the runner's work did."""


class ReaderFailure(Failure):
    """The bounded reading process ended without a verdict: a limit of time or memory, or a signal."""


class ChangedWhileRead(Failure):
    """A file of code has other bytes by now than those that were planned with."""

    def __init__(self, path: Path) -> None:
        """Name the file."""
        super().__init__(f"`{path}` changed while it was read", "apply again")
        self.path = path


class StalePlan(Failure):
    """A plan that was written down compares with a generation that is no longer in force."""

    def __init__(self, base: int, current: int) -> None:
        """Name the generation of the plan and the one in force."""
        super().__init__(
            f"the plan is stale: it compares with generation {base}, {current} is in force",
            "plan again, look at it, and apply that",
        )
