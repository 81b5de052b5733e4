"""Owns Diagnostic, one located mistake in what people wrote, and how many of them are ordered."""

import enum
from collections.abc import Iterable

import msgspec

from ignrun.terms.spans import Span


class Severity(enum.Enum):
    """How much a diagnostic weighs: an error refuses the input, a warning and a remark do not."""

    ERROR = "error"
    WARNING = "warning"
    REMARK = "remark"


class Note(msgspec.Struct, frozen=True):
    """A sentence beside a diagnostic, with a place of its own where it has one."""

    text: str
    span: Span | None = None


class Diagnostic(msgspec.Struct, frozen=True):
    """A mistake at a place: collected as a value and never raised.

    `code` is stable (`IGN204`); `summary` a plain statement with names in backticks; `hint` stands under the caret
    (`did you mean `interval`?`); `excerpt` is the guilty line, already masked where it could hold a secret.
    """

    code: str
    summary: str
    span: Span
    hint: str = ""
    severity: Severity = Severity.ERROR
    notes: tuple[Note, ...] = ()
    excerpt: str = ""


def diagnose(
    span: Span,
    code: str,
    summary: str,
    *,
    hint: str = "",
    severity: Severity = Severity.ERROR,
    notes: Iterable[Note] = (),
    excerpt: str = "",
) -> Diagnostic:
    """Make a diagnostic at `span`: the only way to make one, so that none is without a place."""
    return Diagnostic(code, summary, span, hint, severity, tuple(notes), excerpt)


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sort diagnostics by place and drop exact repetitions."""
    unique = dict.fromkeys(diagnostics)
    return tuple(sorted(unique, key=lambda d: (d.span.file, d.span.line, d.span.column, d.code, d.summary)))


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Tell whether any of `diagnostics` refuses the input."""
    return any(d.severity is Severity.ERROR for d in diagnostics)


def warnings_denied(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Make errors of warnings, each with a note that says so; remarks stay remarks."""
    note = Note("a warning, and warnings are denied")
    return tuple(
        msgspec.structs.replace(one, severity=Severity.ERROR, notes=(*one.notes, note))
        if one.severity is Severity.WARNING
        else one
        for one in diagnostics
    )
