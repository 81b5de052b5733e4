"""Draws plants, scripts of what goes wrong in them, and seeds for the order of everything."""

from dataclasses import dataclass, replace

import msgspec
from hypothesis import strategies as st

from ignrun.manifest.model import Lifecycle
from ignrun.planner.graph.model import Graph
from ignrun.terms.states import Condition
from tests.doubles.plants import command, edge, gateway, graph, module

HOMES = ("gateway", "gateway", "gateway", "gateway.2", "own", "command", "oneshot")
seeds = st.integers(0, 2**32)


@dataclass(frozen=True)
class Sketch:
    """A plant in a few words: where each module lives, and who needs whom how."""

    homes: tuple[str, ...]
    needs: tuple[tuple[int, int, str, Condition], ...]
    code: str = "1"
    restart: str = "always"

    def graph(self) -> Graph:
        specs = [self._spec(f"m{number}", home) for number, home in enumerate(self.homes)]
        edges = [edge(f"m{one}", f"m{other}", kind, condition) for one, other, kind, condition in self.needs]
        return graph(specs, edges)

    def _spec(self, name, home):
        if home in ("command", "oneshot"):
            spec = command(name, oneshot=home == "oneshot", code=self.code)
        else:
            spec = module(name, host=f"{name}@gateway" if home == "own" else home, code=self.code)
        return msgspec.structs.replace(spec, lifecycle=Lifecycle(restart=self.restart))  # type: ignore[arg-type]

    def never(self) -> "Sketch":
        """Give the same plant without restarts."""
        return replace(self, restart="never")


@st.composite
def sketches(draw, most: int = 8, code: str = "1") -> Sketch:
    homes = tuple(draw(st.lists(st.sampled_from(HOMES), min_size=1, max_size=most)))
    needs = []
    for number in range(1, len(homes)):
        for provider in sorted(draw(st.sets(st.integers(0, number - 1), max_size=3))):
            kind = draw(st.sampled_from(("requires", "requires", "wants", "after")))
            ends = homes[provider] == "oneshot"
            conditions = (Condition.COMPLETED,) if ends else (Condition.HEALTHY, Condition.STARTED)
            needs.append((number, provider, kind, draw(st.sampled_from(conditions))))
    return Sketch(homes, tuple(needs), code)


FAILING = st.lists(st.sampled_from(("raise", "hang", "not-ready", "fatal", "exit", "ok")), min_size=1, max_size=3)


@st.composite
def outcomes(draw, sketch: Sketch) -> dict[tuple[str, str], list[str]]:
    """Draw what goes wrong where."""
    found: dict[tuple[str, str], list[str]] = {}
    for number in range(len(sketch.homes)):
        address = gateway(f"m{number}")
        for callback in draw(st.sets(st.sampled_from(("initialize", "startup", "shutdown")), max_size=2)):
            found[address, callback] = draw(FAILING)
        if draw(st.integers(0, 5)) == 0:
            found[address, "run"] = [draw(st.sampled_from(("raise", "exit", "complete")))]
    return found
