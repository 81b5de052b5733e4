"""Owns the group of all verbs, each loaded only when it is called, and the frame in which they end."""

import os
from importlib import import_module
from typing import Any

import click

from ignrun import __version__
from ignrun.cli.exit_codes import ExitCode, code_of_failure
from ignrun.cli.verb import DAILY, MORE
from ignrun.terms.failure import Failure


class Verbs(click.Group):
    """A group that knows its verbs by name and imports one only to run it or to show its own help."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click calls it so
        """Name every verb, the daily ones first."""
        return [*DAILY, *MORE, *sorted(self.commands)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the file of a verb and give its command; it is called like the verb."""
        if cmd_name not in DAILY and cmd_name not in MORE:
            return super().get_command(ctx, cmd_name)
        command: click.Command = import_module(f"ignrun.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb that is called; an unknown one ends in a usage error that names the nearest."""
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], self.list_commands(ctx), 1)
            ctx.fail(f"there is no verb `{args[0]}`" + (f"; did you mean `{near[0]}`?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click calls it so
        """Write the daily verbs first, the others under `More`, without importing any."""
        added = [(name, command.get_short_help_str()) for name, command in sorted(self.commands.items())]
        for title, rows in (("Daily", [*DAILY.items()]), ("More", [*MORE.items(), *added])):
            with formatter.section(title):
                formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a verb: what it returns becomes the exit code, a failure one message and its code."""
        try:
            result = super().invoke(ctx)
        except Failure as failure:
            result = _ended_by(failure, ctx.command_path)
        except OSError as error:
            result = _ended_by(_in_the_way(error), ctx.command_path)
        if isinstance(result, int):
            ctx.exit(result)
        return result


def _ended_by(failure: Failure, program: str) -> ExitCode:
    show_failure(failure, program)
    return code_of_failure(failure)


def _in_the_way(error: OSError) -> Failure:
    """Turn what the system refuses about a file into a failure that names it; raises the error again where it is of no file."""
    if error.filename is None or isinstance(error, BrokenPipeError):
        raise error
    return Failure(f"`{os.fsdecode(error.filename)}` cannot be used: {error.strerror}")


def show_failure(failure: Failure, program: str = "ignrun") -> None:
    """Tell a failure on stderr: a plain statement, and the hint on its own line, with verbs as the `program` has them."""
    from ignrun.render.terminal import neutral

    click.echo(f"error: {neutral(failure.summary)}", err=True)
    if failure.hint:
        click.echo(f"hint: {neutral(failure.hint.replace('`ignrun ', f'`{program} '))}", err=True)


@click.command(
    cls=Verbs,
    name="ignrun",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="First steps: ignrun demo · ignrun validate ignrun.yaml · ignrun apply ignrun.yaml",
)
@click.version_option(__version__, prog_name="ignrun", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, envvar="IGNRUN_DEBUG", help="Show the traceback of a bug.")
def ignrun(debug: bool) -> None:
    """Run long-lived modules from YAML: show what will change, change only that."""
