"""Turns what is known of a plant into metrics as Prometheus reads them: names `ignrun_*`, labels `module`, `instance`, `scope`."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ignrun.render.known import Known
from ignrun.render.status_report import InstanceStatus, StatusReport
from ignrun.render.top import ProcessUse
from ignrun.terms.metric import Metric as ModuleMetric
from ignrun.terms.sample import ProcessSample

_INSTANCE: Final = ("module", "instance", "scope")
_PROCESS: Final = ("process", "kind", *_INSTANCE)


def metrics_text(known: Known, accept: str = "") -> tuple[bytes, str]:
    """Write all metrics in the form that an `Accept` header asks for (plain text where it asks for none); gives the media type, too."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Known(known))
    encode, media = choose_encoder(accept)
    return encode(registry), media


class _Known(Collector):
    """Hands the families on to prometheus-client."""

    def __init__(self, known: Known) -> None:
        self._known = known

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        return families(self._known)


def families(known: Known) -> Iterator[Metric]:
    """Give every metric with its samples."""
    yield from _of_plant(known)
    yield from _of_instances(known.status)
    yield from _of_processes(known)
    yield from _of_lines(known)
    yield from _of_modules(known)
    firing = GaugeMetricFamily(
        "ignrun_alert_firing", "1 while an alert fires.", labels=("alert", "severity", *_INSTANCE)
    )
    for one in known.alerts.alerts:
        if one.state == "firing":
            firing.add_metric((one.alert, one.severity, *_labels(one.address)), 1)
    yield firing


def _of_plant(known: Known) -> Iterator[Metric]:
    plant = known.status.plant
    info = GaugeMetricFamily(
        "ignrun_info", "1, with the plant and the version of its runner.", labels=("plant", "version")
    )
    info.add_metric((plant.name, plant.version), 1)
    yield info
    yield GaugeMetricFamily("ignrun_generation", "Number of the generation in force.", plant.generation)
    yield GaugeMetricFamily("ignrun_applying", "1 while an apply is under way.", plant.apply is not None)
    uptime = plant.uptime_seconds or 0.0
    yield GaugeMetricFamily("ignrun_uptime_seconds", "Time since the runner started.", uptime)


Figure = Callable[[InstanceStatus], float | None]

_GAUGES: Final[tuple[tuple[str, str, Figure], ...]] = (
    ("ignrun_instance_running", "1 while the instance is running.", lambda one: one.state == "running"),
    ("ignrun_instance_healthy", "1 while its checks say healthy.", lambda one: one.health == "healthy"),
    (
        "ignrun_instance_start_seconds",
        "How long a start has taken on the average.",
        lambda one: one.statistics.average_startup_time,
    ),
)
_COUNTERS: Final[tuple[tuple[str, str, Figure], ...]] = (
    ("ignrun_instance_restarts", "How often it was restarted.", lambda one: one.statistics.restart_count),
    ("ignrun_instance_errors", "How often it has failed.", lambda one: one.statistics.error_count),
    ("ignrun_instance_events", "What has happened to it.", lambda one: one.statistics.event_count),
    ("ignrun_instance_up_seconds", "Time that it has been running.", lambda one: one.statistics.uptime_seconds),
)


def _of_instances(report: StatusReport) -> Iterator[Metric]:
    state = GaugeMetricFamily("ignrun_instance_state", "1, with the state that it is in.", labels=(*_INSTANCE, "state"))
    health = GaugeMetricFamily("ignrun_instance_health", "1, with what its checks say.", labels=(*_INSTANCE, "health"))
    for one in report.instances:
        state.add_metric((*_labels(one.address), one.state), 1)
        health.add_metric((*_labels(one.address), one.health), 1)
    yield state
    yield health
    for table, make in ((_GAUGES, GaugeMetricFamily), (_COUNTERS, CounterMetricFamily)):
        for name, text, figure in table:
            family = make(name, text, labels=_INSTANCE)
            for one in report.instances:
                if (value := figure(one)) is not None:
                    family.add_metric(_labels(one.address), float(value))
            yield family


