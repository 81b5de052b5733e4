"""Owns `ignrun maintenance`: takes modules out of supervision, and back into it."""

import click

from ignrun.cli.completing import module_names
from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.options import Aim, aims_at_plant
from ignrun.cli.verb import verb


@verb("maintenance", "ignrun maintenance historian", "ignrun maintenance historian --off")
@click.argument("modules", nargs=-1, required=True, metavar="MODULE[@SCOPE]...", shell_complete=module_names)
@click.option("--off", is_flag=True, help="Supervise them again: what still runs goes on, the rest is started.")
@aims_at_plant
def command(modules: tuple[str, ...], off: bool, aim: Aim) -> ExitCode:
    """Take modules out of supervision: they go on as they are, and nobody restarts or judges them, or changes them.

    What an apply changes of them waits for `--off`. Maintenance ends with the runner.
    """
    from ignrun.cli.operating import operate

    if off:
        operate("resume", modules, aim, "supervised again")
    else:
        operate("maintenance", modules, aim, "in maintenance")
    return ExitCode.DONE
