"""Owns `ignrun top`: shows what the processes of a plant take, live on a terminal."""

import time
from contextlib import suppress
from typing import TYPE_CHECKING

import click
import msgspec

from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.options import Aim, aims_at_plant, output_option
from ignrun.cli.plant import find_plant, runner_of
from ignrun.cli.speech import is_terminal, paint_for, result, width
from ignrun.cli.verb import verb
from ignrun.render.top import TopReport, top_text

if TYPE_CHECKING:
    from ignrun.control.client import Client


@verb("top", "ignrun top", "ignrun top --once -o json")
@aims_at_plant
@click.option("--once", is_flag=True, help="Write one table and end, as it is done where there is no terminal.")
@output_option("text", "json")
def command(aim: Aim, once: bool, output: str) -> ExitCode:
    """Show memory, processor time, descriptors, threads and storage of every process of a plant, and who lives in it.

    On a terminal it goes on, a look a second, until Ctrl-C. Modules that share a host have its figures together.
    """
    from ignrun.control.client import Client

    client = Client(runner_of(find_plant(aim, looking=True)).socket)
    if output == "json":
        result(msgspec.json.format(msgspec.json.encode(_measured(client)), indent=2) + b"\n")
    elif once or not is_terminal():
        result(top_text(_measured(client), paint=paint_for(), width=width()))
    else:
        with suppress(KeyboardInterrupt):
            _live(client)
    return ExitCode.DONE


def _measured(client: "Client") -> TopReport:
    """Ask twice where the first look has no rates yet: a runner that nobody watched looks once in ten seconds."""
    report = client.top()
    if any(one.cpu is None for one in report.processes):
        time.sleep(2.2)
        report = client.top()
    return report


def _live(client: "Client") -> None:
    import os

    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(color_system=None if os.environ.get("NO_COLOR") else "auto")

    def drawn() -> Text:
        rows = max(1, console.size.height - 5)
        text = top_text(client.top(), paint=paint_for(), width=None, rows=rows)
        return Text.from_ansi(text, no_wrap=True, overflow="crop")

    with Live(drawn(), console=console, screen=True, auto_refresh=False) as live:
        while True:
            time.sleep(1)
            live.update(drawn(), refresh=True)
