"""Owns what a verb is: its one line, its examples, and the tables of all of them."""

from collections.abc import Callable
from typing import Any, Final

import click

DAILY: Final = {
    "apply": "Change a plant to what its manifest says.",
    "plan": "Show what an apply would change, and why.",
    "validate": "Check a manifest and all that it refers to.",
    "status": "Show every module: state, health and why.",
    "logs": "Show what modules wrote.",
    "events": "Show what happened, in order.",
    "restart": "Restart a module.",
    "down": "Stop a plant and end its runner.",
    "run": "Be the runner of a plant, in the foreground.",
    "graph": "Show which module needs which.",
    "test": "Check a plant's whole lifecycle, for CI.",
    "demo": "Run a real plant, look at it, take it down.",
}
"""What most days need: the verbs with their one line."""

MORE: Final = {
    "lock": "Write down which versions were chosen, with their hashes.",
    "ps": "List the plants that run on this machine.",
    "explain": "Explain the code of a diagnostic.",
    "schema": "Print the JSON Schema for editors, your modules' config included.",
    "info": "Show versions, paths and what this machine can do.",
}
"""The others."""


class Verb(click.Command):
    """A command of the group; its help ends with examples."""

    examples: tuple[str, ...] = ()

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click calls it so
        """Write the examples, each on a line of its own."""
        with formatter.section("Examples" if len(self.examples) > 1 else "Example"):
            for example in self.examples:
                formatter.write(f"  {example}\n")


def verb(name: str, *examples: str) -> Callable[[Callable[..., Any]], Verb]:
    """Make a verb of the tables out of a function; the function's docstring is its help."""

    def make(function: Callable[..., Any]) -> Verb:
        made = click.command(name, cls=Verb, short_help=(DAILY | MORE)[name])(function)
        made.examples = examples
        return made

    return make
