"""Holds every verb to an honest answer where nobody runs the plant."""

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ignrun.planner.proposal import Base
from ignrun.protocol import kin
from ignrun.runtime.engines.places import plant_token
from ignrun.runtime.journal.current import publish_current
from ignrun.runtime.journal.folder import StateFolder
from ignrun.runtime.journal.schema import open_store
from ignrun.runtime.journal.store import write_events
from ignrun.runtime.observe.record import LogRecord, encode_record
from ignrun.terms.events import Event, OperatorAsked, ProcessStarted, RunnerEnded, RunnerStarted
from tests.rooms.render.plants import LINE

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def remembers():
    """Let the journal of a plant hold these events."""

    def write(record, *bodies) -> None:
        store = open_store(StateFolder(Path(record.state_dir)).journal)
        write_events(store, [Event(at, AT, 0.0, "", 0, body) for at, body in enumerate(bodies, 1)])
        store.close()

    return write


def test_status_of_nothing_is_13(ignrun) -> None:
    ended = ignrun("status")
    assert (ended.code, ended.out) == (13, "")
    assert ended.err == "error: no runner is alive\nhint: `ignrun apply MANIFEST` starts one\n"


def test_status_of_nothing_as_json_is_json_too(ignrun) -> None:
    ended = ignrun("status", "-o", "json")
    plant = json.loads(ended.out)["plant"]
    assert (ended.code, plant["state"], plant["note"]) == (13, "down", "no runner is alive")
    named = ignrun("status", "-n", "mine", "-o", "json")
    assert (named.code, json.loads(named.out)["plant"]["name"]) == (13, "mine")


def test_an_invalid_manifest_is_an_outcome_as_json_too(ignrun, place) -> None:
    (place / "ignrun.yaml").write_text("modules:\n  web: {command: [sleep, '1'], requires: [tag]}\n")
    ended = ignrun("apply", "-o", "json")
    outcome = json.loads(ended.out)
    assert (ended.code, outcome["result"], outcome["diagnostics"][0]["code"]) == (3, "rejected", "IGN301")


def test_status_says_that_a_plant_is_down_in_good_order(ignrun, plant_lying, remembers) -> None:
    remembers(plant_lying("four"), RunnerStarted(4242, "0.1.0"), RunnerEnded(0))
    ended = ignrun("status")
    assert ended.code == 13
    assert ended.out == ("plant four: down\nthe runner (pid 4242) ended in good order at 2026-01-02 03:04:05 UTC\n")


def test_a_runner_that_said_its_last_word_is_not_lost_whatever_was_kept_after_it(
    ignrun, plant_lying, remembers
) -> None:
    remembers(plant_lying("four"), RunnerStarted(4242, "0.1.0"), RunnerEnded(130), OperatorAsked("down", "SIGINT"))
    assert "ended in good order" in ignrun("status").out


def test_the_last_word_of_the_runner_before_does_not_count(ignrun, plant_lying, remembers) -> None:
    remembers(plant_lying("four"), RunnerEnded(0), RunnerStarted(4242, "0.1.0"), ProcessStarted(7, "host gateway"))
    assert "ended without a word" in ignrun("status").out


def test_a_runner_that_ended_with_a_bug_is_not_said_to_have_ended_in_good_order(ignrun, plant_lying, remembers) -> None:
    remembers(plant_lying("four"), RunnerStarted(4242, "0.1.0"), RunnerEnded(70))
    assert "ended after a bug of its own at" in ignrun("status").out


def test_status_says_that_a_runner_ended_without_a_word(ignrun, plant_lying, remembers) -> None:
    remembers(plant_lying("four"), RunnerStarted(4242, "0.1.0"), ProcessStarted(7, "host gateway"))
    ended = ignrun("status")
    assert ended.code == 13
    assert "plant four: lost\nthe runner (pid 4242) ended without a word at 2026-01-02 03:04:05 UTC" in ended.out
    assert "hint: nothing of the plant runs any more" in ended.err


def test_what_a_lost_runner_left_is_counted_as_long_as_it_lives(ignrun, plant_lying, remembers) -> None:
    record = plant_lying("four")
    remembers(record, RunnerStarted(4242, "0.1.0"))
    marker = kin.marker_of(plant_token(Path(record.state_dir)), "web@gateway", 1)
    with subprocess.Popen(["sleep", "60"], env={**os.environ, kin.MARKER: marker}) as left:
        said = ignrun("status").err
        left.kill()
    assert "hint: what is left of it (1 process) is being ended; `ignrun apply` brings it up again\n" in said
    assert "nothing of the plant runs any more" in ignrun("status").err


def test_status_as_json_has_the_same_form_without_a_runner(ignrun, plant_lying, remembers) -> None:
    remembers(plant_lying("four"), RunnerStarted(4242, "0.1.0"))
    ended = ignrun("status", "-o", "json")
    form = json.loads(ended.out)
    assert (form["plant"]["state"], form["plant"]["socket"], form["instances"]) == ("lost", None, [])


def test_status_says_that_a_runner_is_beginning(ignrun, plant_running) -> None:
    record = plant_running("four")
    Path(record.state_dir, "runner.json").unlink()
    Path(record.state_dir, "journal.sqlite").touch()
    assert ignrun("status").out.splitlines()[1] == "a runner is beginning"


