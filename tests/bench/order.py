"""Turns the events of a journal and the edges of a plant into every breach of start and stop order."""

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

Moves = list[tuple[str, str]]
"""Pairs of module and the state it moved to, in the order of the journal."""


def read_moves(journal: Path) -> Moves:
    """Read the lifecycle of every module from a journal, by sequence number; checks that the numbers have no gap."""
    with closing(sqlite3.connect(f"{journal.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT seq, subject, body FROM events ORDER BY seq").fetchall()
    assert [seq for seq, _, _ in rows] == list(range(rows[0][0], rows[0][0] + len(rows))), "the journal has a gap"
    bodies = [(subject, json.loads(body)) for _, subject, body in rows]
    return [(subject.split("@")[0], body["to"]) for subject, body in bodies if body["type"] == "moved"]


def order_violations(moves: Moves, edges: Iterable[tuple[str, str]]) -> list[str]:
    """Name each edge whose dependent began before its provider ran, or outlived it; empty when all kept the order.

    A plant that started once and stopped once is meant; an edge of which nothing is told is a breach too.
    """
    first: dict[tuple[str, str], int] = {}
    for number, move in enumerate(moves):
        first.setdefault(move, number)
    found = []
    for dependent, provider in edges:
        for earlier, later in (
            ((provider, "running"), (dependent, "starting")),
            ((dependent, "stopped"), (provider, "stopping")),
        ):
            if earlier not in first or later not in first:
                found.append(f"`{dependent}` needs `{provider}`: not both of {earlier} and {later} happened")
            elif first[earlier] > first[later]:
                found.append(f"`{dependent}` needs `{provider}`: {later} came before {earlier}")
    return found
