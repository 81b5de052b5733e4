"""Turns code that differs into the files that do: the cause of a step is then the file that somebody edited."""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from ignrun.planner.graph.model import Graph, Hosted
from ignrun.planner.plan.model import Change, Edited, Plan, Planned, Step
from ignrun.protocol.code import CodeIndex, index_path
from ignrun.terms.spans import Span

Differing = Callable[[str, str], tuple[str, ...]]
"""From two code digests to the files that differ between them, sorted; none where that is not known."""


def with_files(planned: Planned, running: Graph, code: Mapping[str, CodeIndex], folder: Path) -> Planned:
    """Name, with each change of code, the files that changed; `folder` is where the code of generations is kept."""

    @functools.cache
    def differing(old: str, new: str) -> tuple[str, ...]:
        before, after = _kept(folder, old), code.get(new)
        if before is None or after is None:
            return ()
        return tuple(sorted(dict(before.files.items() ^ after.files.items())))

    steps = tuple(_with_files(step, planned.graph, running, differing) for step in planned.plan.steps)
    return replace(planned, plan=_replanned(planned.plan, steps))


def _replanned(plan: Plan, steps: tuple[Step, ...]) -> Plan:
    return plan if steps == plan.steps else replace(plan, steps=steps)


def _with_files(step: Step, desired: Graph, running: Graph, differing: Differing) -> Step:
    if not any(change.path == ("code",) for change in step.changes):
        return step
    bodies = [graph.instances[step.address].body for graph in (running, desired)]
    old, new = (one.code if isinstance(one, Hosted) else "" for one in bodies)
    files = differing(old, new)
    if not files:
        return step
    changes = tuple(_naming(change, files) for change in step.changes)
    first = step.changes[0].path == ("code",) and isinstance(step.cause, Edited)
    return replace(step, changes=changes, cause=Edited(Span.of_file(files[0])) if first else step.cause)


def _naming(change: Change, files: tuple[str, ...]) -> Change:
    return replace(change, files=files) if change.path == ("code",) else change


def _kept(folder: Path, digest: str) -> CodeIndex | None:
    try:
        return msgspec.json.decode(index_path(folder, digest).read_bytes(), type=CodeIndex)
    except (OSError, ValueError):
        return None
