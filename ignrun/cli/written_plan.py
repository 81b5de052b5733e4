"""Turns a plan into the file that `apply` takes, and that back into how its manifest is read and what it has to lead to."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
from msgspec.structs import replace

from ignrun.cli.options import Aim, Reading, absolute, shown_file
from ignrun.cli.speech import say
from ignrun.terms.failure import Failure, StalePlan

if TYPE_CHECKING:
    from ignrun.manifest.inputs import Inputs
    from ignrun.planner.graph.model import Graph
    from ignrun.render.plan import MadeFrom, PlanReport
    from ignrun.terms.planning import Expected


def write_plan(file: str, report: "PlanReport", inputs: "Inputs", graph: "Graph") -> None:
    """Write a plan with all that it takes to make it again, for its owner alone: variables may say more than the plan shows."""
    from ignrun.planner.graph.facets import digest_of_content
    from ignrun.render.plan import MadeFrom, encode_plan
    from ignrun.runtime.journal.durable import durable_replace

    said = {name: getattr(inputs, name) for name in MadeFrom.__struct_fields__ if name != "content"}
    made_from = MadeFrom(**said, content=digest_of_content(graph))
    path = absolute(file)
    try:
        durable_replace(path, encode_plan(replace(report, made_from=made_from)))
    except OSError as error:
        raise Failure(f"the plan cannot be written into `{file}`: {error.strerror}") from error
    say(f"the plan is in {shown_file(str(path))}; `ignrun apply {shown_file(str(path))}` carries it out")


def taken_up(aim: Aim, reading: Reading) -> tuple[Aim, Reading]:
    """Where a plan that was written down is named, aim at the plant of its manifest and expect that plan; else give back what came."""
    if aim.manifest is None or not aim.manifest.endswith(".json"):
        return aim, reading
    file = absolute(aim.manifest)
    report = _read(file)
    made_from = report.made_from if report else None
    if report is None or made_from is None:
        return aim, reading
    if reading != Reading():
        raise click.UsageError("a plan says itself how its manifest is read: leave those options out")
    expected = _expected(report.base_generation, made_from, str(file))
    planning = replace(made_from.planning, expected=expected)
    fields = {name: getattr(made_from, name) for name in Reading.__struct_fields__ if name != "planning"}
    return Aim(made_from.manifest, made_from.state_dir, None), Reading(**fields, planning=planning)


def _expected(base: int, made_from: "MadeFrom", file: str) -> "Expected":
    """Look at the base here where nothing runs: an apply compares with nothing then, the plan with what was in force."""
    from ignrun.runtime.journal.current import read_current
    from ignrun.runtime.journal.folder import StateFolder
    from ignrun.runtime.journal.registry import live_runner
    from ignrun.terms.planning import Expected

    folder = StateFolder(Path(made_from.state_dir))
    if live_runner(folder) is not None:
        return Expected(base, made_from.content, file)
    current = read_current(folder.path)
    if (current.generation if current else 0) != base:
        raise StalePlan(base, current.generation if current else 0)
    return Expected(None, made_from.content, file)


def _read(file: Path) -> "PlanReport | None":
    """Read a plan; None for any other JSON, which may be a manifest."""
    from ignrun.render.plan import PlanReport

    try:
        return msgspec.json.decode(file.read_bytes(), type=PlanReport)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
