"""Owns `ignrun restart`: has a module stopped and started again."""

import click

from ignrun.cli.completing import module_names
from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.options import Aim, aims_at_plant
from ignrun.cli.verb import verb


@verb("restart", "ignrun restart historian", "ignrun restart basic@designer -n demo")
@click.argument("modules", nargs=-1, required=True, metavar="MODULE[@SCOPE]...", shell_complete=module_names)
@aims_at_plant
def command(modules: tuple[str, ...], aim: Aim) -> ExitCode:
    """Stop modules and start them again, and return when they run; `MODULE` means all its instances."""
    from ignrun.cli.operating import operate

    operate("restart", modules, aim, "restarted")
    return ExitCode.DONE
