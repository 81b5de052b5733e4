"""Holds the text and the JSON of a plan to the forms that apply.md gives."""

from typing import get_args

import msgspec

from ignrun.planner.plan.model import Action, Change, DependencyMoved, Edited, Plan, Requested, SharesHost, Step
from ignrun.render.plan import SIGNS, encode_plan, footer, plan_report, plan_text, shown_value
from ignrun.terms.names import Address
from ignrun.terms.spans import Span
from tests.rooms.render.plants import at_line, hosted, needs

TAGS, HISTORIAN, WEB, OLD = (Address(f"{name}@gateway") for name in ("tags", "historian", "web", "old"))

PLAN = Plan(
    3,
    "feed",
    (
        Step(OLD, "delete", Edited(at_line(30))),
        Step(
            HISTORIAN,
            "restart",
            Edited(at_line(14, 7)),
            (
                Change(("config", "flush"), "5s", "10s", at_line(14, 7)),
                Change(("config", "servers", 0, "password"), "(secret 0a1b)", "(secret 2c3d)"),
                Change(("lifecycle", "stop_timeout"), None, 5.0, unit="duration"),
            ),
            interrupts=(TAGS,),
            host="gateway",
        ),
        Step(WEB, "restart", DependencyMoved(needs(WEB, HISTORIAN))),
        Step(Address("alarms@gateway"), "create", Edited(at_line(40))),
    ),
    9,
    {"gateway": (TAGS, HISTORIAN, WEB)},
)


def test_a_plan_reads_as_signs_causes_with_their_place_changed_paths_and_a_footer() -> None:
    assert plan_text(plan_report(PLAN)) == (
        "  - old  delete\n"
        "      removed at /plants/line.yaml:30:3\n"
        "  ^ historian  restart\n"
        "      edited at /plants/line.yaml:14:7\n"
        "      flush: 5s -> 10s\n"
        "      servers[0].password: (secret changed)\n"
        "      lifecycle.stop_timeout: (none) -> 5s\n"
        "      interrupts tags\n"
        "      shares process `gateway` with tags, web\n"
        "  ^ web  restart\n"
        "      because `historian` moves, at /plants/line.yaml:9:3\n"
        "  + alarms  create\n"
        "      new at /plants/line.yaml:40:3\n"
        "\n"
        "Plan: 1 to add, 2 to restart (1 because of a dependency), 1 to delete. 9 unchanged.\n"
    )


def test_an_empty_plan_says_so_in_one_line() -> None:
    assert plan_text(plan_report(Plan(3, "feed", (), 6))) == "Plan: nothing to do. 6 unchanged.\n"


def test_scopes_are_shown_once_the_plant_has_several() -> None:
    text = plan_text(plan_report(PLAN), addresses=["basic@designer"])
    assert "  ^ historian@gateway  restart\n" in text


def test_every_cause_says_who_or_where() -> None:
    steps = (Step(TAGS, "restart", SharesHost(WEB)), Step(WEB, "restart", Requested("anna")))
    text = plan_text(plan_report(Plan(1, "", steps, 0)))
    assert "because it shares a process with `web`" in text
    assert "because anna asked for it" in text


def test_the_json_form_has_the_keys_that_are_promised_and_no_others() -> None:
    form = msgspec.json.decode(encode_plan(plan_report(PLAN)))
    assert set(form) == {
        "format_version", "base_generation", "target_digest", "changes", "diagnostics", "summary",
        "hosts", "edited", "made_from",
    }  # fmt: skip
    assert set(form["changes"][1]) == {
        "address", "action", "cause", "paths", "before", "after", "caused_by", "step", "place", "interrupts",
        "slots", "host", "units", "irreversible", "files",
    }  # fmt: skip
    assert form["changes"][1]["paths"] == ["config.flush", "config.servers[0].password", "lifecycle.stop_timeout"]
    assert form["changes"][1]["after"]["config.flush"] == "10s"
    assert form["changes"][2]["caused_by"] == "historian@gateway"
    assert form["summary"]["unchanged"] == 9


