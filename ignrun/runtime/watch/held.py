"""Turns the state of a watcher into sentences about what it holds back, and why."""

from ignrun.runtime.watch.model import WatchState
from ignrun.runtime.watch.picture import differing


def held_back(state: WatchState) -> tuple[str, ...]:
    """Say what is held back, one sentence for each reason; nothing while edits go through."""
    said: list[str] = []
    changed = differing(state.base, state.truth or {})
    waiting = f"{len(changed)} changed file{'' if len(changed) == 1 else 's'}"
    if state.paused_by:
        said.append(f"paused by {state.paused_by}" + (f": {waiting}" if changed else ""))
    if state.lock:
        said.append(f"`{state.lock}` exists: {waiting} until git is done")
    if state.trigger and changed and state.trigger not in changed:
        said.append(f"`{state.trigger}` has not changed: {waiting}")
    said += [f"suspended: {reason}" for reason in state.suspended.values()]
    asked = [path for path in changed if state.asked.get(path, ("", 0))[1] > 1]
    if asked and not state.in_flight:
        said.append(f"`{asked[0]}` was read and is not as it was seen: it is left alone until it changes")
    return tuple(said)
