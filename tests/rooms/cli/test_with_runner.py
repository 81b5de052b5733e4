"""Holds the verbs that speak with a runner to what it answers, over a real socket."""

import json

import pytest

from ignrun.render.alerts import AlertStatus
from ignrun.render.outcome import InstanceFault, OutcomeReport
from ignrun.render.status_report import FaultStatus
from ignrun.terms.events import ApplyBegan, ApplyEnded, LifecycleEvent
from ignrun.terms.failure import LockHeld
from ignrun.terms.states import ModuleState
from tests.rooms.cli.scripted import AT, serving

MANIFEST = "modules:\n  tags: {command: [sleep, '1']}\n  web: {command: [sleep, '1'], requires: [tags], env: {SITE: '${env:SITE}'}}\n"


@pytest.fixture
def four(plant_running_with_lock, place):
    """A plant `four` whose scripted runner answers, and its manifest."""
    (place / "four.yaml").write_text(MANIFEST)
    with serving(*plant_running_with_lock("four")) as steering:
        yield steering


@pytest.fixture(autouse=True)
def _site(monkeypatch) -> None:
    monkeypatch.setenv("SITE", "north")
    monkeypatch.setenv("OTHER", "private")


def test_status_shows_what_the_runner_says(four, ignrun) -> None:
    ended = ignrun("status")
    assert ended.code == 0
    assert [line.split()[:3] for line in ended.out.splitlines()[3:]] == [
        ["tags", "running", "healthy"],
        ["web", "running", "healthy"],
    ]
    assert json.loads(ignrun("status", "-o", "json").out)["plant"]["name"] == "four"


def test_apply_hands_over_the_names_that_the_manifest_asks_for_and_no_others(four, ignrun) -> None:
    assert ignrun("apply", "four.yaml").code == 0
    environment = four.asked[0].environment
    assert environment["SITE"] == "north"
    assert "OTHER" not in environment


def test_apply_tells_progress_on_stderr_and_the_outcome_on_stdout(four, ignrun) -> None:
    running = LifecycleEvent(ModuleState.STARTING, ModuleState.RUNNING, "ready")
    four.happens = [("", ApplyBegan(1, "", "cli", 2)), ("tags@gateway", running), ("", ApplyEnded(1, "committed", ""))]
    ended = ignrun("apply", "four.yaml")
    assert ended.out == "Applied.\n"
    assert ended.err.splitlines() == [
        "Plan: 2 to add. 0 unchanged.",
        "apply 1 began: 2 steps, asked for by cli",
        "tags: starting -> running: ready",
    ]


@pytest.mark.parametrize(
    ("result", "code"), [("committed", 0), ("unchanged", 0), ("held", 11), ("rejected", 3), ("refused", 1)]
)
def test_apply_ends_with_the_code_of_its_outcome(four, ignrun, result, code) -> None:
    four.outcome = OutcomeReport("1.0", 1, result, 1, "")
    assert ignrun("apply", "four.yaml").code == code


def test_a_held_apply_names_who_did_not_arrive(four, ignrun) -> None:
    fault = FaultStatus("not-started", "there is no program `nope`")
    four.outcome = OutcomeReport("1.0", 1, "held", 1, "1 of 2 arrived", (InstanceFault("web@gateway", fault),))
    shown = ignrun("apply", "four.yaml").out
    assert "  web: there is no program `nope`\n" in shown
    assert json.loads(ignrun("apply", "four.yaml", "-o", "json").out)["faults"][0]["address"] == "web@gateway"


def test_a_failure_in_the_runner_ends_the_client_with_the_same_code(four, ignrun) -> None:
    four.failure = LockHeld("the plant", "process 7")
    ended = ignrun("apply", "four.yaml")
    assert ended.code == 5
    assert "error: the plant is held by process 7" in ended.err


def test_apply_does_not_wait_when_told_so(four, ignrun) -> None:
    four.happens = [("", ApplyBegan(1, "", "cli", 2))]
    ended = ignrun("apply", "four.yaml", "--no-wait")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.endswith("the runner has begun; `ignrun status` shows how far it is\n")


def test_an_invalid_manifest_does_not_reach_the_runner(four, ignrun, place) -> None:
    (place / "four.yaml").write_text("modules:\n  web: {command: [sleep, '1'], requires: [tag]}\n")
    ended = ignrun("apply", "four.yaml")
    assert ended.code == 3
    assert "error[IGN301]" in ended.err
    assert ended.err.endswith("nothing was touched\n")
    assert four.asked == []


def test_a_dry_run_does_not_reach_the_runner(four, ignrun) -> None:
    assert ignrun("apply", "four.yaml", "--dry-run").code == 0
    assert four.asked == []


