"""Owns `ignrun restart`: has a module stopped and started again."""

import click

from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.options import Aim, aims_at_plant
from ignrun.cli.plant import find_plant, runner_of
from ignrun.cli.speech import say
from ignrun.cli.verb import verb
from ignrun.terms.failure import Failure


@verb("restart", "ignrun restart historian", "ignrun restart basic@designer -n demo")
@click.argument("modules", nargs=-1, required=True, metavar="MODULE[@SCOPE]...")
@aims_at_plant
def command(modules: tuple[str, ...], aim: Aim) -> ExitCode:
    """Stop modules and start them again, and return when they run; `MODULE` means all its instances."""
    plant = find_plant(aim, looking=False)
    record = runner_of(plant)
    from ignrun.cli.converge import operator
    from ignrun.control.client import Client

    client = Client(record.socket)
    known = [one.address for one in client.status().instances]
    for address in [address for name in modules for address in _meant(name, known)]:
        client.ask("restart", address, operator())
        say(f"{address}: restarted")
    return ExitCode.DONE


def _meant(name: str, known: list[str]) -> list[str]:
    found = [address for address in known if name in {address, address.partition("@")[0]}]
    if not found:
        names = ", ".join(f"`{address}`" for address in known)
        raise Failure(
            f"the plant has no module `{name}`", f"it has {names}" if names else "nothing has been applied yet"
        )
    return found
