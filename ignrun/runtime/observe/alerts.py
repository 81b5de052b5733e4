"""Decides which alerts fire and which are over: turns what is seen of a plant into changes; touches nothing."""

from collections.abc import Mapping
from typing import assert_never

import msgspec

from ignrun.runtime.observe.figures import Figures
from ignrun.runtime.observe.rules import FigureBeyond, HealthIs, LinesSeen, RestartedOften, Rule, StateIs
from ignrun.terms.duration import show_duration, show_size

Key = tuple[str, str]
"""The name of a rule and the address of an instance."""


class Seen(msgspec.Struct, frozen=True):
    """What is known of one instance at one moment.

    `excused` says that nothing is told of it: it is in maintenance, or held stopped by an operator. `moving` says that an apply is
    changing it: what was so before is taken to be so still.
    """

    address: str
    state: str
    health: str
    why: str = ""
    completed: bool = False
    excused: bool = False
    moving: bool = False
    restarts: int = 0
    figures: Figures | None = None


class Held(msgspec.Struct, frozen=True):
    """A rule holds of an instance `since` then (monotonic); `fired` is when it had done so for long enough."""

    since: float
    reason: str
    severity: str
    fired: float | None = None


class Watch(msgspec.Struct, frozen=True):
    """What is remembered between two looks: what holds, and when there were restarts and lines that count."""

    held: dict[Key, Held] = {}
    marks: dict[Key, tuple[tuple[float, int], ...]] = {}
    restarts: dict[str, int] = {}


class Fired(msgspec.Struct, frozen=True):
    """A rule has held for as long as it must."""

    rule: Rule
    address: str
    reason: str


class Resolved(msgspec.Struct, frozen=True):
    """A rule that fired holds no more, after so many seconds."""

    name: str
    severity: str
    address: str
    seconds: float
    reason: str = ""
    rule: Rule | None = None


Change = Fired | Resolved


def decide(
    rules: tuple[Rule, ...], watch: Watch, seen: Mapping[str, Seen], lines: Mapping[Key, int], now: float
) -> tuple[Watch, tuple[Change, ...]]:
    """Look once: `lines` counts lines that matched since the last look, by rule and instance. Gives what to remember, and what changed.

    Whatever fired is resolved exactly once before it may fire again, also when its rule or its instance has gone.
    """
    marks = _marked(rules, watch, seen, lines, now)
    held: dict[Key, Held] = {}
    changes: list[Change] = []
    for rule in rules:
        for one in seen.values():
            key = (rule.name, one.address)
            if one.excused or not rule.watches(one.address):
                continue
            before = watch.held.get(key)
            found = before if one.moving else _still(before, rule, _holds(rule, one, marks.get(key, ())), now)
            if found is not None:
                held[key] = found
                if found.fired == now and (before is None or before.fired is None):
                    changes.append(Fired(rule, one.address, found.reason))
    gone = [(key, before) for key, before in watch.held.items() if key not in held and before.fired is not None]
    changes += [_resolved(key, before, rules, seen, now) for key, before in gone]
    return Watch(held, marks, {one.address: one.restarts for one in seen.values()}), tuple(changes)


def _still(before: Held | None, rule: Rule, reason: str, now: float) -> Held | None:
    """Give for how long a rule has held by now, None where it does not."""
    if not reason:
        return None
    since = before.since if before else now
    fired = before.fired if before else None
    if fired is None and now - since >= rule.lasting:
        fired = now
    return Held(since, reason, rule.severity, fired)


def _resolved(key: Key, before: Held, rules: tuple[Rule, ...], seen: Mapping[str, Seen], now: float) -> Resolved:
    name, address = key
    rule = next((one for one in rules if one.name == name and one.watches(address)), None)
    reason = ""
    if rule is None:
        reason = "there is no such rule any more"
    elif address not in seen:
        reason = "the instance is gone"
    elif seen[address].excused:
        reason = "an operator took it out of supervision"
    return Resolved(name, before.severity, address, now - (now if before.fired is None else before.fired), reason, rule)


def _marked(
    rules: tuple[Rule, ...], watch: Watch, seen: Mapping[str, Seen], lines: Mapping[Key, int], now: float
) -> dict[Key, tuple[tuple[float, int], ...]]:
    """Add what has come since the last look to what is counted within a time, and forget what is older."""
    marks: dict[Key, tuple[tuple[float, int], ...]] = {}
    for rule in rules:
        if not isinstance(rule.condition, RestartedOften | LinesSeen):
            continue
        for one in seen.values():
            key = (rule.name, one.address)
            if one.excused or not rule.watches(one.address):
                continue
            if isinstance(rule.condition, LinesSeen):
                new = lines.get(key, 0)
            else:
                new = max(0, one.restarts - watch.restarts.get(one.address, one.restarts))
            young = tuple(mark for mark in watch.marks.get(key, ()) if now - mark[0] <= rule.condition.within)
            if found := (*young, (now, new)) if new else young:
                marks[key] = found
    return marks


def _holds(rule: Rule, one: Seen, marks: tuple[tuple[float, int], ...]) -> str:
    """Say in what way a rule holds, nothing where it does not."""
    condition = rule.condition
    match condition:
        case StateIs(state):
            return f"state is {state}{_why(one)}" if one.state == state and not one.completed else ""
        case HealthIs(health):
            return f"health is {health}{_why(one)}" if one.health == health else ""
        case RestartedOften(above, within):
            count = sum(number for _, number in marks)
            return f"{_counted(count, 'restart')} within {show_duration(within)}" if count > above else ""
        case LinesSeen(pattern, above, within):
            count = sum(number for _, number in marks)
            said = f"within {show_duration(within)} where `{pattern}` is found"
            return f"{_counted(count, 'line')} {said}" if count > above else ""
        case FigureBeyond():
            return _beyond(condition, one.figures)
        case _:
            assert_never(condition)


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _why(one: Seen) -> str:
    return f": {one.why}" if one.why else ""


def _beyond(condition: FigureBeyond, figures: Figures | None) -> str:
    value = getattr(figures, condition.figure) if figures else None
    if value is None:
        return ""
    if condition.above is not None and value > condition.above:
        return f"{condition.figure} {_shown(condition, value)} is above {_shown(condition, condition.above)}"
    if condition.below is not None and value < condition.below:
        return f"{condition.figure} {_shown(condition, value)} is below {_shown(condition, condition.below)}"
    return ""


def _shown(condition: FigureBeyond, value: float) -> str:
    return show_size(value) if condition.figure == "memory" else f"{value:.3g}"
