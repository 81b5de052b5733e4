"""Says in which host each Python module runs: beside the others of its scope, in one of its own, or in a fresh one."""

from collections.abc import Collection

import msgspec

from ignrun.planner.graph.model import Graph, Hosted, InstanceSpec
from ignrun.terms.names import Address, HostId


def first_host(spec: InstanceSpec) -> HostId:
    """Give the host of an instance in a plant that starts from nothing."""
    own = isinstance(spec.body, Hosted) and spec.body.own
    return HostId(spec.address) if own else HostId(spec.scope.word)


def placed(desired: Graph, running: Graph, fresh: Collection[Address]) -> Graph:
    """Place every Python module: where it runs already, else (`fresh`) with all the new ones of its scope in one fresh host.

    A host is called like its scope, or like the only instance in it; where one of that name runs, the next one gets a number:
    `gateway+1`. So nothing is ever imported into a host that serves already. A plant has one interpreter: another one makes
    all of it fresh.
    """
    if not running.instances:
        return desired
    numbers = _last_numbers(running)
    instances = {
        address: _placed(spec, running.instances.get(address), numbers, fresh)
        for address, spec in desired.instances.items()
    }
    return msgspec.structs.replace(desired, instances=instances)


def _last_numbers(running: Graph) -> dict[str, int]:
    """Give, for each name of a host that is in use, the highest number with which it is."""
    last: dict[str, int] = {}
    for spec in running.instances.values():
        if isinstance(spec.body, Hosted):
            name, _, number = spec.body.host.partition("+")
            last[name] = max(last.get(name, 0), int(number) if number.isdecimal() else 0)
    return last


def _placed(
    spec: InstanceSpec, before: InstanceSpec | None, numbers: dict[str, int], fresh: Collection[Address]
) -> InstanceSpec:
    if not isinstance(spec.body, Hosted):
        return spec
    if before is not None and isinstance(before.body, Hosted) and spec.address not in fresh:
        host = before.body.host
    else:
        host = first_host(spec)
        if host in numbers:
            host = HostId(f"{host}+{numbers[host] + 1}")
    return spec if host == spec.body.host else _in_host(spec, spec.body, host)


def _in_host(spec: InstanceSpec, body: Hosted, host: HostId) -> InstanceSpec:
    return msgspec.structs.replace(spec, body=msgspec.structs.replace(body, host=host))
