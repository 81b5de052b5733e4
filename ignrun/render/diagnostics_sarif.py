"""Turns diagnostics into SARIF 2.1.0, the form in which code hosts and editors take findings."""

from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import quote

import msgspec

from ignrun import __version__
from ignrun.render.diagnostics import DiagnosticReport, PlaceReport
from ignrun.render.terminal import neutral
from ignrun.terms.codes import CODES

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT: Final = "%SRCROOT%"
_LEVELS: Final = {"error": "error", "warning": "warning", "remark": "note"}


def diagnostics_sarif(
    diagnostics: Iterable[DiagnosticReport], root: str, shown_file: Callable[[str], str] = str
) -> bytes:
    """Write a log of one run; paths that `shown_file` makes relative are relative to the folder `root`."""
    reports = tuple(diagnostics)
    codes = list(dict.fromkeys(one.code for one in reports))
    run = {
        "tool": {"driver": {"name": "ignrun", "version": __version__, "rules": [_rule(code) for code in codes]}},
        "invocations": [{"executionSuccessful": True}],
        "originalUriBaseIds": {_ROOT: {"uri": f"file://{_path(root.rstrip('/'))}/"}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, codes.index(one.code), shown_file) for one in reports],
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(log), indent=2) + b"\n"


def _rule(code: str) -> dict[str, Any]:
    info = CODES.get(code)
    if info is None:
        return {"id": code}
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in info.title.replace("-", " ").split()),
        "shortDescription": {"text": info.title},
        "fullDescription": {"text": info.explanation},
        "help": {"text": f"{info.explanation} More: ignrun explain {code}"},
    }


def _result(one: DiagnosticReport, rule: int, shown_file: Callable[[str], str]) -> dict[str, Any]:
    text = neutral(one.summary) + (f" ({neutral(one.hint)})" if one.hint else "")
    result: dict[str, Any] = {
        "ruleId": one.code,
        "ruleIndex": rule,
        "level": _LEVELS[one.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": _physical(one.place, shown_file, one.excerpt)}],
    }
    beside = [
        {"id": number, "message": {"text": neutral(note.text)}, "physicalLocation": _physical(note.place, shown_file)}
        for number, note in enumerate(one.notes)
        if note.place
    ]
    return result | {"relatedLocations": beside} if beside else result


def _physical(place: PlaceReport, shown_file: Callable[[str], str], excerpt: str = "") -> dict[str, Any]:
    region: dict[str, Any] = {"startLine": place.line, "startColumn": place.column}
    region["endColumn"] = max(place.end, place.column)
    if excerpt:
        region["snippet"] = {"text": neutral(excerpt)}
    return {"artifactLocation": _artifact(shown_file(place.file)), "region": region}


def _artifact(shown: str) -> dict[str, str]:
    if PurePosixPath(shown).is_absolute():
        return {"uri": f"file://{_path(shown)}"}
    return {"uri": _path(shown), "uriBaseId": _ROOT}


def _path(shown: str) -> str:
    """Write a path as the path of a URI."""
    return quote(shown.encode("utf-8", "backslashreplace"))
