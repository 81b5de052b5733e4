"""Turns names of modules into the instances that are meant, and asks one thing of each of them."""

from collections.abc import Iterable

from ignrun.cli.options import Aim
from ignrun.cli.plant import find_plant, runner_of
from ignrun.cli.speech import say
from ignrun.control.wire import Verb
from ignrun.render.status_report import InstanceStatus, StatusReport
from ignrun.terms.failure import Failure, RunnerRefused


def operate(verb: Verb, modules: tuple[str, ...], aim: Aim, done: str) -> None:
    """Ask this of every instance that is meant, in order, and say `done` of each; raises the first refusal at the end."""
    from ignrun.cli.converge import operator
    from ignrun.control.client import Client

    client = Client(runner_of(find_plant(aim, looking=False)).socket)
    first: RunnerRefused | None = None
    for one in meant(client.status(), modules):
        try:
            client.ask(verb, one.address, operator())
        except RunnerRefused as refusal:
            if first is not None:
                say(f"{one.address}: {refusal.summary}")
            first = first or refusal
        else:
            say(f"{one.address}: {done}")
    if first is not None:
        raise first


def meant(report: StatusReport, names: tuple[str, ...]) -> list[InstanceStatus]:
    """Give the instances that are meant, each once: `MODULE` means all of its instances; raises Failure for a stranger."""
    found: dict[str, InstanceStatus] = {}
    for name in names:
        own = [one for one in report.instances if name in {one.address, one.module}]
        if not own:
            raise stranger([one.address for one in report.instances], name)
        found |= {one.address: one for one in own}
    return list(found.values())


def stranger(addresses: Iterable[str], name: str) -> Failure:
    """Say that a plant, whose instances are those, has no module of this name."""
    names = ", ".join(f"`{address}`" for address in addresses)
    return Failure(f"the plant has no module `{name}`", f"it has {names}" if names else "nothing has been applied yet")