Look = Callable[[ProcessSample], float | None]

_PROCESS_GAUGES: Final[tuple[tuple[str, str, Look], ...]] = (
    ("ignrun_process_memory_bytes", "Resident memory of a process and all that it started.", lambda one: one.memory),
    ("ignrun_process_threads", "Threads.", lambda one: one.threads),
    ("ignrun_process_open_descriptors", "Open files and sockets.", lambda one: one.descriptors),
)
_PROCESS_COUNTERS: Final[tuple[tuple[str, str, Look], ...]] = (
    ("ignrun_process_cpu_seconds", "Processor time spent.", lambda one: one.cpu_seconds),
    ("ignrun_process_read_bytes", "Bytes read from storage.", lambda one: one.read),
    ("ignrun_process_written_bytes", "Bytes written to storage.", lambda one: one.written),
)


def _of_processes(known: Known) -> Iterator[Metric]:
    shown = [(one, known.samples[one.name]) for one in known.top.processes if one.name in known.samples]
    for table, make in ((_PROCESS_GAUGES, GaugeMetricFamily), (_PROCESS_COUNTERS, CounterMetricFamily)):
        for name, text, figure in table:
            family = make(name, text, labels=_PROCESS)
            for one, sample in shown:
                if sample.pid == one.pid and (value := figure(sample)) is not None:
                    family.add_metric((one.name, one.kind, *_only(one)), float(value))
            yield family


def _only(process: ProcessUse) -> tuple[str, str, str]:
    """Name the instance of a process that only one lives in."""
    return _labels(process.instances[0]) if len(process.instances) == 1 else ("", "", "")


def _of_lines(known: Known) -> Iterator[Metric]:
    lines = CounterMetricFamily("ignrun_log_lines", "Log lines by level.", labels=(*_INSTANCE, "level"))
    for (name, level), count in known.lines.items():
        lines.add_metric((*_labels(name), level), count)
    yield lines
    left_out = CounterMetricFamily("ignrun_log_lines_suppressed", "Log lines left out of a flood.", labels=_INSTANCE)
    for name, count in known.suppressed.items():
        left_out.add_metric(_labels(name), count)
    yield left_out
    yield CounterMetricFamily("ignrun_log_lines_lost", "Log lines that no file has taken.", known.lost)


def _labels(address: str) -> tuple[str, str, str]:
    """Give module, instance and scope; a host has only its name."""
    module, _, scope = address.partition("@")
    return (module, address, scope) if scope else ("", address, "")


_KINDS: Final = {"counter": "counter", "gauge": "gauge", "timer": "summary"}


def _of_modules(known: Known) -> Iterator[Metric]:
    """Give what modules measure; where two call different kinds of figures the same, the second kind is added to its name."""
    found: dict[str, Metric] = {}
    for address, metrics in known.metrics.items():
        for one in metrics:
            kind = _KINDS[one.kind]
            name = f"ignrun_module_{one.name}"
            if name in found and found[name].type != kind:
                name = f"{name}_{one.kind}"
            if kind == "counter":
                name = name.removesuffix("_total")
            family = found.setdefault(name, Metric(name, one.about or f"Of modules: {one.name}.", kind))
            if family.type != kind:
                continue
            labels = dict(zip(_INSTANCE, _labels(address), strict=True))
            labels |= {f"exported_{key}" if key in _RESERVED else key: value for key, value in one.labels}
            _add(family, one, labels)
    yield from found.values()


_RESERVED: Final = frozenset({*_INSTANCE, "le", "quantile"})


def _add(family: Metric, one: ModuleMetric, labels: dict[str, str]) -> None:
    match one.kind:
        case "counter":
            family.add_sample(f"{family.name}_total", labels, one.value)
        case "gauge":
            family.add_sample(family.name, labels, one.value)
        case "timer":
            family.add_sample(f"{family.name}_count", labels, one.count)
            family.add_sample(f"{family.name}_sum", labels, one.value)
