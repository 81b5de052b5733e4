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
    if not isinstance(spec.body, Hosted) or spec.body.own:
        return spec
    same = before is not None and isinstance(before.body, Hosted) and before.facets.identity == spec.facets.identity
    host = (
        before.body.host
        if same and before and isinstance(before.body, Hosted)
        else HostId(f"{spec.scope.word}.g{fresh}")
    )
    return msgspec.structs.replace(spec, body=msgspec.structs.replace(spec.body, host=host))
