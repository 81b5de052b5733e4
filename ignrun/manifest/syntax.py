"""Turns the complaints of the YAML scanner into diagnostics in our own words, and finds characters it would choke on."""

import re
from collections.abc import Callable
from typing import Any, Final

from yaml import YAMLError

from ignrun.manifest.files import TextFile
from ignrun.manifest.lines import lines_of
from ignrun.manifest.places import shown_line
from ignrun.terms.diagnostics import Diagnostic, diagnose
from ignrun.terms.spans import Span

_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]")
_QUOTES = "put a text that holds `: ` or begins with a special character in quotes"


def control_character(file: TextFile, lines: tuple[str, ...]) -> Diagnostic | None:
    """Find the first character that no YAML text may hold."""
    found = _CONTROL.search(file.text)
    if not found:
        return None
    before = lines_of(file.text[: found.start()])
    line, column = len(before), len(before[-1]) + 1
    summary = f"the character U+{ord(found[0]):04X} has no place in a YAML text"
    excerpt = _CONTROL.sub("\ufffd", shown_line(lines[line - 1]))
    span = Span(file.path, line, column, column + 1, file.digest)
    return diagnose(span, "IGN106", summary, hint="remove it; the file may be damaged", excerpt=excerpt)


def broken(file: TextFile, lines: tuple[str, ...], error: Exception) -> Diagnostic:
    """Say what is wrong with a text that is not YAML, at the place where that shows best."""
    mark = _best_mark(error, lines)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    text = lines[line - 1] if line <= len(lines) else ""
    summary, hint = _in_our_words(error, text, column)
    span = Span(file.path, line, column, column + 1, file.digest)
    return diagnose(span, "IGN110", summary, hint=hint, excerpt=shown_line(text))


def _best_mark(error: Exception, lines: tuple[str, ...]) -> Any:
    """Prefer the place of the problem, unless that is the end of the text or a quote was never closed."""
    mark, opened = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    at_end = mark is None or mark.line >= len(lines) or not "".join(lines[mark.line :])[mark.column :].strip()
    return opened if opened is not None and at_end else mark


def _in_our_words(error: Exception, line: str, column: int) -> tuple[str, str]:
    problem = getattr(error, "problem", None) or ""
    context = getattr(error, "context", None) or ""
    for part, words in _WORDS:
        if part in problem or part in context:
            return words(line, column)
    reason = " ".join(part for part in (context, problem) if part) if isinstance(error, YAMLError) else ""
    return f"this is not YAML: {reason or 'the text cannot be read'}", "check the indentation and the quotes here"


def _bad_start(line: str, column: int) -> tuple[str, str]:
    character = line[column - 1 : column]
    if character == "\t":
        return "a tab cannot indent", "use spaces"
    return f"a text cannot begin with `{character}`", "put it in quotes"


def _open_bracket(line: str, _column: int) -> tuple[str, str]:
    if "${" in line:
        return "the list or mapping in brackets breaks off here", "put `${...}` in quotes inside brackets"
    return "a list or mapping in brackets is not closed", "look for a missing `,`, `]` or `}`"


def _said(summary: str, hint: str) -> Callable[[str, int], tuple[str, str]]:
    return lambda _line, _column: (summary, hint)


_WORDS: Final[tuple[tuple[str, Callable[[str, int], tuple[str, str]]], ...]] = (
    ("quoted scalar", _said("a quoted text is not closed, or holds an escape that does not exist", "look for the closing quote; write `\\\\` for a backslash")),
    ("mapping values are not allowed", _said("a `:` cannot stand here", f"check the indentation; {_QUOTES}")),
    ("cannot start any token", _bad_start),
    ("while parsing a flow", _open_bracket),
    ("could not find expected ':'", _said("this line is neither `key: value` nor part of a text", "add the `:` or the quotes")),
    ("did not find expected key", _said("the indentation does not fit the lines above", "keys of one mapping begin in one column")),
    ("did not find expected '-' indicator", _said("the list ends here and something else begins in its column", "check the indentation")),
    ("block sequence entries are not allowed", _said("a list item cannot stand here", "begin the list on a line of its own")),
    ("undefined tag handle", _said("a tag such as `!name!` has no meaning here", "remove the tag")),
)  # fmt: skip
