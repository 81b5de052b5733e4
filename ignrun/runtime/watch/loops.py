"""Decides whether a module of the plant writes into what is watched, so that each apply leads to the next."""

from typing import Final

from msgspec.structs import replace

from ignrun.runtime.watch.model import Effect, Turned, WatchState

PROMPT: Final = 2.0
"""Seconds after an outcome within which a change may be its consequence."""

PROVEN: Final = 8
"""Changes in a row, each a prompt one, after which a process of the plant that wrote enough each time is taken for their author."""

UNPROVEN: Final = 40
"""The same where nobody can say who writes."""


def judge(state: WatchState, changed: tuple[str, ...], now: float, effects: list[Effect]) -> WatchState:
    """Count the edits that came promptly after an outcome, and suspend the paths whose changes feed on themselves."""
    prompt = state.ended is not None and now - state.ended <= PROMPT
    streaks = {path: state.streaks.get(path, 0) + 1 if prompt else 1 for path in changed}
    guilty = {path: _still_guilty(state, path) if prompt else state.suspects for path in changed}
    suspended = dict(state.suspended)
    for path in changed:
        if path not in suspended and (reason := _verdict(path, streaks[path], guilty[path])):
            suspended[path] = reason
            effects.append(Turned("suspended", reason))
    return replace(state, streaks=streaks, guilty=guilty, suspended=suspended)


def _still_guilty(state: WatchState, path: str) -> frozenset[str] | None:
    """Keep of those who may have written a path each time who may have written it now."""
    before = state.guilty.get(path, state.suspects)
    return before if state.suspects is None else state.suspects if before is None else before & state.suspects


def _verdict(path: str, streak: int, guilty: frozenset[str] | None) -> str:
    if guilty and streak >= PROVEN:
        names = ", ".join(sorted(guilty))
        return f"{names} writes into `{path}`, which is watched: {streak} changes in a row followed upon an apply"
    if guilty is None and streak >= UNPROVEN:
        return f"somebody writes into `{path}`, which is watched: {streak} changes in a row followed upon an apply"
    return ""
