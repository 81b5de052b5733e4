"""Turns a word that is being typed into what it could become: verbs and options by click, modules by what runs or ran."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import click

from ignrun.cli.options import Aim
from ignrun.terms.failure import Failure

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

SHELLS: Final = ("bash", "zsh", "fish")
"""The shells that a script is made for."""

_PATIENCE: Final = 1.0  # seconds that a key press may wait for a runner


def complete(instruction: str) -> int:
    """Answer a shell that asks by `instruction` and its variables what the words so far could become."""
    from click.shell_completion import shell_complete

    from ignrun.cli.group import ignrun
    from ignrun.cli.main import COMPLETE

    return shell_complete(ignrun, {}, "ignrun", COMPLETE, instruction)


def script_of(shell: str, program: str) -> str:
    """Give the script that lets `shell` complete the words after `program`, which asks it by a variable of its own."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    asked = f"_{program.upper().replace('-', '_')}_COMPLETE"
    maker = kind(click.Command(program), {}, program, asked)
    return maker.source_template % maker.source_vars()


def module_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":  # noqa: ARG001 - click calls it so
    """Give the modules, and the addresses of those that run in several scopes, that begin with what has been typed."""
    from click.shell_completion import CompletionItem

    try:
        addresses = _addresses(_aim_of(ctx.params))
    except (Failure, OSError, ValueError):  # a key press is no place to complain
        return []
    return [CompletionItem(name) for name in _names(addresses) if name.startswith(incomplete)]


def _aim_of(given: dict[str, Any]) -> Aim:
    return Aim(given.get("manifest_option"), given.get("state_dir"), given.get("name"))


def _addresses(aim: Aim) -> list[str]:
    """Ask the runner; where nobody runs the plant, take what was in force last."""
    from ignrun.cli.plant import find_plant

    plant = find_plant(aim, looking=True)
    if record := plant.runner:
        from ignrun.control.client import Client

        found = Client(record.socket, _PATIENCE).modules().modules
        return [each.address for one in found for each in one.instances]
    from ignrun.runtime.journal.current import read_current

    current = read_current(plant.folder.path)
    return list(current.graph.instances) if current else []


def _names(addresses: Iterable[str]) -> list[str]:
    scopes: dict[str, list[str]] = {}
    for address in addresses:
        scopes.setdefault(address.partition("@")[0], []).append(address)
    return [name for module, each in scopes.items() for name in ([module] if len(each) == 1 else [module, *each])]