def test_the_json_form_of_the_same_plan_is_the_same_to_the_byte() -> None:
    again = msgspec.json.decode(msgspec.json.encode(PLAN), type=Plan)
    assert encode_plan(plan_report(again)) == encode_plan(plan_report(PLAN))


def test_every_action_has_a_sign_and_is_counted() -> None:
    for action in get_args(Action)[:-1]:
        text = plan_text(plan_report(Plan(1, "", (Step(TAGS, action, Edited(at_line(1))),), 0)))
        assert text.lstrip().startswith(f"{SIGNS[action]} tags  {action}")
        assert footer(plan_report(Plan(1, "", (Step(TAGS, action, Edited(at_line(1))),), 0))).startswith("Plan: 1 to ")


def test_values_stay_on_one_line_and_cannot_steer_a_terminal() -> None:
    assert shown_value("a\nb\x1b[2J") == "a\\x0ab\\x1b[2J"
    assert shown_value("") == '""'
    assert shown_value({"a": [1, True]}) == '{"a":[1,true]}'
    assert len(shown_value("x" * 500)) == 72


def test_a_change_of_code_names_the_file_and_no_digests() -> None:
    changed = Step(TAGS, "restart", Edited(at_line(1)), (Change(("code",), "0a1b", "2c3d"),))
    text = plan_text(plan_report(Plan(1, "", (changed,), 0)), addresses={TAGS: hosted(TAGS)})
    assert "      code changed: plant.py\n" in text
    assert "0a1b" not in text


def test_a_value_from_the_command_line_or_the_environment_names_the_option_or_the_variable() -> None:
    change = (Change(("config", "interval"), "1s", "200ms"),)
    for file, said in (
        ("--set", "set by `--set tags.interval=200ms`"),
        ("$IGN_TAGS__INTERVAL", "set by `$IGN_TAGS__INTERVAL`"),
    ):
        step = Step(TAGS, "restart", Edited(Span(file, 1, 1, 2)), change)
        assert f"      {said}\n" in plan_text(plan_report(Plan(1, "", (step,), 0)))


def test_what_no_rollback_undoes_and_a_changed_package_are_marked() -> None:
    final = Step(TAGS, "restart", Edited(at_line(1)), irreversible=True)
    text = plan_text(plan_report(Plan(1, "", (final,), 0)))
    assert "  ^ tags  restart !\n" in text
    assert "      ! no rollback undoes this\n" in text
    package = Step(TAGS, "replace", Edited(at_line(1)), (Change(("packages",), ["a==1"], ["a==2"]),))
    assert "-/+ tags  replace !\n" in plan_text(plan_report(Plan(1, "", (package,), 0)))


def test_seconds_and_bytes_are_written_with_their_unit_where_nothing_is_lost() -> None:
    assert [shown_value(one, "duration") for one in (5.0, 0.25, 90.0, None)] == ["5s", "250ms", "1m30s", "(none)"]
    assert shown_value(1.0000001, "duration") == "1.0000001"
    assert shown_value(65536, "size") == "64KiB"


def test_many_who_share_a_process_are_counted() -> None:
    many = tuple(Address(f"m{number}@gateway") for number in range(20))
    plan = Plan(1, "", (Step(many[0], "restart", Edited(at_line(1)), host="gateway"),), 19, {"gateway": many})
    assert "shares process `gateway` with m1, m2, m3, m4, m5, m6, m7, m8 and 11 more\n" in plan_text(plan_report(plan))


def test_texts_that_differ_and_mean_the_same_are_said_to() -> None:
    assert (
        plan_text(plan_report(Plan(3, "", (), 6, edited=True)))
        == "Plan: nothing to do (edited, no effect). 6 unchanged.\n"
    )
