"""Turns the end of a transaction into the one plain line that says how it went."""

from collections import Counter

from ignrun.runtime.apply.turn import Turn
from ignrun.runtime.supervise.effects import Result
from ignrun.terms.fault import FaultKind

_DONE = {
    "create": "created",
    "delete": "deleted",
    "restart": "restarted",
    "replace": "replaced",
    "start": "started",
    "reconfigure": "reconfigured",
    "rebind": "bound anew",
    "reload": "reloaded",
    "policy": "given another policy",
}


def summary_of(turn: Turn, result: Result) -> str:
    """Say what an apply did, or who failed in it."""
    transaction = turn.transaction
    if result is Result.HELD:
        return _held(turn)
    counts = Counter(_DONE[action] for action in transaction.actions.values())
    done = ", ".join(f"{count} {word}" for word, count in sorted(counts.items())) or "nothing changed"
    unstarted = " (not started)" if transaction.no_start else ""
    return f"generation {transaction.generation} is in force: {done}{unstarted}"


def _held(turn: Turn) -> str:
    faults = turn.transaction.faults
    roots = sorted(address for address, fault in faults.items() if fault.kind is not FaultKind.UPSTREAM)
    skipped = len(faults) - len(roots)
    failed = f"failed: {', '.join(roots)}" if roots else "nobody failed"
    also = f"; {skipped} skipped because of a provider" if skipped else ""
    return f"{failed}{also}; the healthy rest stays up"
