"""Turns `10m`, `14:30` or a date into the moment since which something is asked for."""

from datetime import UTC, datetime, timedelta
from typing import Final

import click

from ignrun.terms.duration import parse_duration


class Since(click.ParamType[datetime]):
    """A moment in the past: so long ago, or an ISO time or date (local unless it says otherwise), or a time of today."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Give aware UTC."""
        if isinstance(value, datetime):
            return value
        found = moment(str(value), datetime.now(UTC))
        if found is None:
            self.fail(f"`{value}` is no time: write `10m`, `14:30` or `2026-05-04T14:30`", param, ctx)
        return found


SINCE: Final = Since()


def moment(text: str, now: datetime) -> datetime | None:
    """Read a moment, None where the text says none."""
    try:
        return now - timedelta(seconds=parse_duration(float(text) if text.replace(".", "", 1).isdecimal() else text))
    except (ValueError, OverflowError):
        pass
    today = now.astimezone().date().isoformat()
    for candidate in (text, f"{today}T{text}"):
        try:
            return datetime.fromisoformat(candidate).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None
