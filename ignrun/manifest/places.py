"""Turns a path in a Document into a diagnostic at its key or value, with the guilty line beside it, masked where it could hold a secret."""

import re
from collections.abc import Iterable
from typing import Final

from ignrun.manifest.document import Document
from ignrun.terms.diagnostics import Diagnostic, Note, Severity, diagnose
from ignrun.terms.leaves import Path
from ignrun.terms.spans import Span

MASK: Final = "***"
_LONGEST: Final = 1000  # of a line that is shown
_TELLTALES: Final = r"(?:passwo?r?d|passphrase|secret|token|api[_-]?key|private[_-]?key|credentials?)"
_LITERAL: Final = re.compile(rf"(?<!\$\{{)({_TELLTALES}[\"']?\s*:\s*)(?![\"']?\$\{{)(?=[^\s{{\[]).*", re.IGNORECASE)


def at_key(
    document: Document,
    path: Path,
    code: str,
    summary: str,
    *,
    hint: str = "",
    severity: Severity = Severity.ERROR,
    notes: Iterable[Note] = (),
    masked: bool = False,
) -> Diagnostic:
    """Make a diagnostic at the key that leads to `path` (at a list item itself); `masked` hides the value in the line shown."""
    document, path = document.origin(path)
    span = document.key_span(path)
    excerpt = _excerpt(document, path, span, masked=masked)
    return diagnose(span, code, summary, hint=hint, severity=severity, notes=notes, excerpt=excerpt)


def at_value(
    document: Document,
    path: Path,
    code: str,
    summary: str,
    *,
    hint: str = "",
    severity: Severity = Severity.ERROR,
    notes: Iterable[Note] = (),
    masked: bool = False,
) -> Diagnostic:
    """Make a diagnostic at the value at `path`; `masked` hides that value in the line shown."""
    document, path = document.origin(path)
    span = document.value_span(path)
    excerpt = _excerpt(document, path, span, masked=masked)
    return diagnose(span, code, summary, hint=hint, severity=severity, notes=notes, excerpt=excerpt)


def at_span(
    document: Document,
    span: Span,
    code: str,
    summary: str,
    *,
    hint: str = "",
    severity: Severity = Severity.ERROR,
    notes: Iterable[Note] = (),
) -> Diagnostic:
    """Make a diagnostic at a place of `document` that is already known, such as the span of a Need."""
    excerpt = shown_line(document.line_at(span))
    return diagnose(span, code, summary, hint=hint, severity=severity, notes=notes, excerpt=excerpt)


def at_file(
    file: str,
    code: str,
    summary: str,
    *,
    hint: str = "",
    severity: Severity = Severity.ERROR,
    notes: Iterable[Note] = (),
) -> Diagnostic:
    """Make a diagnostic that concerns a whole file: it stands at `FILE:1:1`."""
    return diagnose(Span.of_file(file), code, summary, hint=hint, severity=severity, notes=notes)


def shown_line(line: str) -> str:
    """Give a line of a text as it may be shown: a literal behind a key that sounds like a secret is masked."""
    return _LITERAL.sub(rf"\1{MASK}", line[:_LONGEST])


def _excerpt(document: Document, path: Path, span: Span, *, masked: bool) -> str:
    line = document.line(span.line)
    return _only_key(document, path, span, line) if masked else shown_line(line)


def _only_key(document: Document, path: Path, span: Span, line: str) -> str:
    """Keep of a line what stands before the value, and of that only what cannot be a neighbour's value."""
    key, value = document.key_span(path), document.value_span(path)
    start = min(key.column if key.line == span.line else span.column, span.column)
    end = value.column if value.line == span.line else span.end
    before = line[: start - 1]
    blank = before if not before.strip(" -?\t") else " " * len(before)
    return f"{blank}{line[start - 1 : end - 1]}{MASK}"
