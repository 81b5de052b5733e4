"""Owns Scripts, what the modules and commands of a scripted plant do in each of their attempts."""

from collections import defaultdict

from ignrun.terms.fault import Fault, FaultKind

FAULTS = {
    "raise": Fault(FaultKind.RAISED, "ValueError: no", callback="startup"),
    "hang": Fault(FaultKind.TIMED_OUT, "startup did not end within 30 s", callback="startup"),
    "not-ready": Fault(FaultKind.NOT_READY, "broker not up", callback="startup"),
    "fatal": Fault(FaultKind.FATAL, "wrong licence", callback="startup"),
}


class Scripts:
    """Owns the outcomes still to come of each callback of each instance; what has no script goes well.

    Outcomes: `ok`, those of FAULTS, `exit` (its process ends), `complete` (the main loop returns, after startup).
    """

    def __init__(self, outcomes: dict[tuple[str, str], list[str]] | None = None) -> None:
        self.exporting = False  # whether modules export their config
        self.probing = False  # whether the checks of commands are answered well once they run
        self.asked_again = False  # whether who is not well is asked again until he is
        self.checked: set[str] = set()  # who has a health check
        self.outcomes = defaultdict(list, {key: list(value) for key, value in (outcomes or {}).items()})

    def next(self, address: str, callback: str) -> str:
        """Tell how this attempt ends; the last outcome of a script that ends with `...` repeats."""
        left = self.outcomes[address, callback]
        if not left:
            return "ok"
        if len(left) > 1 and left[1] == "...":
            return left[0]
        return left.pop(0)
