"""Holds the text of a diagnostic to the form that manifest.md prints."""

import msgspec

from ignrun.render.diagnostics import diagnosis, diagnostics_text
from ignrun.terms.diagnostics import Note, Severity, diagnose
from ignrun.terms.spans import Span


def text_of(*diagnostics) -> str:
    return diagnostics_text(diagnosis(diagnostics).diagnostics)


UNKNOWN = diagnose(
    Span("manifests/plant.yaml", 14, 7, 16),
    "IGN204",
    "unknown key `intervall` in config of module `tags`",
    hint="did you mean `interval`?",
    excerpt="      intervall: 2s",
    notes=[Note("declared by com.example.system-tags 1.2.0", Span("modules/system-tags/module.yaml", 31, 5, 9))],
)


def test_a_diagnostic_shows_its_line_with_carets_its_hint_and_where_it_was_declared() -> None:
    assert text_of(UNKNOWN) == (
        "error[IGN204]: unknown key `intervall` in config of module `tags`\n"
        "  --> manifests/plant.yaml:14:7\n"
        "   |\n"
        "14 |       intervall: 2s\n"
        "   |       ^^^^^^^^^ did you mean `interval`?\n"
        "   = declared by com.example.system-tags 1.2.0 (modules/system-tags/module.yaml:31)\n"
        "\n"
        "1 error\n"
    )


def test_without_a_line_the_hint_stands_on_its_own() -> None:
    missing = diagnose(Span.of_file("gone.yaml"), "IGN101", "there is no such file", hint="check the path")
    assert text_of(missing).splitlines()[:3] == [
        "error[IGN101]: there is no such file",
        "  --> gone.yaml:1:1",
        "  = hint: check the path",
    ]


def test_carets_stay_below_their_word_when_a_tab_stands_before_it() -> None:
    tabbed = diagnose(Span("a.yaml", 1, 2, 5), "IGN110", "a tab", excerpt="\tkey: 1")
    line, carets = text_of(tabbed).splitlines()[3:5]
    assert line.index("key") == carets.index("^")
    assert carets.count("^") == 3


def test_carets_never_run_past_the_end_of_the_line() -> None:
    wide = diagnose(Span("a.yaml", 1, 3, 400), "IGN110", "too wide", excerpt="a: b")
    assert text_of(wide).splitlines()[4].count("^") == 2


def test_all_are_told_and_counted_by_weight() -> None:
    remark = diagnose(Span("a.yaml", 1, 1, 2), "IGN506", "known at apply", severity=Severity.REMARK)
    assert text_of(UNKNOWN, UNKNOWN, remark).endswith("\n\n2 errors, 1 remark\n")


def test_terminal_escapes_in_a_manifest_do_not_reach_the_terminal() -> None:
    nasty = diagnose(Span("a\x1b[2J.yaml", 1, 1, 2), "IGN204", "unknown key `\x1b[31m`", excerpt="\x1b[31m: 1")
    assert "\x1b" not in text_of(nasty)


def test_the_public_form_says_whether_the_manifest_is_valid() -> None:
    warning = diagnose(Span("a.yaml", 1, 1, 2), "IGN291", "not yet in effect", severity=Severity.WARNING)
    assert diagnosis([warning]).valid
    form = msgspec.to_builtins(diagnosis([UNKNOWN, warning]))
    assert (form["format_version"], form["valid"], form["errors"], form["warnings"]) == ("1.0", False, 1, 1)
    assert form["diagnostics"][0]["place"] == {"file": "manifests/plant.yaml", "line": 14, "column": 7, "end": 16}
