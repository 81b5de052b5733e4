"""Turns the `alerts:` of a manifest into rules: whom each watches, what for, and how long it must last."""

from fnmatch import fnmatchcase
from typing import Any, Final

import msgspec

from ignrun.manifest.model import Alert
from ignrun.terms.duration import parse_duration, parse_size

QUIET: Final = 60.0
"""Seconds within which a line has to come again for an alert on lines without a `rate` to go on."""


class StateIs(msgspec.Struct, frozen=True, tag="state"):
    """An instance is in this state; one that has completed is not meant by `stopped`."""

    state: str


class HealthIs(msgspec.Struct, frozen=True, tag="health"):
    """The health of an instance is this."""

    health: str


class RestartedOften(msgspec.Struct, frozen=True, tag="restarts"):
    """An instance was restarted more often than `above` within so many seconds."""

    above: float
    within: float


class FigureBeyond(msgspec.Struct, frozen=True, tag="sample"):
    """A figure of the instance's process is above or below a bound: bytes of memory, processors, or a count."""

    figure: str
    above: float | None = None
    below: float | None = None


class LinesSeen(msgspec.Struct, frozen=True, tag="log"):
    """More than `above` lines within so many seconds match a pattern."""

    pattern: str
    above: float = 0.0
    within: float = QUIET


Condition = StateIs | HealthIs | RestartedOften | FigureBeyond | LinesSeen


class Rule(msgspec.Struct, frozen=True):
    """One alert: `modules` are names, addresses or patterns with `*`; `lasting` is in seconds; `then` as it is written."""

    name: str
    modules: tuple[str, ...]
    condition: Condition
    lasting: float
    severity: str
    then: tuple[str | dict[str, Any], ...]

    def watches(self, address: str) -> bool:
        """Tell whether an instance is meant."""
        module = address.partition("@")[0]
        return any(fnmatchcase(module, one) or fnmatchcase(address, one) for one in self.modules)


FIGURES: Final = {"memory": "memory", "cpu": "cpu", "files": "descriptors", "threads": "threads"}
"""What `sample:` names, and the figure that it is."""


def rules_of(alerts: tuple[Alert, ...]) -> tuple[Rule, ...]:
    """Read the alerts of an accepted manifest; raises ValueError where a bound is none."""
    return tuple(
        Rule(one.name, _names(one.when["modules"]), condition_of(one.when), one.lasting, one.severity, one.then)
        for one in alerts
    )


def condition_of(when: dict[str, Any]) -> Condition:
    """Read what an alert watches; raises ValueError where a bound is none."""
    match when:
        case {"state": str(state)}:
            return StateIs(state)
        case {"health": str(health)}:
            return HealthIs(health)
        case {"restarts": {"above": above, "within": within}}:
            return RestartedOften(float(above), parse_duration(within))
        case {"log": str(pattern), "rate": {"above": above, "within": within}}:
            return LinesSeen(pattern, float(above), parse_duration(within))
        case {"log": str(pattern)}:
            return LinesSeen(pattern)
        case {"sample": str(sample)}:
            bounds = {key: bound(sample, when[key]) for key in ("above", "below") if when.get(key) is not None}
            return FigureBeyond(FIGURES[sample], **bounds)
        case _:
            message = f"an alert watches nothing that is known: {', '.join(when)}"
            raise ValueError(message)


def bound(sample: str, written: Any) -> float:
    """Read the bound of a figure: `400MiB` of memory, a plain number of the others; raises ValueError."""
    if sample == "memory":
        return float(written if isinstance(written, float) else parse_size(written))
    if isinstance(written, int | float) and not isinstance(written, bool):
        return float(written)
    message = f"`{written}` is no bound of `{sample}`, which is a plain number"
    raise ValueError(message)


def _names(written: str | list[str]) -> tuple[str, ...]:
    return (written,) if isinstance(written, str) else tuple(written)
