"""Turns the status of an instance, its last change, and what happened to it last, into the chain of causes that explains it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from ignrun.render.events import body_text
from ignrun.render.last_change import LastChange, last_change_lines
from ignrun.render.names import ShortName, short_names
from ignrun.render.outcome import detail_lines
from ignrun.render.status_report import InstanceStatus, StatusReport
from ignrun.render.terminal import neutral
from ignrun.terms.duration import show_duration
from ignrun.terms.events import Event

FORMAT_VERSION: Final = "1.0"


class Happened(msgspec.Struct, frozen=True):
    """One event of an instance, in words; `at` is aware UTC."""

    seq: int
    at: datetime
    text: str
    body: Any


class WhyReport(msgspec.Struct, frozen=True):
    """Why an instance is as it is: itself first, then whoever it waits for or owes its failure to, the root cause last.

    `last_change` is the generation that last meant to change it. Where no runner lives the chain is empty, and `absent` says how the
    last one ended.
    """

    format_version: str
    chain: tuple[InstanceStatus, ...]
    last: tuple[Happened, ...]
    address: str = ""
    last_change: LastChange | None = None
    absent: str = ""


def why_report(
    report: StatusReport, address: str, events: Sequence[Event], changed: LastChange | None = None
) -> WhyReport:
    """Explain the instance at `address`; `events` are those of the instance, oldest first."""
    last = tuple(Happened(one.seq, one.at, body_text(one.body), one.body) for one in events)
    absent = "" if report.instances else report.plant.note or report.plant.state
    return WhyReport(FORMAT_VERSION, _chain(report, address), last, address, changed, absent)


def _chain(report: StatusReport, address: str) -> tuple[InstanceStatus, ...]:
    known = {one.address: one for one in report.instances}
    chain = [known[address]] if address in known else []
    while chain and (following := _cause(chain[-1])) in known and known[following] not in chain:
        chain.append(known[following])
    return tuple(chain)


def _cause(one: InstanceStatus) -> str:
    """Name the next link: the provider waited for, which may wait itself, else the root cause that is known."""
    if one.waits_for:
        return one.waits_for[0]
    return one.upstream or (one.fault.upstream if one.fault and one.state == "error" else "")


def why_text(report: WhyReport, addresses: Sequence[str], now: datetime, shown_file: Callable[[str], str] = str) -> str:
    """Write the chain, each link with its facts below it, its last change, and what happened last.

    `addresses` are all of the plant; `shown_file` writes a path.
    """
    short = short_names(addresses)
    lines = [] if report.chain else [short(report.address), f"  no runner is alive: {report.absent}"]
    for depth, one in enumerate(report.chain):
        root = " (root cause)" if depth and depth == len(report.chain) - 1 else ""
        lines += [f"{'because of ' if depth else ''}{short(one.address)}{root}", *_facts(one, now, short)]
    if report.last_change:
        lines += last_change_lines(report.last_change, short, shown_file)
    if report.last:
        lines += ["last:", *(f"  {one.at:%H:%M:%S} #{one.seq} {one.text}" for one in report.last)]
    return "\n".join(neutral(line) for line in lines) + "\n"


def _facts(one: InstanceStatus, now: datetime, short: ShortName) -> list[str]:
    facts = [f"state: {one.state}, health: {one.health}" + (f" ({one.health_reason})" if one.health_reason else "")]
    if one.since:
        facts.append(
            f"since: {one.since:%Y-%m-%d %H:%M:%S} UTC, {show_duration((now - one.since).total_seconds())} ago"
        )
    facts.append(f"cause: {one.cause or 'nothing has happened to it yet'}")
    if one.held_by:
        facts.append(f"held by: {one.held_by}")
    if one.fault:
        facts.append(f"fault: {one.fault.summary} ({one.fault.kind})")
    if one.waits_for:
        facts.append("waits for: " + ", ".join(short(each) for each in one.waits_for))
    if one.failures:
        facts.append(f"failed checks in a row: {one.failures}")
    facts += _retry(one, now)
    if one.alone:
        facts.append(f"alone in a host of its own, because: {one.alone}")
    facts += one.notes
    if one.shares_with:
        others = max(0, one.shared_by - 1 - len(one.shares_with))
        more = f" and {others} more" if others else ""
        facts.append(f"shares process {one.pid} with: " + ", ".join(short(each) for each in one.shares_with) + more)
    lines = [f"  {fact}" for fact in facts]
    return lines + (detail_lines(one.fault) if one.fault and one.state == "error" else [])


def _retry(one: InstanceStatus, now: datetime) -> list[str]:
    if one.held_by and one.state == "error":
        return ["next try: none while it is held, `ignrun start` ends that"]
    if one.next_retry is None or one.state == "running":
        return ["next try: none, `ignrun start` tries again"] if one.state == "error" and not one.upstream else []
    wait = max(0.0, (one.next_retry - now).total_seconds())
    parked = " (parked: it failed too often)" if one.parked else ""
    when = f"in {show_duration(wait)}" if wait > 0 else "now"
    return [f"next try: {when}, attempt {one.attempt}{parked}"]
