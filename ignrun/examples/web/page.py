"""Turns what the historian stored into a page, every text in it escaped."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

_WIDTH: Final = 160
_HEIGHT: Final = 24

_STYLE: Final = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { margin: 2rem auto; max-width: 52rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { padding: .4rem .6rem; text-align: left; border-bottom: 1px solid #8884 }
td.value { font-variant-numeric: tabular-nums; text-align: right }
.bad { opacity: .5 }
polyline { fill: none; stroke: currentColor; stroke-width: 1.5 }
"""


def page(title: str, latest: Iterable[Mapping[str, Any]], history: Mapping[str, Sequence[float]]) -> str:
    """Write the page: one row a tag with its value, its latest values as a line, its quality and its time."""
    rows = "\n".join(_row(reading, history.get(reading["tag"], ())) for reading in latest)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="2">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{escape(title)}</h1>
<table>
<thead><tr><th>Tag</th><th>Value</th><th>Lately</th><th>Quality</th><th>Time (UTC)</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
</body>
</html>
"""


def line(values: Sequence[float]) -> str:
    """Draw values, oldest first, as the points of an SVG line; empty for fewer than two."""
    if len(values) < 2:  # noqa: PLR2004 - a line has two ends
        return ""
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    step = _WIDTH / (len(values) - 1)
    return " ".join(f"{i * step:.1f},{_HEIGHT - (value - low) / span * _HEIGHT:.1f}" for i, value in enumerate(values))


def _row(reading: Mapping[str, Any], values: Sequence[float]) -> str:
    drawn = f'<svg width="{_WIDTH}" height="{_HEIGHT}" aria-hidden="true"><polyline points="{line(values)}"/></svg>'
    quality = escape(str(reading["quality"]))
    return (
        f'<tr class="{quality}"><th scope="row">{escape(str(reading["tag"]))}</th>'
        f'<td class="value">{_number(reading["value"])}</td><td>{drawn}</td>'
        f"<td>{quality}</td><td>{escape(str(reading['at']))}</td></tr>"
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"  # noqa: RUF001
