"""Turns diagnostics into the text that people read, with the guilty line and carets, and into public JSON."""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from ignrun.render.terminal import encodable, neutral
from ignrun.terms.diagnostics import Diagnostic, Severity
from ignrun.terms.spans import Span

FORMAT_VERSION: Final = "1.0"
"""Version of the JSON form; fields are added and never renamed or removed within 1."""

_TAB: Final = "    "


class PlaceReport(msgspec.Struct, frozen=True):
    """The place of a word: lines and columns from 1, `end` the column after it."""

    file: str
    line: int
    column: int
    end: int


class NoteReport(msgspec.Struct, frozen=True):
    """A sentence beside a diagnostic."""

    text: str
    place: PlaceReport | None = None


class DiagnosticReport(msgspec.Struct, frozen=True):
    """One diagnostic as the public sees it."""

    code: str
    severity: str
    summary: str
    place: PlaceReport
    hint: str = ""
    excerpt: str = ""
    notes: tuple[NoteReport, ...] = ()


class Diagnosis(msgspec.Struct, frozen=True):
    """Everything that was found wrong in one run; `valid` when no error is among it."""

    format_version: str
    valid: bool
    errors: int
    warnings: int
    diagnostics: tuple[DiagnosticReport, ...]


# --- public form ------------------------------------------------------------------------------------------------------


def place_report(span: Span) -> PlaceReport:
    """Describe a place for the public."""
    return PlaceReport(encodable(span.file), span.line, span.column, span.end)


def diagnostic_report(one: Diagnostic) -> DiagnosticReport:
    """Describe a diagnostic for the public."""
    return DiagnosticReport(
        code=one.code,
        severity=one.severity.value,
        summary=encodable(one.summary),
        place=place_report(one.span),
        hint=encodable(one.hint),
        excerpt=encodable(one.excerpt),
        notes=tuple(
            NoteReport(encodable(note.text), place_report(note.span) if note.span else None) for note in one.notes
        ),
    )


def diagnosis(diagnostics: Iterable[Diagnostic]) -> Diagnosis:
    """Describe all diagnostics of one run for the public."""
    reports = tuple(diagnostic_report(one) for one in diagnostics)
    errors = sum(1 for one in reports if one.severity == Severity.ERROR.value)
    warnings = sum(1 for one in reports if one.severity == Severity.WARNING.value)
    return Diagnosis(FORMAT_VERSION, errors == 0, errors, warnings, reports)


def diagnosis_json(found: Diagnosis) -> bytes:
    """Write the public JSON form."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n"


# --- text -------------------------------------------------------------------------------------------------------------


def diagnostics_text(diagnostics: Iterable[DiagnosticReport], shown_file: Callable[[str], str] = str) -> str:
    """Write diagnostics one below the other, a blank line between them, and how many there are at the end.

    `shown_file` turns an absolute path into the one people see.
    """
    reports = tuple(diagnostics)
    if not reports:
        return ""
    parts = [diagnostic_text(one, shown_file) for one in reports]
    return "\n\n".join([*parts, _count(reports)]) + "\n"


def diagnostic_text(one: DiagnosticReport, shown_file: Callable[[str], str] = str) -> str:
    """Write one diagnostic: heading, place, the guilty line with carets, hint and notes."""
    place = one.place
    lines = [f"{one.severity}[{one.code}]: {neutral(one.summary)}", f"  --> {_where(place, shown_file)}"]
    gutter = len(str(place.line))
    if one.excerpt.strip():
        lines += _excerpt(one.excerpt, place, gutter, one.hint)
    elif one.hint:
        lines.append(f"{' ' * gutter} = hint: {neutral(one.hint)}")
    lines += [f"{' ' * gutter} = {_note(note, shown_file)}" for note in one.notes]
    return "\n".join(lines)


def _excerpt(excerpt: str, place: PlaceReport, gutter: int, hint: str) -> list[str]:
    blank, before = " " * gutter, excerpt[: place.column - 1]
    width = max(1, min(place.end, len(excerpt.rstrip()) + 1) - place.column)
    carets = " " * len(_shown(before)) + "^" * len(_shown(excerpt[place.column - 1 :][:width]) or "^")
    return [
        f"{blank} |",
        f"{place.line} | {_shown(excerpt.rstrip())}",
        f"{blank} | {carets} {neutral(hint)}".rstrip(),
    ]


def _shown(text: str) -> str:
    return neutral(text.replace("\t", _TAB))


def _where(place: PlaceReport, shown_file: Callable[[str], str]) -> str:
    return f"{neutral(shown_file(place.file))}:{place.line}:{place.column}"


def _note(note: NoteReport, shown_file: Callable[[str], str]) -> str:
    text = neutral(note.text)
    return f"{text} ({neutral(shown_file(note.place.file))}:{note.place.line})" if note.place else text


def _count(reports: tuple[DiagnosticReport, ...]) -> str:
    counted = ((word, sum(1 for one in reports if one.severity == word)) for word in ("error", "warning", "remark"))
    return ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for word, count in counted if count)
