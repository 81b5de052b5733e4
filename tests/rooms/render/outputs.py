"""Owns which type each verb's `-o json` has, and turns the types into the schemas under `schemas/output`."""

from pathlib import Path
from typing import Any, Final

import msgspec

from ignrun.cli.info import InfoReport
from ignrun.cli.ps import PlantsReport
from ignrun.render.alerts import AlertsReport
from ignrun.render.catalog import CatalogReport
from ignrun.render.check_report import CheckReport
from ignrun.render.config import BackupsReport, ConfigReport, ExplainReport
from ignrun.render.diagnostics import Diagnosis
from ignrun.render.diff import DiffReport
from ignrun.render.doctor import DoctorReport
from ignrun.render.graph import GraphReport
from ignrun.render.health import HealthReport
from ignrun.render.history import DetailReport, HistoryReport
from ignrun.render.outcome import OutcomeReport
from ignrun.render.past import PastReport
from ignrun.render.plan import PlanReport
from ignrun.render.policy import PolicyReport
from ignrun.render.status_report import StatusReport
from ignrun.render.top import TopReport
from ignrun.render.watch import WatchReport
from ignrun.render.why import WhyReport
from ignrun.runtime.observe.record import LogRecord
from ignrun.terms.events import Event
from tests.house.tree import ROOT

FOLDER: Final = ROOT / "schemas" / "output"

OUTPUTS: Final[dict[str, tuple[Any, str]]] = {
    "alerts": (AlertsReport, "`ignrun alerts -o json`"),
    "apply": (OutcomeReport, "`ignrun apply -o json` and `ignrun rollback -o json`"),
    "config-backups": (BackupsReport, "`ignrun config backups MODULE -o json`"),
    "config-explain": (ExplainReport, "`ignrun config explain MODULE -o json`"),
    "config-show": (ConfigReport, "`ignrun config show MODULE -o json`"),
    "diff": (DiffReport, "`ignrun diff -o json`"),
    "doctor": (DoctorReport, "`ignrun doctor -o json`"),
    "events": (Event, "each line of `ignrun events -o json`"),
    "graph": (GraphReport, "`ignrun graph --format json`"),
    "health": (HealthReport, "`ignrun health -o json`"),
    "history": (HistoryReport, "`ignrun history -o json`"),
    "history-generation": (DetailReport, "`ignrun history GENERATION -o json`"),
    "info": (InfoReport, "`ignrun info -o json`"),
    "logs": (LogRecord, "each line of `ignrun logs -o json`"),
    "modules": (CatalogReport, "`ignrun modules list -o json`, `search` and `show`"),
    "plan": (PlanReport, "`ignrun plan -o json`"),
    "policy": (PolicyReport, "`ignrun policy -o json`"),
    "ps": (PlantsReport, "`ignrun ps -o json`"),
    "status-history": (PastReport, "`ignrun status --history -o json`"),
    "status": (StatusReport, "`ignrun status -o json`"),
    "test": (CheckReport, "`ignrun test --format json`"),
    "top": (TopReport, "`ignrun top -o json`"),
    "validate": (Diagnosis, "`ignrun validate --format json`"),
    "watch": (WatchReport, "`ignrun watch status -o json`"),
    "why": (tuple[WhyReport, ...], "`ignrun why MODULE -o json`"),
}
"""The name of each schema, the type that it is made of, and what it describes."""


def schema_of(name: str) -> dict[str, Any]:
    """Make the JSON Schema of one output."""
    kind, words = OUTPUTS[name]
    (found,), defs = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://ignrun.dev/schemas/v1/output/{name}.schema.json",
        "title": f"ignrun {name}",
        "description": f"What {words} writes; fields are added and never renamed or removed within format version 1.",
    }
    return head | found | {"$defs": {title: _plain(defs[title]) for title in sorted(defs)}}


def _plain(schema: Any) -> Any:
    """Leave out what OpenAPI knows and JSON Schema does not."""
    match schema:
        case dict():
            return {key: _plain(value) for key, value in schema.items() if key != "discriminator"}
        case list():
            return [_plain(one) for one in schema]
        case _:
            return schema


def text_of(name: str) -> bytes:
    """Write a schema as it is shipped."""
    return msgspec.json.format(msgspec.json.encode(schema_of(name)), indent=2) + b"\n"


def file_of(name: str) -> Path:
    """Say where a schema lies."""
    return FOLDER / f"{name}.schema.json"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in OUTPUTS:
        file_of(each).write_bytes(text_of(each))
