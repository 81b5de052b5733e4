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
    "config": "Show, explain and set config values.",
    "lock": "Write down which versions were chosen, with their hashes.",
    "modules": "List, search and show definitions.",
    "generate": "Generate the schema of a config class.",
    "start": "Start a module that was stopped by hand, or has failed.",
    "stop": "Stop a module and keep it stopped.",
    "maintenance": "Take a module out of supervision, and back.",
    "why": "Explain why a module is as it is.",
    "wait": "Wait until modules are healthy, running or stopped.",
    "health": "Show what the health checks say.",
    "history": "Show the generations: who, when, how it ended.",
    "rollback": "Go back to a former generation.",
    "watch": "Show the watcher, hold it back, let it go on.",
    "top": "Show what the processes of a plant take.",
    "alerts": "Show which alerts fire.",
    "report": "Write one archive for support.",
    "ps": "List the plants that run on this machine.",
    "export": "Write a plant in the form of other tools.",
    "diff": "Show what differs between generations and files.",
    "policy": "Judge a plan by rules written in Python.",
    "explain": "Explain the code of a diagnostic.",
    "schema": "Print the JSON Schema for editors, your modules' config included.",
    "doctor": "Check what this machine and a plant's folder need.",
    "completion": "Print what lets a shell complete verbs and module names.",
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


class VerbGroup(Verb, click.Group):
    """A verb that has verbs of its own: `ignrun config show`."""


def verb_group(name: str, *examples: str) -> Callable[[Callable[..., Any]], VerbGroup]:
    """Make a verb of the tables, with verbs of its own, out of a function; they are added by `under`."""

    def make(function: Callable[..., Any]) -> VerbGroup:
        made = click.command(name, cls=VerbGroup, short_help=(DAILY | MORE)[name])(function)
        made.examples = examples
        return made

    return make


def under(
    group: VerbGroup, name: str, *examples: str, takes_dashes: bool = False
) -> Callable[[Callable[..., Any]], Verb]:
    """Make a verb of a group out of a function; the first sentence of the docstring is its one line.

    With `takes_dashes` what looks like an option and is none is an argument: a value may be `-5`.
    """

    def make(function: Callable[..., Any]) -> Verb:
        made = click.command(name, cls=Verb, context_settings={"ignore_unknown_options": takes_dashes})(function)
        made.examples = examples
        group.add_command(made)
        return made

    return make


def verb(name: str, *examples: str) -> Callable[[Callable[..., Any]], Verb]:
    """Make a verb of the tables out of a function; the function's docstring is its help."""

    def make(function: Callable[..., Any]) -> Verb:
        made = click.command(name, cls=Verb, short_help=(DAILY | MORE)[name])(function)
        made.examples = examples
        return made

    return make
