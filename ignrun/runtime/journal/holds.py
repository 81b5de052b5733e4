"""Turns what operators hold stopped into rows of the store, and rows back into it."""

import sqlite3
from collections.abc import Mapping

from ignrun.terms.names import Address


def write_holds(connection: sqlite3.Connection, holds: Mapping[Address, str]) -> None:
    """Replace all holds, inside the writer's transaction; raises sqlite3.Error."""
    connection.execute("DELETE FROM holds")
    for address, held_by in holds.items():
        connection.execute("INSERT INTO holds (address, held_by) VALUES (?, ?)", (address, held_by))


def read_holds(connection: sqlite3.Connection) -> dict[Address, str]:
    """Give who holds which instance stopped; raises sqlite3.Error."""
    return {Address(address): held_by for address, held_by in connection.execute("SELECT address, held_by FROM holds")}
