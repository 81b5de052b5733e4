"""Holds what people see of a running plant to what happens in it: lines, figures, alerts, metrics, the report."""

import json
import os
import signal
import zipfile

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ignrun.control.client import Client
from tests.stories.plant import Plant, until

pytestmark = pytest.mark.story

PLANT = """\
log: {level: warning}
apply: {soak: 0s}
alerts:
  down: {when: {modules: flaky, state: error}, severity: critical, then: [log, {exec: [sh, -c, "cat > told.json"]}]}
  noisy: {when: {modules: "c*", log: "took [0-9]+ s", rate: {above: 2, within: 1s}}}
modules:
  chatty: {entry: "chatty:Chatty", log: {level: debug}}
  calm: {entry: "chatty:Calm"}
  flaky: {command: [sh, -c, "test -e broken && exit 3; exec sleep 600"], lifecycle: {restart: {backoff: 200ms, backoff_max: 200ms, threshold: 100}}}
  clock: {command: [sh, -c, "while sleep 0.2; do echo took 3 s; done"], log: {level: info}}
"""
CHATTY = """\
from ignrun import Module


class Chatty(Module):
    async def startup(self):
        self.log.debug("fine grained", extra={"took": 1.5})
        self.diagnostics.metrics.counter("jobs").add(3)


class Calm(Module):
    async def startup(self):
        self.log.info("not to be kept")
        self.log.warning("to be kept")
"""


@pytest.fixture
def seen(plant: Plant) -> Plant:
    plant.write(PLANT)
    plant.write(CHATTY, "chatty.py")
    plant.ignrun("apply", "-d", str(plant.manifest))
    return plant


def lines(plant: Plant, *words: str) -> list[dict]:
    return [json.loads(one) for one in plant.ignrun("logs", *plant.aim(), *words, "-o", "json").out.splitlines()]


def bodies(plant: Plant, kind: str) -> list[dict]:
    events = [
        json.loads(one)
        for one in plant.ignrun("events", *plant.aim(), "-o", "json", "--lines", "9999").out.splitlines()
    ]
    return [one["body"] | {"subject": one["subject"]} for one in events if one["body"]["type"] == kind]


def test_lines_are_kept_from_the_level_on_that_the_manifest_names_with_their_figures(seen) -> None:
    until(lambda: lines(seen, "--grep", "to be kept"))
    assert [one["text"] for one in lines(seen, "calm")] == ["to be kept"]
    (debug,) = lines(seen, "chatty", "--level", "debug", "--grep", "fine")
    assert (debug["address"], debug["fields"], debug["generation"]) == ("chatty@gateway", {"took": 1.5}, 1)
    until(lambda: lines(seen, "--grep", "took 3"))
    assert lines(seen, "clock", "--since", "10m", "--grep", "took 3")[0]["stream"] == "out"
    assert "error" in seen.ignrun("logs", *seen.aim(), "--grep", "(", code=2).err.lower()


def test_an_alert_fires_and_is_over_and_both_are_in_the_journal(seen) -> None:
    (seen.folder / "broken").touch()
    pid = seen.instances()["flaky@gateway"]["pid"]
    os.kill(pid, signal.SIGKILL)
    fired = until(lambda: [one for one in bodies(seen, "alert-fired") if one["alert"] == "down"])
    assert (fired[0]["subject"], fired[0]["severity"]) == ("flaky@gateway", "critical")
    told = until(lambda: (seen.folder / "told.json").exists() and (seen.folder / "told.json").read_text())
    assert json.loads(told)["alert"] == "down"
    (seen.folder / "broken").unlink()
    until(lambda: [one for one in bodies(seen, "alert-resolved") if one["alert"] == "down"])
    noisy = until(lambda: [one for one in bodies(seen, "alert-fired") if one["alert"] == "noisy"])
    assert [one["subject"] for one in noisy] == ["clock@gateway"]
    assert any("critical alert down fires" in one["text"] for one in lines(seen, "flaky", "--lines", "1000"))
    assert "noisy  clock   warning   firing" in seen.ignrun("alerts", *seen.aim(), code=11).out


def test_processes_are_measured_and_prometheus_reads_them(seen) -> None:
    top = json.loads(seen.ignrun("top", *seen.aim(), "-o", "json").out)
    kinds = {one["name"]: one["kind"] for one in top["processes"]}
    assert kinds == {"runner": "runner", "gateway": "host", "flaky@gateway": "command", "clock@gateway": "command"}
    assert all(one["memory"] > 100_000 and one["cpu"] is not None for one in top["processes"])
    found = seen.instances()
    assert found["clock@gateway"]["statistics"]["memory_usage"] > 100_000
    assert found["calm@gateway"]["statistics"]["memory_usage"] is None  # it shares its host
    client = Client(seen.status()["plant"]["socket"])

    def metrics() -> dict[str, float]:
        families = text_string_to_metric_families(client.metrics())
        return {f"{one.name} {one.labels.get('instance', '')}": one.value for each in families for one in each.samples}

    until(lambda: metrics().get("ignrun_module_jobs_total chatty@gateway") == 3)
    assert metrics()["ignrun_instance_running flaky@gateway"] == 1
    assert metrics()["ignrun_process_memory_bytes clock@gateway"] > 100_000
    assert "memory" in seen.ignrun("status", *seen.aim(), "--history").out


def test_a_report_is_written_of_a_running_plant_and_of_one_that_is_down(seen) -> None:
    seen.ignrun("report", *seen.aim(), "--out", "up.zip")
    seen.ignrun("down", *seen.aim())
    seen.ignrun("report", *seen.aim(), "--out", "down.zip")
    names = []
    for name in ("up.zip", "down.zip"):
        with zipfile.ZipFile(seen.folder / name) as whole:
            names.append({one.partition("/")[2] for one in whole.namelist()})
    assert {"index.html", "metrics.txt", "processes.json", "logs/calm.log"} <= names[0]
    assert {"index.html", "events.jsonl", "config.json", "status.json", "logs/calm.log"} <= names[1]
