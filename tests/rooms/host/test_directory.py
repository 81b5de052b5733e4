"""Where a provider is: here as long as it serves here, else where the runner says."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from ignrun.host.directory import Directory
from ignrun.protocol.orders import Route
from ignrun.terms.states import ModuleState


def seat(*, serves: bool) -> Any:
    """Make a seat as far as a directory looks at it."""
    state = ModuleState.RUNNING if serves else ModuleState.STOPPED
    return SimpleNamespace(serving=object() if serves else None, state=state, exports={"of": "here"} if serves else {})


def directory(found: Any, *routes: Route) -> Directory:
    """Make a directory that knows one seat, or none, and these routes."""
    made = Directory(lambda _: cast("Any", found))
    for one in routes:
        made.route(one)
    return made


ELSEWHERE = Route("a@gateway", "/run/other", ModuleState.RUNNING, {"of": "elsewhere"})
GONE = Route("a@gateway", "/run/other", ModuleState.STOPPED, {})


@pytest.mark.parametrize(
    ("found", "routes", "exports", "state"),
    [
        (seat(serves=True), (), {"of": "here"}, ModuleState.RUNNING),
        (seat(serves=True), (GONE,), {"of": "here"}, ModuleState.RUNNING),
        (seat(serves=False), (ELSEWHERE,), {"of": "elsewhere"}, ModuleState.RUNNING),
        (seat(serves=False), (GONE,), {}, ModuleState.STOPPED),
        (None, (ELSEWHERE,), {"of": "elsewhere"}, ModuleState.RUNNING),
        (None, (), {}, ModuleState.UNINITIALIZED),
    ],
    ids=["here", "moved in", "moved out", "gone", "elsewhere", "unknown"],
)
def test_a_provider_that_has_moved_is_told_of_as_it_is_where_it_serves(found, routes, exports, state):
    made = directory(found, *routes)
    assert made.exports("a@gateway") == exports
    assert made.state("a@gateway") is state
