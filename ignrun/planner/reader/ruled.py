"""Judges a plan by rules that somebody wrote in Python, in a child with limits: they never run in a runner."""

import contextlib
import runpy
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from ignrun.planner.reader.bounded import answer_to, decoded_as
from ignrun.terms.diagnostics import diagnose
from ignrun.terms.spans import Span
from ignrun.terms.verdict import Accepted, Rejected

LEVELS: Final[dict[str, Literal["mandatory", "advisory"]]] = {"deny": "mandatory", "warn": "advisory"}
"""What the first word of a rule's name (`deny_..`, `warn_..`) says of what it finds."""


class Finding(msgspec.Struct, frozen=True):
    """What one rule has against a plan."""

    rule: str
    level: Literal["mandatory", "advisory"]
    message: str


class Ruling(msgspec.Struct, frozen=True):
    """The names of all rules, and what they found."""

    rules: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def refuses(self) -> bool:
        """Tell whether a mandatory rule found something."""
        return any(one.level == "mandatory" for one in self.findings)


class _Ruled(msgspec.Struct, frozen=True):
    verdict: Accepted[Ruling] | Rejected[Ruling | None]


def rule_bounded(rules: Path, plan: bytes) -> Accepted[Ruling] | Rejected[Ruling | None]:
    """Let the functions `deny..` and `warn..` of a Python file judge a plan in its JSON form.

    Each takes the plan as a dict and returns what it has against it: a text, several, or nothing. One that raises refuses the plan.
    Rejected where the file is no Python, has no rules, or passes the limits.
    """
    return decoded_as(answer_to(lambda _: _judged(rules, plan), str(rules)), _Ruled).verdict


def _judged(rules: Path, plan: bytes) -> _Ruled:
    sys.path.insert(0, str(rules.parent))
    with contextlib.redirect_stdout(sys.stderr):
        try:
            names = runpy.run_path(str(rules))
        except Exception as error:  # noqa: BLE001 - what others wrote
            return _refused(
                rules, f"the rules cannot be loaded: {type(error).__name__}: {error}", _line_of(error, rules)
            )
        found = {name: rule for name, rule in names.items() if callable(rule) and name.partition("_")[0] in LEVELS}
        if not found:
            return _refused(rules, "there are no rules: a rule is a function named `deny_..` or `warn_..`", 1)
        findings = tuple(one for name, rule in found.items() for one in _found(name, rule, plan))
        sys.stderr.flush()
    return _Ruled(Accepted(Ruling(tuple(found), findings)))


def _found(name: str, rule: Callable[[Any], Any], plan: bytes) -> Iterator[Finding]:
    try:
        for message in _texts(rule(msgspec.json.decode(plan))):
            yield Finding(name, LEVELS[name.partition("_")[0]], message)
    except Exception as error:  # noqa: BLE001 - what others wrote
        yield Finding(name, "mandatory", f"the rule failed: {type(error).__name__}: {error}")


def _texts(said: Any) -> Iterable[str]:
    if not said:
        return ()
    if isinstance(said, str):
        return (said,)
    return ("refused without a word",) if said is True else map(str, said)


def _line_of(error: Exception, rules: Path) -> int:
    if isinstance(error, SyntaxError):
        return error.lineno or 1
    line, trace = 1, error.__traceback__
    while trace is not None:
        line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == str(rules) else line
        trace = trace.tb_next
    return line


def _refused(rules: Path, summary: str, line: int) -> _Ruled:
    hint = "`ignrun policy --help` shows what a rule looks like"
    return _Ruled(Rejected(None, (diagnose(Span(str(rules), line, 1, 1), "IGN605", summary, hint=hint),)))