def test_a_dry_run_in_json_gives_the_plan_as_plan_does(four, ignrun) -> None:
    ended = ignrun("apply", "four.yaml", "--dry-run", "-o", "json")
    assert ended.code == 0
    assert json.loads(ended.out) == json.loads(ignrun("plan", "four.yaml", "-o", "json").out)


def test_restart_means_every_instance_of_a_module(four, ignrun) -> None:
    ended = ignrun("restart", "web", "tags@gateway")
    assert (ended.code, ended.err) == (0, "web@gateway: restarted\ntags@gateway: restarted\n")
    assert four.asked == [("restart", "web@gateway"), ("restart", "tags@gateway")]


def test_restart_of_a_stranger_names_those_that_are_there(four, ignrun) -> None:
    ended = ignrun("restart", "wob")
    assert ended.code == 1
    assert ended.err == ("error: the plant has no module `wob`\nhint: it has `tags@gateway`, `web@gateway`\n")


def test_a_refused_restart_is_a_failure_in_the_runners_words(four, ignrun) -> None:
    four.refusal = "an apply is under way"
    ended = ignrun("restart", "web")
    assert (ended.code, ended.err) == (1, "error: an apply is under way\n")


def test_down_waits_until_the_runner_has_ended(four, ignrun) -> None:
    ended = ignrun("down")
    assert (ended.code, ended.err) == (0, "plant `four` is down\n")
    assert four.asked == ["down"]


def test_run_does_not_take_a_plant_from_its_runner(four, ignrun) -> None:
    ended = ignrun("run", "four.yaml")
    assert ended.code == 5
    assert "is held by process" in ended.err


@pytest.mark.parametrize(
    ("words", "asked", "said"),
    [
        (("start",), "start", "started"),
        (("stop",), "stop", "stopped"),
        (("maintenance",), "maintenance", "in maintenance"),
        (("maintenance", "--off"), "resume", "supervised again"),
    ],
)
def test_operating_asks_one_thing_of_every_instance_that_is_meant(four, ignrun, words, asked, said) -> None:
    ended = ignrun(*words, "web", "web@gateway", "tags")
    assert (ended.code, ended.err) == (0, f"web@gateway: {said}\ntags@gateway: {said}\n")
    assert four.asked == [(asked, "web@gateway"), (asked, "tags@gateway")]


def test_after_a_refusal_the_others_are_still_asked(four, ignrun) -> None:
    four.refusal = "it is being removed"
    ended = ignrun("stop", "web", "tags")
    assert (ended.code, len(four.asked)) == (1, 2)
    assert ended.err == "tags@gateway: it is being removed\nerror: it is being removed\n"


def test_wait_and_health_know_what_runs(four, ignrun) -> None:
    assert ignrun("wait", "web", "--for", "running").code == 0
    late = ignrun("wait", "web", "--for", "stopped", "--timeout", "0.1")
    assert (late.code, late.err.splitlines()[0]) == (
        12,
        "error: not stopped in time: web@gateway is running, healthy",
    )
    assert json.loads(ignrun("health", "web", "-o", "json").out)["instances"][0]["health"] == "healthy"


def test_an_interrupted_client_says_that_the_runner_goes_on(four, ignrun, monkeypatch) -> None:
    def interrupted(*_, **__) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ignrun.cli.apply.through_runner", interrupted)
    ended = ignrun("apply", "four.yaml")
    assert ended.code == 130
    assert ended.err.endswith(") goes on: `ignrun status` shows how far it is, `ignrun down` ends it\n")


def test_top_shows_processes_and_alerts_what_fires(four, ignrun) -> None:
    shown = ignrun("top", "--once")
    assert shown.code == 0 and shown.out.startswith("plant: 1 processes, 12.5 % of a processor, 1 MiB\n")
    assert json.loads(ignrun("top", "-o", "json").out)["processes"][0]["instances"] == ["tags@gateway", "web@gateway"]
    assert (quiet := ignrun("alerts")).code == 0 and quiet.out == "no alert fires (1 rule)\n"
    four.firing = (AlertStatus("big", "web@gateway", "critical", "firing", AT, "memory is high"),)
    fires = ignrun("alerts")
    assert fires.code == 11 and "memory is high" in fires.out
    assert json.loads(ignrun("alerts", "-o", "json").out)["alerts"][0]["alert"] == "big"


def test_the_history_of_a_plant_that_never_ran_is_none(four, ignrun) -> None:
    assert ignrun("status", "--history").code == 13
    assert ignrun("status", "--since", "1h").code == 2


def test_a_report_is_asked_of_the_runner_and_written_for_its_owner_alone(four, ignrun, place) -> None:
    ended = ignrun("report", "--out", "mine.zip")
    assert ended.code == 0 and ended.out.strip().endswith("mine.zip")
    assert (place / "mine.zip").read_bytes() == b"PK archive"
    assert (place / "mine.zip").stat().st_mode & 0o777 == 0o600
    assert "look through it before you hand it on" in ended.err
