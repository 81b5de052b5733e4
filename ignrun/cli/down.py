"""Owns `ignrun down`: ends a plant's runner, its modules in reverse order."""

import click

from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.options import DURATION, Aim, aims_at_plant
from ignrun.cli.plant import find_plant
from ignrun.cli.speech import say
from ignrun.cli.verb import verb
from ignrun.terms.failure import NoRunner


@verb("down", "ignrun down", "ignrun down -n demo")
@aims_at_plant
@click.option("--timeout", type=DURATION, default="300s", show_default=True, help="How long to wait for the end.")
def command(aim: Aim, timeout: float) -> ExitCode:
    """Stop every module of a plant, dependents first, and end its runner. Without a runner there is nothing to do.

    The generation in force stays remembered: `plan` compares with it, the next apply starts the plant again.
    """
    try:
        plant = find_plant(aim, looking=False)
    except NoRunner as nothing:
        say(f"{nothing.summary}: nothing to do")
        return ExitCode.DONE
    record = plant.runner
    if record is None:
        say(f"no runner is alive for plant `{plant.name}`: nothing to do")
        return ExitCode.DONE
    from ignrun.cli.converge import operator
    from ignrun.cli.ending import end_runner

    end_runner(record, by=operator(), timeout=timeout)
    say(f"plant `{plant.name}` is down")
    return ExitCode.DONE
