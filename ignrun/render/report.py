"""Turns what was gathered about a plant into the files of a diagnostic report: a page with charts, JSON, and what else belongs to it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from ignrun.render.alerts import AlertsReport
from ignrun.render.config import ConfigReport
from ignrun.render.events import body_text
from ignrun.render.history import HistoryReport
from ignrun.render.past import PastReport, Series
from ignrun.render.status_report import StatusReport
from ignrun.render.top import TopReport
from ignrun.terms.duration import show_size
from ignrun.terms.events import Event

FORMAT_VERSION: Final = "1.0"
"""Version of the JSON files; fields are added and never renamed or removed within 1."""

CONTENTS: Final = {
    "README.txt": "this table of contents",
    "index.html": "everything at a glance, with charts; needs nothing from elsewhere",
    "summary.json": "when and of what this was made: versions, machine, names of the environment's variables",
    "status.json": "the plant and its instances, as `ignrun status -o json`",
    "generations.json": "the last generations: who, when, how it ended",
    "config.json": "every config value in force, with the layer and the place that it comes from",
    "events.jsonl": "the last events, one a line",
    "past.json": "what became of each module in the last day, and what its process took",
    "processes.json": "what each process takes now (with a runner only)",
    "alerts.json": "the alerts that fire (with a runner only)",
    "metrics.txt": "all metrics as Prometheus reads them (with a runner only)",
    "logs/": "the last lines of each log, one JSON object a line",
    "trouble.txt": "what could not be gathered, and why (where there was anything)",
}
"""What may be in a report."""


class Facts(msgspec.Struct, frozen=True):
    """When and of what a report was made; `environment` holds names only, never values."""

    format_version: str
    plant: str
    at: datetime
    live: bool
    version: str
    python: str
    platform: str
    libraries: dict[str, str]
    environment: tuple[str, ...]
    state_dir: str


class Live(msgspec.Struct, frozen=True):
    """What only a runner knows."""

    status: StatusReport
    top: TopReport
    alerts: AlertsReport
    metrics: bytes


class Gathered(msgspec.Struct, frozen=True):
    """What was gathered about a plant; None where it was not to be had. `logs` holds the last lines by file name."""

    facts: Facts
    live: Live | None = None
    status: StatusReport | None = None
    generations: HistoryReport | None = None
    configs: tuple[ConfigReport, ...] = ()
    events: tuple[Event, ...] = ()
    past: PastReport | None = None
    logs: Mapping[str, bytes] = {}
    trouble: tuple[str, ...] = ()


def files_of(gathered: Gathered) -> dict[str, bytes]:
    """Write every file of a report, by its name in the archive."""
    live = gathered.live
    known: dict[str, Any] = {
        "summary.json": gathered.facts,
        "status.json": live.status if live else gathered.status,
        "generations.json": gathered.generations,
        "config.json": gathered.configs or None,
        "past.json": gathered.past,
        "processes.json": live.top if live else None,
        "alerts.json": live.alerts if live else None,
    }
    files = {name: _json(value) for name, value in known.items() if value is not None}
    if gathered.events:
        files["events.jsonl"] = b"".join(msgspec.json.encode(one) + b"\n" for one in gathered.events)
    if live:
        files["metrics.txt"] = live.metrics
    files |= {f"logs/{name}": text for name, text in gathered.logs.items()}
    if gathered.trouble:
        files["trouble.txt"] = "".join(f"{one}\n" for one in gathered.trouble).encode()
    files["index.html"] = _page(gathered).encode("utf-8", "replace")
    files["README.txt"] = _contents(files).encode()
    return dict(sorted(files.items()))


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def _contents(files: Mapping[str, bytes]) -> str:
    there = {
        name for name in CONTENTS if name in files or name == "README.txt" or any(one.startswith(name) for one in files)
    }
    lines = [f"{name:<18} {text}\n" for name, text in CONTENTS.items() if name in there]
    return "A diagnostic report of ignrun. No file holds the value of a secret.\n\n" + "".join(lines)


# --- the page ---------------------------------------------------------------------------------------------------------

_WIDTH, _HEIGHT = 600, 60
_EVENTS: Final = 200


class Chart(msgspec.Struct, frozen=True):
    """One series as it is drawn: points of a line for SVG, in pieces where nothing is known, and its least and most in words."""

    title: str
    pieces: tuple[str, ...]
    most: str
    last: str


def charts_of(past: PastReport) -> tuple[Chart, ...]:
    """Draw memory and processor of every process once, however many modules live in it."""
    series = {(one.subject, one.figure): one for module in past.modules for one in module.series}
    return tuple(_chart(one) for one in series.values() if one.figure in {"memory", "cpu"})


def _chart(series: Series) -> Chart:
    known = [value for value in series.values if value is not None]
    most = max(known, default=0.0) or 1.0
    step = _WIDTH / max(1, len(series.values) - 1)
    pieces: list[list[str]] = [[]]
    for number, value in enumerate(series.values):
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append(f"{number * step:.1f},{_HEIGHT - value / most * (_HEIGHT - 2) - 1:.1f}")
    drawn = tuple(" ".join(points if len(points) > 1 else points * 2) for points in pieces if points)
    return Chart(
        f"{series.subject or 'runner'}: {series.figure}",
        drawn,
        _said(series.figure, max(known, default=None)),
        _said(series.figure, known[-1] if known else None),
    )


def _said(figure: str, value: float | None) -> str:
    if value is None:
        return "-"
    return show_size(value) if figure == "memory" else f"{100 * value:.1f} %"


def _page(gathered: Gathered) -> str:
    """Write the page; every text goes through Jinja's escaping."""
    from jinja2 import Environment, StrictUndefined

    status = gathered.live.status if gathered.live else gathered.status
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_TEMPLATE).render(
        facts=gathered.facts,
        contents=CONTENTS,
        instances=status.instances if status else (),
        plant=status.plant if status else None,
        generations=gathered.generations.generations if gathered.generations else (),
        alerts=gathered.live.alerts.alerts if gathered.live else (),
        charts=charts_of(gathered.past) if gathered.past else (),
        events=[(one.at, one.seq, one.subject, body_text(one.body)) for one in gathered.events[-_EVENTS:]],
        configs=gathered.configs,
        trouble=gathered.trouble,
        width=_WIDTH,
        height=_HEIGHT,
    )


