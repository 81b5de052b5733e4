"""Owns Known, everything that the metrics of a plant are made of at one moment."""

from collections.abc import Mapping

import msgspec

from ignrun.render.alerts import AlertsReport
from ignrun.render.status_report import StatusReport
from ignrun.render.top import TopReport
from ignrun.terms.metric import Metric
from ignrun.terms.sample import ProcessSample


class Known(msgspec.Struct, frozen=True):
    """Everything that metrics are made of, at one moment.

    `metrics` holds what modules measure, by address; `samples` holds the last look at each process by its name in `top`; `lines` counts log lines by instance or host and level,
    `suppressed` those left out of a flood by name; `lost` those that no file took.
    """

    status: StatusReport
    top: TopReport
    alerts: AlertsReport
    samples: Mapping[str, ProcessSample]
    metrics: Mapping[str, tuple[Metric, ...]] = {}
    lines: Mapping[tuple[str, str], int] = {}
    suppressed: Mapping[str, int] = {}
    lost: int = 0
