"""Says which instances are the same as others were under the name that a module had before, and where they keep their data."""

from collections.abc import Iterable
from pathlib import PurePath

from ignrun.manifest.model import Moved
from ignrun.planner.graph.model import Graph
from ignrun.terms.names import Address, address_of
from ignrun.terms.spans import Span

Renames = dict[Address, tuple[Address, Span]]
"""From an address that is gone to the one that stands for it now, and where that is written."""


def renames_of(known: Graph, moves: Iterable[Moved]) -> Renames:
    """Find the instances of `known` whose module has another name by now; one whose new name is taken already is none."""
    names = {one.old: one for one in moves}
    found: Renames = {}
    for address, spec in known.instances.items():
        module, seen, span = spec.module, {spec.module}, None
        while module in names and names[module].new not in seen:
            module, span = names[module].new, names[module].span
            seen.add(module)
        new = address_of(module, spec.scope)
        if span is not None and new not in known.instances:
            found[address] = (new, span)
    return found


def data_folders(known: Graph, moves: Iterable[Moved]) -> dict[Address, str]:
    """Name, by address, the data folder of each instance that keeps its data where an earlier name of it says."""
    renames = renames_of(known, moves)
    kept: dict[Address, str] = {}
    for address, spec in known.instances.items():
        folder = PurePath(spec.folders.data).name
        now = renames[address][0] if address in renames else address
        if folder != now:
            kept[now] = folder
    return kept
