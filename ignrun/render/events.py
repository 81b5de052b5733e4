"""Turns an event into one line that people read."""

from typing import Final, assert_never

from ignrun.render.names import ShortName
from ignrun.render.terminal import neutral
from ignrun.terms.duration import show_duration
from ignrun.terms.events import (
    AlertFired,
    AlertResolved,
    ApplyBegan,
    ApplyEnded,
    Body,
    EditRefused,
    EditSettled,
    Event,
    EventsLost,
    ExportsChanged,
    HealthChanged,
    HostResumed,
    HostStalled,
    JournalMended,
    JournalStalled,
    LifecycleEvent,
    LogsKept,
    LogsRefused,
    MoveRefused,
    OperatorAsked,
    PlacedAlone,
    ProcessEnded,
    ProcessStarted,
    RetryScheduled,
    RollbackBegan,
    RollbackEnded,
    RunnerEnded,
    RunnerStarted,
    SlowStart,
    SoakBegan,
    SoakEnded,
    StepBegan,
    StepEnded,
    StepUndone,
    WatchTurned,
)
from ignrun.terms.fault import Fault

_NAMED: Final = 3
"""Files of an edit that are named."""


def event_line(event: Event, short: ShortName = str) -> str:
    """Write an event as `TIME #NUMBER SUBJECT: what happened`, the time of day in UTC to the millisecond."""
    at = event.at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{event.at.microsecond // 1000:03d}Z"
    subject = f"{neutral(short(event.subject))}: " if event.subject else ""
    return f"{at} #{event.seq} {subject}{body_text(event.body)}"


def body_text(body: Body) -> str:
    """Say in a few words what happened."""
    return neutral(_said(body))


def _said(body: Body) -> str:  # noqa: C901, PLR0912 - one case for each kind of event
    match body:
        case RunnerStarted(pid, version):
            return f"runner started (pid {pid}, ignrun {version})"
        case RunnerEnded(code):
            return f"runner ended with exit code {code}"
        case ApplyBegan(transaction, _, trigger, steps):
            return f"apply {transaction} began: {_counted(steps, 'step')}, asked for by {trigger}"
        case ApplyEnded(transaction, result, summary):
            return f"apply {transaction} ended {result}" + (f": {summary}" if summary else "")
        case StepBegan(_, action):
            return f"{action} began"
        case StepEnded(_, action, fault):
            return f"{action} ended" if fault is None else f"{action} failed: {_why(fault)}"
        case SoakBegan(transaction, seconds):
            return f"apply {transaction} has arrived, its health is watched for {show_duration(seconds)}"
        case SoakEnded(transaction, reason):
            return f"the watch over apply {transaction} is over" + _after(reason)
        case RollbackBegan(transaction, generation, reason):
            return f"apply {transaction} is rolled back to generation {generation}" + _after(reason)
        case RollbackEnded(transaction, generation, lost):
            missing = f", but {_counted(lost, 'instance')} could not be restored" if lost else ""
            return f"apply {transaction} was rolled back to generation {generation}{missing}"
        case StepUndone(_, action, fault):
            return f"{action} undone" if fault is None else f"{action} could not be undone: {_why(fault)}"
        case LifecycleEvent(old, new, cause, _, fault):
            return f"{old.value} -> {new.value}" + _after(cause if fault is None else _why(fault))
        case MoveRefused(old, new):
            return f"refused a move {old.value} -> {new.value}, which the table of states does not allow"
        case HealthChanged(old, new, reason):
            return f"health {old.value} -> {new.value}" + _after(reason)
        case ProcessStarted(pid, what):
            return f"{what} started (pid {pid})"
        case ProcessEnded(pid, what, how):
            return f"{what} ended: {how} (pid {pid})"
        case RetryScheduled(delay, attempt, parked):
            when = f"in {show_duration(delay)}" if delay > 0 else "at once"
            return f"{'parked, ' if parked else ''}to be tried again {when} (attempt {attempt})"
        case ExportsChanged(names):
            return f"exports {', '.join(names) or 'nothing'}"
        case OperatorAsked(verb, by):
            return f"{verb} asked for by {by}"
        case HostStalled(host, where, seconds):
            return f"has blocked host {host} for {show_duration(round(seconds, 1))} in {where}"
        case HostResumed(host, seconds):
            return f"host {host} goes on after {show_duration(round(seconds, 1))}"
        case SlowStart(state, seconds):
            return f"has been {state.value} for {show_duration(round(seconds))}"
        case PlacedAlone(host, reason):
            return f"comes back in a host of its own, apart from those in host {host}: {reason}"
        case AlertFired(alert, severity, reason):
            return f"{severity} alert {alert} fires" + _after(reason)
        case AlertResolved(alert, severity, seconds, reason):
            return f"{severity} alert {alert} is over after {show_duration(round(seconds, 1))}" + _after(reason)
        case LogsRefused(reason):
            return "log lines cannot be kept" + _after(reason)
        case LogsKept(lost):
            return f"log lines are kept again; {_counted(lost, 'line')} missing"
        case WatchTurned(state, reason):
            return f"the watcher is {state}" + _after(reason)
        case EditSettled(_, files):
            return f"an edit has settled: {_named(files)}"
        case EditRefused(_, reason):
            return "the edit is not applied, what runs goes on" + _after(reason)
        case JournalMended(what):
            return what
        case JournalStalled(seconds, reason):
            return f"the journal keeps everything again; it could keep nothing for {show_duration(round(seconds, 1))}: {reason}"
        case EventsLost(count, reason):
            return f"{_counted(count, 'event')} before this one could not be kept" + _after(reason)
        case _:
            assert_never(body)


def _why(fault: Fault) -> str:
    upstream = f" (root cause: {fault.upstream})" if fault.upstream and fault.upstream not in fault.summary else ""
    return f"{fault.summary}{upstream}"


def _after(reason: str) -> str:
    return f": {reason}" if reason else ""


def _named(files: tuple[str, ...]) -> str:
    """Name the first files by their last part, and count the others."""
    names = [file.rpartition("/")[2] for file in files[:_NAMED]]
    return ", ".join(names) + (f" and {len(files) - _NAMED} more" if len(files) > _NAMED else "")


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
