"""Owns `ignrun completion`: prints what lets a shell complete verbs, options and the names of modules."""

import click

from ignrun.cli.completing import SHELLS, script_of
from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.speech import result
from ignrun.cli.verb import verb


@verb(
    "completion",
    "ignrun completion bash > ~/.local/share/bash-completion/completions/ignrun",
    "ignrun completion zsh > ~/.zfunc/_ignrun",
    "ignrun completion fish > ~/.config/fish/completions/ignrun.fish",
)
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> ExitCode:
    """Print the script that lets a shell complete verbs, options and the names of modules.

    Names of modules come from the live runner, or from what was in force last.
    """
    result(script_of(shell, "ignrun"))
    return ExitCode.DONE
