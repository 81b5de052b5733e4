"""Owns `ignrun wait`: returns when modules are where somebody needs them."""

import time
from typing import Final

import click

from ignrun.cli.completing import module_names
from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.options import DURATION, Aim, aims_at_plant
from ignrun.cli.plant import find_plant, runner_of
from ignrun.cli.verb import verb
from ignrun.render.status_report import InstanceStatus
from ignrun.terms.failure import WaitTimedOut

_PAUSE: Final = 0.1


@verb("wait", "ignrun wait historian", "ignrun wait tags web --for running --timeout 30s")
@click.argument("modules", nargs=-1, required=True, metavar="MODULE[@SCOPE]...", shell_complete=module_names)
@click.option(
    "--for",
    "wanted",
    type=click.Choice(["healthy", "running", "stopped"]),
    default="healthy",
    show_default=True,
    help="What they are to be; one that completed is healthy, and stopped.",
)
@click.option("--timeout", type=DURATION, default="60s", show_default=True, help="How long to wait.")
@aims_at_plant
def command(modules: tuple[str, ...], wanted: str, timeout: float, aim: Aim) -> ExitCode:
    """Wait until modules are healthy, running or stopped.

    Ends with 12 when the time is over, and with 11 at once when one has failed and will not be tried again.
    """
    from ignrun.cli.operating import meant
    from ignrun.cli.speech import say
    from ignrun.control.client import Client

    client = Client(runner_of(find_plant(aim, looking=True)).socket)
    deadline = time.monotonic() + timeout
    while missing := [one for one in meant(client.status(), modules) if not _is(one, wanted)]:
        lost = [one for one in missing if wanted != "stopped" and _is_lost(one)]
        if lost:
            say(f"error: {lost[0].address} will not get there by itself: {lost[0].cause}")
            say(f"hint: `ignrun why {lost[0].address}` says more")
            return ExitCode.UNHEALTHY
        if time.monotonic() >= deadline:
            names = ", ".join(f"{one.address} is {one.state}, {one.health}" for one in missing)
            raise WaitTimedOut(f"not {wanted} in time: {names}", f"`ignrun why {missing[0].address}` says more")
        time.sleep(_PAUSE)
    return ExitCode.DONE


def _is(one: InstanceStatus, wanted: str) -> bool:
    from ignrun.cli.settling import is_well

    match wanted:
        case "healthy":
            return is_well(one)
        case "running":
            return one.state == "running" or one.completed
        case _:
            return one.state in {"stopped", "uninitialized"} and (one.goal != "up" or one.completed)


def _is_lost(one: InstanceStatus) -> bool:
    return one.state == "error" and one.next_retry is None and not one.upstream and one.goal == "up"
