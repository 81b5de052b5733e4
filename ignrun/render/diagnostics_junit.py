"""Turns diagnostics into JUnit XML: a suite for each file, a case for each diagnostic, and one for a manifest that is valid."""

from collections.abc import Callable
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from ignrun.render.diagnostics import Diagnosis, DiagnosticReport, diagnostic_text
from ignrun.render.terminal import neutral, neutral_lines

_ERROR: Final = "error"


def diagnostics_junit(diagnosis: Diagnosis, manifest: str, shown_file: Callable[[str], str] = str) -> str:
    """Write JUnit XML; errors are failures, warnings and remarks cases that passed with their text as output.

    A valid manifest has a case of its own, `manifest is valid`, so that its report is not an empty one.
    """
    files = dict.fromkeys([manifest, *(one.place.file for one in diagnosis.diagnostics)])
    valid = {manifest: [_valid(shown_file(manifest))]} if diagnosis.valid else {}
    suites = "".join(_suite(file, diagnosis, valid.get(file, []), shown_file) for file in files)
    tests = len(diagnosis.diagnostics) + diagnosis.valid
    head = f'name="ignrun validate" tests="{tests}" failures="{diagnosis.errors}" errors="0" time="0"'
    return f'<?xml version="1.0" encoding="utf-8"?>\n<testsuites {head}>\n{suites}</testsuites>\n'


def _suite(file: str, diagnosis: Diagnosis, first: list[str], shown_file: Callable[[str], str]) -> str:
    here = [one for one in diagnosis.diagnostics if one.place.file == file]
    cases = [*first, *(_case(one, shown_file) for one in here)]
    failed = sum(1 for one in here if one.severity == _ERROR)
    head = f'name={_quoted(shown_file(file))} tests="{len(cases)}" failures="{failed}" errors="0" skipped="0" time="0"'
    return f"  <testsuite {head}>\n{''.join(cases)}  </testsuite>\n"


def _valid(file: str) -> str:
    return f'    <testcase classname="ignrun.validate" name="manifest is valid" file={_quoted(file)} time="0"/>\n'


def _case(one: DiagnosticReport, shown_file: Callable[[str], str]) -> str:
    where = f"{shown_file(one.place.file)}:{one.place.line}:{one.place.column}"
    name = f"{where} {one.summary}"
    head = f'classname={_quoted(one.code)} name={_quoted(name)} file={_quoted(shown_file(one.place.file))} line="{one.place.line}" time="0"'
    told = escape("\n".join(neutral_lines(diagnostic_text(one, shown_file))))
    if one.severity == _ERROR:
        body = f"<failure type={_quoted(one.code)} message={_quoted(one.summary)}>{told}</failure>"
    else:
        body = f"<system-out>{told}</system-out>"
    return f"    <testcase {head}>\n      {body}\n    </testcase>\n"


def _quoted(text: str) -> str:
    return quoteattr(neutral(text))
