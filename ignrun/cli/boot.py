"""Turns what was good when a plant last ran into what `run` starts where the files have become invalid since."""

from pathlib import Path
from typing import TYPE_CHECKING

from ignrun.cli.converge import Prepared, inputs_for_apply
from ignrun.cli.options import Reading
from ignrun.cli.plant import Plant
from ignrun.cli.speech import say

if TYPE_CHECKING:
    from ignrun.control.wire import ApplyOptions


def last_good(plant: Plant, manifest: Path, reading: Reading) -> Prepared | None:
    """Give what the plant ran as last, for the eyes of this command only; None where nothing was ever good.

    The runner itself reads the files once more, and takes what is kept when they are invalid still.
    """
    from ignrun.planner.plan.model import Plan
    from ignrun.planner.proposal import Proposal
    from ignrun.runtime.journal.current import published_in

    published = published_in(plant.folder.path)
    if published is None or not published.good:
        return None
    say(f"generation {published.good}, the last that was good, is started instead")
    inputs = inputs_for_apply(plant, manifest, reading)
    graph = published.graph
    proposal = Proposal(plant.name, graph, Plan(0, "", (), len(graph.instances)), "", (), {}, (), graph.rules.apply)
    return Prepared(plant, manifest, inputs, proposal)


def booting(options: "ApplyOptions") -> "ApplyOptions":
    """Say that what is kept may be started."""
    from msgspec.structs import replace

    return replace(options, boot=True)
