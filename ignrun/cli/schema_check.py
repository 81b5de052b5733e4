"""Compares the config schemas that were generated beside code with what the code says now."""

from collections.abc import Iterator

from ignrun.cli.generate import generated
from ignrun.planner.catalog.entry import Eyes, Missing, find_code, schema_file
from ignrun.planner.graph.model import Graph, Hosted
from ignrun.render.check_report import Check
from ignrun.terms.failure import Failure


def schema_checks(graph: Graph) -> Iterator[Check]:
    """Give a check for each entry of a plant that has a generated schema."""
    eyes, seen = Eyes.remembering(), set[str]()
    for address, spec in graph.instances.items():
        body = spec.body
        if not isinstance(body, Hosted) or body.entry in seen:
            continue
        seen.add(body.entry)
        code = find_code(body.entry, body.path, (), eyes)
        if not isinstance(code, Missing) and schema_file(body.entry, code.file).is_file():
            yield _compared(address, body)


def _compared(address: str, body: Hosted) -> Check:
    try:
        text, file = generated(body.entry, body.path)
    except Failure as failure:
        return Check("configuration", address, False, failure.summary)
    if file.read_bytes() == text:
        return Check("configuration", address, True, f"`{file.name}` is what its class says")
    return Check(
        "configuration", address, False, f"`{file.name}` is out of date: run `ignrun generate schema {body.entry}`"
    )
