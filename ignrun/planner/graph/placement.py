"""Says in which host each Python module runs: beside the others of its scope, in one of its own, or in a fresh one."""

import msgspec

from ignrun.planner.graph.model import Graph, Hosted, InstanceSpec
from ignrun.terms.names import HostId


def first_host(spec: InstanceSpec) -> HostId:
    """Give the host of an instance in a plant that starts from nothing."""
    own = isinstance(spec.body, Hosted) and spec.body.own
    return HostId(spec.address) if own else HostId(spec.scope.word)


def placed(desired: Graph, running: Graph, base: int) -> Graph:
    """Place every Python module: where its code already runs, else with all the new ones of its scope in one fresh host.

    One that is isolated and whose code changed gets a fresh host as well, beside the one that still runs the old code.
    `base` is the number of the running generation. Nothing new is ever imported into a host that serves already.
    """
    if not running.instances:
        return desired
    fresh = base + 1
    instances = {
        address: _placed(spec, running.instances.get(address), fresh) for address, spec in desired.instances.items()
    }
    return msgspec.structs.replace(desired, instances=instances)


def _placed(spec: InstanceSpec, before: InstanceSpec | None, fresh: int) -> InstanceSpec:
    if not isinstance(spec.body, Hosted):
        return spec
    body = before.body if before is not None and isinstance(before.body, Hosted) else None
    if body is not None and before is not None and before.facets.identity == spec.facets.identity:
        host = body.host
    elif not spec.body.own:
        host = HostId(f"{spec.scope.word}.g{fresh}")
    else:
        host = HostId(f"{spec.address}.g{fresh}") if body is not None else first_host(spec)
    return msgspec.structs.replace(spec, body=msgspec.structs.replace(spec.body, host=host))
