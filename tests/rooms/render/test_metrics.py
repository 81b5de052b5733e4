"""Holds the metrics to what Prometheus' own parser reads of them."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open
from prometheus_client.parser import text_string_to_metric_families as read

from ignrun.render.alerts import AlertsReport, AlertStatus
from ignrun.render.known import Known
from ignrun.render.metrics import metrics_text
from ignrun.render.status import status_of
from ignrun.render.status_report import RunnerFacts
from ignrun.render.top import top_of
from ignrun.terms.metric import Metric
from ignrun.terms.sample import ProcessSample
from tests.rooms.render.test_top import TAKES, plant

AT = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
RUNNER = RunnerFacts("line-4", "/x", 1, "0.1.0", AT, "/m", "/s")


def known(**fields) -> Known:
    state = plant()
    given = {
        "status": status_of(state, mono=1.0, at=AT, runner=RUNNER),
        "top": top_of(state, "line-4", 1, AT, lambda name: TAKES.get(name, ())),
        "alerts": AlertsReport(
            "1.0", "line-4", AT, (AlertStatus("big", "web@gateway", "critical", "firing", AT, "x"),), ("big",)
        ),
        "samples": {
            "gateway": ProcessSample(7, 1.0, 1024, 2.5, 9, 50, 10, 20),
            "web@gateway": ProcessSample(9, 1.0, 2048, 0.5, 1),
        },
    }
    return Known(**{**given, **fields})


def values(what: Known) -> dict[tuple[str, ...], float]:
    text, media = metrics_text(what)
    assert media.startswith("text/plain")
    return {
        (one.name, *(value for key, value in sorted(one.labels.items()) if value)): one.value
        for family in read(text.decode())
        for one in family.samples
    }


def test_a_plant_is_read_back_by_prometheus() -> None:
    found = values(known(lines={("web@gateway", "error"): 3}, suppressed={"web@gateway": 5}, lost=7))
    assert found["ignrun_info", "line-4", "0.1.0"] == 1
    assert found["ignrun_instance_running", "tags@gateway", "tags", "gateway"] == 1
    assert found["ignrun_instance_health", "degraded", "web@gateway", "web", "gateway"] == 1
    assert found["ignrun_instance_restarts_total", "web@gateway", "web", "gateway"] == 0
    assert found["ignrun_process_memory_bytes", "host", "gateway"] == 1024  # nobody in a shared host can be named
    assert found["ignrun_process_cpu_seconds_total", "web@gateway", "command", "web", "web@gateway", "gateway"] == 0.5
    assert found["ignrun_log_lines_total", "web@gateway", "error", "web", "gateway"] == 3
    assert found["ignrun_log_lines_suppressed_total", "web@gateway", "web", "gateway"] == 5
    assert found["ignrun_log_lines_lost_total",] == 7
    assert found["ignrun_alert_firing", "big", "web@gateway", "web", "gateway", "critical"] == 1


def test_what_the_system_did_not_tell_is_no_figure() -> None:
    found = values(known())
    assert not [key for key in found if key[0] == "ignrun_process_read_bytes_total" and "web@gateway" in key]


def test_what_modules_measure_stands_under_their_names() -> None:
    metrics = (
        Metric("jobs", "counter", 5.0, (("queue", "fast"),), "Jobs done."),
        Metric("depth", "gauge", 2.0),
        Metric("work", "timer", 1.5, (), "", 3, 0.9),
        Metric("old_total", "counter", 1.0, (("scope", "mine"),)),
    )
    found = values(known(metrics={"tags@gateway": metrics, "web@gateway": (Metric("depth", "counter", 9.0),)}))
    assert found["ignrun_module_jobs_total", "tags@gateway", "tags", "fast", "gateway"] == 5
    assert found["ignrun_module_depth", "tags@gateway", "tags", "gateway"] == 2
    assert found["ignrun_module_depth_counter_total", "web@gateway", "web", "gateway"] == 9
    assert found["ignrun_module_work_count", "tags@gateway", "tags", "gateway"] == 3
    assert found["ignrun_module_work_sum", "tags@gateway", "tags", "gateway"] == 1.5
    assert found["ignrun_module_old_total", "mine", "tags@gateway", "tags", "gateway"] == 1


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_no_value_of_a_label_can_forge_a_line(value) -> None:
    metrics = {"tags@gateway": (Metric("jobs", "gauge", 1.0, (("note", value),), about=value),)}
    text, _ = metrics_text(known(metrics=metrics))
    found = [one for family in read(text.decode()) for one in family.samples if one.name == "ignrun_module_jobs"]
    assert [one.labels["note"] for one in found] == [value]


def test_who_asks_for_openmetrics_gets_it() -> None:
    text, media = metrics_text(known(), "application/openmetrics-text; version=1.0.0")
    assert media.startswith("application/openmetrics-text")
    assert {family.name for family in read_open(text.decode())} >= {"ignrun_generation", "ignrun_log_lines"}
