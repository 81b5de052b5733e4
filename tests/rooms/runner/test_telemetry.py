"""Holds what is sent by OTLP to what Prometheus would read, and the sending to its thread and its manners."""

import http.server
import threading
import time

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from ignrun.runner import telemetry
from ignrun.terms.metric import Metric
from tests.rooms.render.test_metrics import known


def until(condition) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def collector():
    """A collector on loopback, and the bodies that were posted to it; `answer` is its status."""
    got: list[tuple[str, bytes]] = []
    answer = [200]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(answer[0])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", got, answer
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def begun(collector, monkeypatch):
    url, _, _ = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
    monkeypatch.setattr(telemetry, "interval_of", lambda _: 0.05)
    said: list[str] = []
    metrics = {"tags@gateway": (Metric("work", "timer", 1.5, (), "Time spent.", 3),)}
    one = telemetry.started(lambda: known(metrics=metrics, lost=7), {"OTEL_EXPORTER_OTLP_ENDPOINT": url}, said.append)
    assert one
    yield said
    one.close()


def test_a_collector_gets_the_figures_that_prometheus_reads(begun, collector) -> None:
    _, got, _ = collector
    until(lambda: got)
    path, body = got[0]
    request = ExportMetricsServiceRequest.FromString(body)
    (resource,) = request.resource_metrics
    attributes = {one.key: one.value.string_value for one in resource.resource.attributes}
    assert path == "/v1/metrics" and (attributes["service.name"], attributes["service.instance.id"]) == (
        "ignrun",
        "line-4",
    )
    found = {one.name: one for one in resource.scope_metrics[0].metrics}
    assert found["ignrun_log_lines_lost"].sum.data_points[0].as_double == 7
    assert found["ignrun_log_lines_lost"].sum.is_monotonic
    assert found["ignrun_module_work_count"].sum.data_points[0].as_double == 3
    running = found["ignrun_instance_running"].gauge.data_points
    assert {one.value.string_value for point in running for one in point.attributes if one.key == "instance"} == {
        "tags@gateway", "historian@gateway", "web@gateway"
    }  # fmt: skip
    assert begun == []


def test_a_collector_that_refuses_is_said_once(begun, collector) -> None:
    _, got, answer = collector
    answer[0] = 400
    until(lambda: len(got) > 3)
    assert begun == ["metrics could not be sent: nobody takes them"]


def test_nothing_is_sent_where_nobody_asks_for_it() -> None:
    assert telemetry.started(known, {}, print) is None
    assert telemetry.started(known, {"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, print) is None


@pytest.mark.parametrize(("text", "seconds"), [("5000", 5.0), ("soon", 60.0), ("1", 1.0)])
def test_the_pause_is_what_the_environment_says(text, seconds) -> None:
    assert telemetry.interval_of({"OTEL_METRIC_EXPORT_INTERVAL": text}) == seconds


def test_who_has_not_installed_it_is_told(monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.exporter.otlp.proto.http.metric_exporter", None)
    said: list[str] = []
    assert telemetry.started(known, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, said.append) is None
    assert said == ["metrics are not sent: OpenTelemetry is not installed (`pip install ignrun[opentelemetry]`)"]
