"""Decides everything that a watcher does next: turns its state and what it heard into its next state and what is to be done."""

from typing import assert_never

from msgspec.structs import replace

from ignrun.manifest.seen import UNREAD
from ignrun.runtime.watch import loops
from ignrun.runtime.watch.model import (
    CAP,
    LOCKED,
    POLL,
    RENAMED,
    RESCAN,
    Edit,
    EditEnded,
    Effect,
    Followed,
    Hinted,
    Message,
    Paused,
    Picture,
    Refused,
    Resumed,
    Scan,
    Scanned,
    Settle,
    Stir,
    Turned,
    WakeAt,
    WatchState,
    Woke,
)
from ignrun.runtime.watch.picture import differing, digest_of, with_told


def decide(state: WatchState, inbox: tuple[Message, ...], now: float) -> tuple[WatchState, tuple[Effect, ...]]:
    """Take in the whole inbox at the monotonic time `now`; give the next state and the effects to perform, in their order.

    Nothing that is handed in is written into. At most one look at the disk and one edit are under way at a time.
    """
    effects: list[Effect] = []
    for message in inbox:
        state = _hear(state, message, now, effects)
    state = _look(state, now, effects)
    return _wake(state, now, effects), tuple(effects)


def _hear(state: WatchState, message: Message, now: float, effects: list[Effect]) -> WatchState:
    match message:
        case Hinted():
            return _hinted(state, message, now, effects)
        case Scanned():
            return _scanned(state, message, now, effects)
        case Followed(picture):
            told = {state.trigger: state.base.get(state.trigger, UNREAD)} if state.trigger else {}
            return replace(state, base=picture | told, look_at=now)
        case EditEnded():
            return replace(state, in_flight=False, ended=now, look_at=now)
        case Refused(reason):
            return _poll(state, reason, now, effects)
        case Paused(by):
            effects.append(Turned("paused", by))
            return replace(state, paused_by=by)
        case Resumed(by):
            effects.append(Turned("polling" if state.polling else "watching", f"resumed by {by}"))
            return replace(state, paused_by="", suspended={}, streaks={}, guilty={}, asked={}, look_at=now)
        case Woke():
            return replace(state, wake=None)
        case _:
            assert_never(message)


def _hinted(state: WatchState, message: Hinted, now: float, effects: list[Effect]) -> WatchState:
    """Wait until every hinted path is quiet; after a burst too great for the system any of them may have changed."""
    pending = state.pending | {
        hint.path: now + (RENAMED if hint.complete else state.settle) for hint in message.hints if hint.path
    }
    if not pending and not message.lost:
        return state
    if message.lost:
        pending = pending | {"": now + state.settle}
    began = any(hint.complete for hint in message.hints) and _may_ask(state)
    if began and not state.stirred:
        effects.append(Stir())
    return replace(
        state,
        pending=pending,
        burst=now if state.burst is None else state.burst,
        stirred=state.stirred or began,
        lost=state.lost or message.lost,
        unannounced=state.unannounced - {hint.path for hint in message.hints},
        last_event=now,
    )


def _may_ask(state: WatchState) -> bool:
    return not (state.paused_by or state.in_flight or state.lock or state.trigger)


def _poll(state: WatchState, reason: str, now: float, effects: list[Effect]) -> WatchState:
    if not state.polling:
        effects.append(Turned("polling", reason))
    return replace(state, polling=state.polling or reason, look_at=now)


# --- looking ----------------------------------------------------------------------------------------------------------


def _look(state: WatchState, now: float, effects: list[Effect]) -> WatchState:
    """Begin a look at the disk when one is due and none is under way."""
    if state.scanning is not None:
        return state
    due = _quiet_at(state)
    settled = due is not None and due <= now
    whole = state.rescan_at <= now or (settled and state.lost)
    if not (settled or whole or (state.look_at is not None and state.look_at <= now)):
        return state
    scan = Scan(whole, frozenset(state.pending) - {""} if settled else frozenset(), announced=settled)
    effects.append(scan)
    state = replace(state, scanning=scan, look_at=None)
    return replace(state, pending={}, lost=False) if settled else state


