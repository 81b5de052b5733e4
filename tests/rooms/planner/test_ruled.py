"""Rules over a plan run in a child with limits; whatever they do, the answer is a ruling or a refusal."""

from pathlib import Path

import pytest

from ignrun.planner.reader.ruled import Finding, Ruling, rule_bounded
from ignrun.terms.verdict import Accepted, Rejected
from tests.rooms.planner.reading import lines, write

PLAN = b'{"changes": [{"address": "a@gateway", "action": "delete"}]}'


def ruled(folder: Path, text: str) -> Ruling:
    verdict = rule_bounded(write(folder, "rules.py", text), PLAN)
    assert isinstance(verdict, Accepted)
    return verdict.value


def refused(folder: Path, text: str) -> str:
    verdict = rule_bounded(write(folder, "rules.py", text), PLAN)
    assert isinstance(verdict, Rejected)
    [line] = lines(verdict.diagnostics)
    return line


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        ("return None", []),
        ("return []", []),
        ("return False", []),
        ("return 'no'", ["no"]),
        ("return ['a', 'b']", ["a", "b"]),
        ("return True", ["refused without a word"]),
        ("yield from (c['address'] for c in plan['changes'])", ["a@gateway"]),
    ],
)
def test_what_a_rule_returns_is_what_it_found(tmp_path, body, messages):
    ruling = ruled(tmp_path, f"def deny_it(plan):\n    {body}\n")
    assert [one.message for one in ruling.findings] == messages
    assert ruling.refuses is bool(messages)


def test_a_rule_that_warns_refuses_nothing(tmp_path):
    ruling = ruled(tmp_path, "def warn(plan): return 'hm'\ndef helper(plan): return 'never asked'\n")
    assert ruling == Ruling(("warn",), (Finding("warn", "advisory", "hm"),))
    assert not ruling.refuses


def test_a_rule_that_fails_refuses_even_where_it_only_warns(tmp_path):
    ruling = ruled(
        tmp_path, "def warn_x(plan): return plan['nothing']\ndef deny_y(plan):\n    yield 'first'\n    1 / 0\n"
    )
    assert [one.message for one in ruling.findings] == [
        "the rule failed: KeyError: 'nothing'", "first", "the rule failed: ZeroDivisionError: division by zero",
    ]  # fmt: skip
    assert ruling.refuses


def test_rules_may_import_what_lies_beside_them_and_change_nothing_for_each_other(tmp_path):
    write(tmp_path, "limits_of_ours.py", "MOST = 0\n")
    text = """\
        from limits_of_ours import MOST
        def deny_a(plan): return plan["changes"].clear()
        def deny_b(plan): return f"{len(plan['changes'])} changes" if len(plan["changes"]) > MOST else None
    """
    assert [one.message for one in ruled(tmp_path, text).findings] == ["1 changes"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\n", "1:1 IGN605 there are no rules"),
        ("x = 1\ndef deny(:\n", "2:1 IGN605 the rules cannot be loaded: SyntaxError"),
        ("x = 1\n\nraise ValueError('no')\n", "3:1 IGN605 the rules cannot be loaded: ValueError: no"),
        ("while True: pass\n", "1:1 IGN115"),
        ("x = 'a' * 10**10\n", "IGN"),
    ],
)
def test_rules_that_cannot_be_asked_refuse_at_their_place(tmp_path, text, said):
    assert said in refused(tmp_path, text)