@pytest.mark.parametrize("arguments", [("down",), ("down", "-m", "gone.yaml"), ("down", "-n", "nobody")])
def test_down_without_a_runner_is_done(ignrun, arguments) -> None:
    ended = ignrun(*arguments)
    assert ended.code == 0
    assert ended.err.endswith(": nothing to do\n")


def test_down_of_a_plant_that_lies_here_is_done(ignrun, plant_lying) -> None:
    plant_lying("four")
    assert ignrun("down").err == "no runner is alive for plant `four`: nothing to do\n"


def test_several_plants_are_a_usage_error_that_lists_them(ignrun, plant_lying) -> None:
    plant_lying("four")
    plant_lying("five")
    for verb in (("status",), ("down",), ("restart", "web")):
        ended = ignrun(*verb)
        assert ended.code == 2
        assert "five (" in ended.err
        assert "four (" in ended.err


def test_restart_without_a_runner_is_13(ignrun, plant_lying) -> None:
    plant_lying("four")
    ended = ignrun("restart", "web")
    assert ended.code == 13
    assert ended.err.startswith("error: no runner is alive for plant `four`\nhint: `ignrun apply ")


def test_apply_no_start_without_a_runner_is_13_and_makes_nothing(ignrun, place) -> None:
    (place / "ignrun.yaml").write_text("modules: {}\n")
    assert ignrun("apply", "--no-start").code == 13
    assert not (place / ".ignrun").exists()


def test_events_are_read_from_the_journal(ignrun, plant_lying, remembers) -> None:
    remembers(plant_lying("four"), RunnerStarted(4242, "0.1.0"), RunnerEnded(0))
    assert ignrun("events", "--lines", "1").out == "2026-01-02T03:04:05.000Z #2 runner ended with exit code 0\n"
    first = json.loads(ignrun("events", "-o", "json").out.splitlines()[0])
    assert first["body"] == {"type": "runner-started", "pid": 4242, "version": "0.1.0"}


def test_following_events_needs_a_runner(ignrun, plant_lying, remembers) -> None:
    remembers(plant_lying("four"), RunnerStarted(4242, "0.1.0"))
    assert ignrun("events", "-f").code == 13


def test_logs_are_read_from_the_files_and_neutralised(ignrun, plant_lying) -> None:
    logs = StateFolder(Path(plant_lying("four").state_dir)).logs
    lines = [LogRecord(AT, "info", "up", "web@gateway"), LogRecord(AT, "error", "\x1b[2Jno", "web@gateway")]
    (logs / "web.log").write_bytes(b"".join(map(encode_record, lines)))
    shown = ignrun("logs", "web").out.splitlines()
    assert [line.split(" | ")[0] for line in shown] == ["web", "web"]
    assert shown[1].endswith("ERROR   \\x1b[2Jno")
    assert len(ignrun("logs", "--level", "error").out.splitlines()) == 1
    assert json.loads(ignrun("logs", "-o", "json", "--lines", "1").out)["level"] == "error"


def test_logs_of_a_module_that_wrote_nothing_name_those_that_did(ignrun, plant_lying) -> None:
    logs = StateFolder(Path(plant_lying("four").state_dir)).logs
    (logs / "web.log").write_bytes(encode_record(LogRecord(AT, "info", "up", "web@gateway")))
    ended = ignrun("logs", "wob")
    assert (ended.code, ended.err) == (1, "error: `wob` has written nothing\nhint: there are lines of `web`\n")


def test_logs_of_a_stranger_name_the_module_that_may_be_meant(ignrun, plant_lying) -> None:
    state = StateFolder(Path(plant_lying("four").state_dir))
    publish_current(state.path, Base(1, LINE))
    ended = ignrun("logs", "historain")
    assert (ended.code, ended.err) == (1, "error: there is no module `historain`\nhint: did you mean `historian`?\n")


def test_a_module_that_has_written_nothing_is_no_mistake(ignrun, plant_lying) -> None:
    publish_current(StateFolder(Path(plant_lying("four").state_dir)).path, Base(1, LINE))
    ended = ignrun("logs", "web")
    assert (ended.code, ended.out, ended.err) == (0, "", "`web` has written nothing\n")


def test_ps_lists_those_that_live(ignrun, plant_running) -> None:
    assert ignrun("ps").out == "no plant runs\n"
    record = plant_running("four")
    shown = ignrun("ps").out.splitlines()
    assert shown[0].split() == ["PLANT", "PID", "UP", "VERSION", "MANIFEST"]
    assert shown[1].split()[:2] == ["four", str(record.pid)]
    assert json.loads(ignrun("ps", "-o", "json").out)["plants"][0]["plant"] == "four"


def test_explain_knows_every_code_and_names_the_nearest(ignrun) -> None:
    assert ignrun("explain", "ign204").out.startswith("IGN204: unknown key\n\n")
    assert "IGN401" in ignrun("explain").out
    ended = ignrun("explain", "IGN999")
    assert ended.code == 2
    assert "there is no code `IGN999`; `ignrun explain` lists them\n" in ended.err
    assert "did you mean `IGN204`?" in ignrun("explain", "IGM204").err


def test_info_says_what_this_machine_can_do(ignrun) -> None:
    form = json.loads(ignrun("info", "-o", "json").out)
    assert form["version"] == "0.1.0"
    assert form["can"]["run_commands"] is True
    assert "ignrun 0.1.0" in ignrun("info").out