def _quiet_at(state: WatchState) -> float | None:
    """Say when what is pending has settled: when the last of it is quiet, at the latest a while after the first."""
    if not state.pending:
        return None
    last = max(state.pending.values())
    return last if state.burst is None else min(last, state.burst + CAP)


def _wake(state: WatchState, now: float, effects: list[Effect]) -> WatchState:
    if state.scanning is not None:
        return state
    times = [state.rescan_at, _quiet_at(state), state.look_at]
    at = max(now, min(time for time in times if time is not None))
    if at == state.wake:
        return state
    effects.append(WakeAt(at))
    return replace(state, wake=at)


# --- what was seen ----------------------------------------------------------------------------------------------------


def _scanned(state: WatchState, message: Scanned, now: float, effects: list[Effect]) -> WatchState:
    scan, before = state.scanning or Scan(whole=True), state.truth
    state = replace(
        state,
        scanning=None,
        base=with_told(state.base, message.picture),
        truth=message.picture,
        lock="",
        suspects=message.suspects,
        rescan_at=now + RESCAN if message.whole else state.rescan_at,
        look_at=_earlier(state.look_at, now + POLL if state.polling else None),
    )
    if message.renewed:  # what happened before the new folders were watched was announced by nobody
        state = replace(state, look_at=now)
    changed = _changed(state)
    if not changed:
        return replace(state, burst=None if not state.pending else state.burst, stirred=False, unannounced=frozenset())
    if message.lock:
        return replace(state, lock=message.lock, look_at=now + LOCKED, burst=None)
    news = {path for path in changed if path not in scan.hinted and (before is None or _is_news(path, before, state))}
    burst = now if state.burst is None else state.burst
    if (news or not state.pending.keys().isdisjoint({*changed, ""})) and now - burst < CAP:
        quiet = dict.fromkeys(news, now + state.settle)
        unexpected = not (message.renewed or scan.announced or before is None)
        found = news & (before or {}).keys() - state.pending.keys() if unexpected else set()
        return replace(state, pending=quiet | state.pending, burst=burst, unannounced=state.unannounced | found)
    if state.unannounced:
        state = _poll(state, f"no event told of a change of `{min(state.unannounced)}`", now, effects)
    return _settled(replace(state, unannounced=frozenset()), changed, now, effects)


def _earlier(one: float | None, other: float | None) -> float | None:
    return min((time for time in (one, other) if time is not None), default=None)


def _is_news(path: str, before: Picture, state: WatchState) -> bool:
    """Tell whether a file looks otherwise than at the look before: then nobody knows whether its writer is done."""
    return before.get(path) != (state.truth or {}).get(path)


def _changed(state: WatchState) -> tuple[str, ...]:
    """Name what is not as it was read last; what was asked for twice with no reading that saw it is left until it changes."""
    truth = state.truth or {}
    return tuple(path for path in differing(state.base, truth) if state.asked.get(path, ("", 0)) != (truth[path], 2))


# --- settled ----------------------------------------------------------------------------------------------------------


def _settled(state: WatchState, changed: tuple[str, ...], now: float, effects: list[Effect]) -> WatchState:
    """Hand a settled edit on, unless somebody or something holds it back."""
    truth = state.truth or {}
    state = replace(state, burst=None, stirred=False)
    if state.paused_by or state.in_flight:
        return state
    if state.trigger and state.trigger not in changed:
        return state
    state = loops.judge(state, changed, now, effects)
    if all(path in state.suspended for path in changed):
        return state
    edit = Edit(digest_of(truth), changed, truth)
    effects.append(Settle(edit))
    asked = {path: (truth[path], state.asked.get(path, ("", 0))) for path in changed}
    times = {path: (digest, was[1] + 1 if was[0] == digest else 1) for path, (digest, was) in asked.items()}
    base = state.base | ({state.trigger: truth[state.trigger]} if state.trigger else {})
    return replace(state, base=base, asked=times, in_flight=True, last_edit=edit)
