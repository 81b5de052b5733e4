"""Turns diagnostics into workflow commands, which GitHub shows at the lines of a change."""

from collections.abc import Callable, Iterable
from typing import Final

from ignrun.render.diagnostics import DiagnosticReport, NoteReport
from ignrun.render.terminal import neutral

_COMMANDS: Final = {"error": "error", "warning": "warning", "remark": "notice"}
_DATA: Final = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY: Final = {**_DATA, ":": "%3A", ",": "%2C"}


def diagnostics_github(diagnostics: Iterable[DiagnosticReport], shown_file: Callable[[str], str] = str) -> str:
    """Write one workflow command a line for each diagnostic; `shown_file` gives a path relative to the checkout."""
    return "".join(f"{_command(one, shown_file)}\n" for one in diagnostics)


def _command(one: DiagnosticReport, shown_file: Callable[[str], str]) -> str:
    place = one.place
    properties = {
        "file": neutral(shown_file(place.file)),
        "line": str(place.line),
        "endLine": str(place.line),
        "col": str(place.column),
        "endColumn": str(max(place.column, place.end - 1)),
        "title": f"{one.code}: {neutral(one.summary)}",
    }
    written = ",".join(f"{key}={_escaped(value, _PROPERTY)}" for key, value in properties.items())
    return f"::{_COMMANDS[one.severity]} {written}::{_escaped(_message(one, shown_file), _DATA)}"


def _message(one: DiagnosticReport, shown_file: Callable[[str], str]) -> str:
    hint = [f"hint: {neutral(one.hint)}"] if one.hint else []
    return "\n".join([neutral(one.summary), *hint, *(_note(note, shown_file) for note in one.notes)])


def _note(note: NoteReport, shown_file: Callable[[str], str]) -> str:
    text = neutral(note.text)
    return f"{text} ({neutral(shown_file(note.place.file))}:{note.place.line})" if note.place else text


def _escaped(text: str, table: dict[str, str]) -> str:
    return "".join(table.get(letter, letter) for letter in text)
