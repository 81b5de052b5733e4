"""Turns a number and a seed into a plant of that many modules with a random dependency graph."""

import itertools
import math
import random
from pathlib import Path

Edges = list[tuple[str, str]]
"""Pairs of dependent and provider, by module name."""


def random_graph(count: int, seed: int, fan: int = 2) -> dict[str, list[str]]:
    """Give each of `count` modules its providers: `fan` of the row before it, in rows as wide as there are rows."""
    chance = random.Random(seed)
    width = max(2, math.isqrt(count))
    rows = [range(start, min(start + width, count)) for start in range(0, count, width)]
    graph: dict[str, list[str]] = {_name(number): [] for number in rows[0]}
    for above, row in itertools.pairwise(rows):
        for number in row:
            graph[_name(number)] = [_name(one) for one in sorted(chance.sample(above, min(fan, len(above))))]
    return graph


def edges_of(graph: dict[str, list[str]]) -> Edges:
    return [(dependent, provider) for dependent, providers in graph.items() for provider in providers]


def write_plant(folder: Path, graph: dict[str, list[str]]) -> Path:
    """Write a manifest of Python modules, one class each in one file, and give its path."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["modules:"]
    for name, providers in graph.items():
        requires = f", requires: [{', '.join(providers)}]" if providers else ""
        lines.append(f"  {name}: {{entry: bench_modules:{name.title()}{requires}}}")
    code = ["from ignrun import AbstractIgnitionModule\n", *(_CLASS.format(name.title()) for name in graph)]
    (folder / "bench_modules.py").write_text("\n".join(code))
    manifest = folder / "ignrun.yaml"
    manifest.write_text("\n".join(lines) + "\n")
    return manifest


def _name(number: int) -> str:
    return f"m{number:05d}"


_CLASS = """
class {}(AbstractIgnitionModule):
    async def initialize(self): ...
    async def startup(self): ...
    async def shutdown(self): ...
"""
