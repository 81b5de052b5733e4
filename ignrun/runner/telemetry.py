"""Turns the metrics of a plant into OpenTelemetry's and sends them by OTLP over HTTP, in a thread of its own, where somebody wants that."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import Metric as Sent
    from opentelemetry.sdk.metrics.export import MetricsData
    from prometheus_client.metrics_core import Metric as Family

    from ignrun.render.known import Known

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""Variables of the environment of which one has to be set."""

INTERVAL: Final = "OTEL_METRIC_EXPORT_INTERVAL"
_MILLISECONDS: Final = 60_000.0
_PATIENCE: Final = 5.0

Ask = Callable[[], "Known"]
"""Collects what metrics are made of; called in the thread that sends."""


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Tell whether the environment names somebody who takes metrics."""
    return any(environment.get(name) for name in ENDPOINTS)


def interval_of(environment: Mapping[str, str]) -> float:
    """Give the seconds between two sendings; what is no number of milliseconds is a minute."""
    try:
        return max(1.0, float(environment.get(INTERVAL, _MILLISECONDS)) / 1000)
    except ValueError:
        return _MILLISECONDS / 1000


class Telemetry:
    """Sends the metrics again and again until it is closed; what goes wrong is said once, until it goes well again."""

    def __init__(self, exporter: Any, ask: Ask, interval: float, complain: Callable[[str], None]) -> None:
        """Take an exporter of OpenTelemetry, who knows the figures, the pause in seconds, and whom to tell (from the thread)."""
        self._exporter = exporter
        self._ask = ask
        self._interval = interval
        self._complain = complain
        self._began = time.time_ns()
        self._ended = threading.Event()
        self._failed = False
        self._thread = threading.Thread(target=self._work, name="telemetry", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Send no more; one that is being sent is waited for, a little."""
        self._ended.set()
        self._exporter.shutdown()
        self._thread.join(_PATIENCE)

    def _work(self) -> None:
        while not self._ended.wait(self._interval):
            try:
                self._send()
            except Exception as error:  # noqa: BLE001 - the outermost frame of a thread, and code of somebody else's
                self._tell(f"metrics could not be sent: {type(error).__name__}: {error}")

    def _send(self) -> None:
        from opentelemetry.sdk.metrics.export import MetricExportResult

        from ignrun.render.metrics import families

        known = self._ask()
        data = metrics_data(families(known), known.status.plant.name, self._began, time.time_ns())
        if self._exporter.export(data) is MetricExportResult.SUCCESS:
            self._failed = False
        else:
            self._tell("metrics could not be sent: nobody takes them")

    def _tell(self, text: str) -> None:
        if not self._failed and not self._ended.is_set():
            self._complain(text)
        self._failed = True


def started(ask: Ask, environment: Mapping[str, str], complain: Callable[[str], None]) -> Telemetry | None:
    """Begin to send where the environment wants that; None where it does not, or where the packages are missing, which is said."""
    if not is_wanted(environment):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    except ImportError:
        complain("metrics are not sent: OpenTelemetry is not installed (`pip install ignrun[opentelemetry]`)")
        return None
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # what goes wrong is said here, once
    return Telemetry(OTLPMetricExporter(), ask, interval_of(environment), complain)


def metrics_data(families: Iterable["Family"], plant: str, began: int, now: int) -> "MetricsData":
    """Write families as OpenTelemetry does: gauges, and sums since `began`; times are Unix nanoseconds."""
    from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics, ScopeMetrics
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    sent = [one for family in families for one in _sent(family, began, now)]
    resource = Resource.create({"service.name": "ignrun", "service.instance.id": plant})
    scope = ScopeMetrics(InstrumentationScope("ignrun"), sent, "")
    return MetricsData([ResourceMetrics(resource, [scope], "")])


def _sent(family: "Family", began: int, now: int) -> Iterable["Sent"]:
    """Write one family: its samples by their names, a summary being two sums."""
    from opentelemetry.sdk.metrics.export import AggregationTemporality, Gauge, Metric, NumberDataPoint, Sum

    points: dict[str, list[NumberDataPoint]] = {}
    for one in family.samples:
        points.setdefault(one.name, []).append(NumberDataPoint(dict(one.labels), began, now, float(one.value)))
    for name, found in points.items():
        summed = family.type in {"counter", "summary"}
        data = Sum(found, AggregationTemporality.CUMULATIVE, is_monotonic=True) if summed else Gauge(found)
        yield Metric(name.removesuffix("_total"), family.documentation, "", data)
