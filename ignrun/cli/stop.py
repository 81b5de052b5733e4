"""Owns `ignrun stop`: stops modules and keeps them stopped."""

import click

from ignrun.cli.completing import module_names
from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.options import Aim, aims_at_plant
from ignrun.cli.verb import verb


@verb("stop", "ignrun stop historian", "ignrun stop basic@designer -n demo")
@click.argument("modules", nargs=-1, required=True, metavar="MODULE[@SCOPE]...", shell_complete=module_names)
@aims_at_plant
def command(modules: tuple[str, ...], aim: Aim) -> ExitCode:
    """Stop modules and return when nothing of them runs; what needs them goes on.

    They stay stopped, also after an apply and after the runner's end, until `ignrun start`; `status` says who holds them.
    """
    from ignrun.cli.operating import operate

    operate("stop", modules, aim, "stopped")
    return ExitCode.DONE