_TEMPLATE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>ignrun report: {{ facts.plant }}</title>
<style>
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }
th, td { border-bottom: 1px solid #8885; padding: .2rem .6rem; text-align: left; vertical-align: top; }
td { overflow-wrap: anywhere; }
svg { display: block; width: 100%; height: {{ height }}px; background: #8881; }
polyline { fill: none; stroke: #27c; stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.bad { color: #c22; }
</style>
</head>
<body>
<h1>{{ facts.plant }}</h1>
<p>{{ facts.at.isoformat(timespec="seconds") }} · ignrun {{ facts.version }} · Python {{ facts.python }} · {{ facts.platform }} ·
{{ "from a running plant" if facts.live else "made without a runner" }}
{% if plant %} · {{ plant.state }}, generation {{ plant.generation }}{% endif %}</p>
{% if trouble %}<h2>Not gathered</h2><ul>{% for one in trouble %}<li class="bad">{{ one }}</li>{% endfor %}</ul>{% endif %}
{% if alerts %}<h2>Alerts</h2>
<table><tr><th>alert</th><th>module</th><th>severity</th><th>state</th><th>why</th></tr>
{% for one in alerts %}<tr><td>{{ one.alert }}</td><td>{{ one.address }}</td><td>{{ one.severity }}</td><td>{{ one.state }}</td><td>{{ one.reason }}</td></tr>
{% endfor %}</table>{% endif %}
<h2>Modules</h2>
<table><tr><th>instance</th><th>state</th><th>health</th><th>pid</th><th>restarts</th><th>errors</th><th>why</th></tr>
{% for one in instances %}<tr><td>{{ one.address }}</td><td{% if one.state == "error" %} class="bad"{% endif %}>{{ one.state }}</td><td>{{ one.health }}</td><td>{{ one.pid or "" }}</td><td>{{ one.statistics.restart_count }}</td><td>{{ one.statistics.error_count }}</td><td>{{ one.fault.summary if one.fault else (one.health_reason or one.cause) }}</td></tr>
{% endfor %}</table>
{% if charts %}<h2>The last day</h2>
{% for one in charts %}<h3>{{ one.title }}</h3><p>now {{ one.last }}, at most {{ one.most }}</p>
<svg viewBox="0 0 {{ width }} {{ height }}" preserveAspectRatio="none" role="img" aria-label="{{ one.title }}">{% for points in one.pieces %}<polyline points="{{ points }}"/>{% endfor %}</svg>
{% endfor %}{% endif %}
{% if generations %}<h2>Generations</h2>
<table><tr><th>number</th><th>when</th><th>by</th><th>result</th><th>summary</th></tr>
{% for one in generations %}<tr><td>{{ one.number }}</td><td>{{ one.at.isoformat(timespec="seconds") }}</td><td>{{ one.author }}</td><td>{{ one.result }}</td><td>{{ one.summary }}</td></tr>
{% endfor %}</table>{% endif %}
{% if configs %}<h2>Config</h2>
<table><tr><th>instance</th><th>path</th><th>value</th><th>layer</th><th>place</th></tr>
{% for one in configs %}{% for value in one.values %}<tr><td>{{ one.address }}</td><td>{{ value.path }}</td><td>{{ value.value }}</td><td>{{ value.layer }}</td><td>{% if value.place %}{{ value.place.file }}:{{ value.place.line }}{% endif %}</td></tr>
{% endfor %}{% endfor %}</table>{% endif %}
{% if events %}<h2>Events</h2>
<table><tr><th>when</th><th>number</th><th>whose</th><th>what</th></tr>
{% for at, seq, subject, text in events %}<tr><td>{{ at.isoformat(timespec="milliseconds") }}</td><td>{{ seq }}</td><td>{{ subject }}</td><td>{{ text }}</td></tr>
{% endfor %}</table>{% endif %}
<h2>Environment</h2><p>{{ facts.environment | join(", ") }}</p>
<h2>Versions</h2><p>{% for name, version in facts.libraries.items() %}{{ name }} {{ version }}{{ ", " if not loop.last }}{% endfor %}</p>
<h2>Files</h2><table>{% for name, text in contents.items() %}<tr><td>{{ name }}</td><td>{{ text }}</td></tr>{% endfor %}</table>
</body>
</html>
"""
