"""Instances that could not be described to their host appear in its answer as if it had refused them."""

from ignrun.protocol.reports import Hello, ImportFault, Loaded
from ignrun.runner.unsent import Unsent
from ignrun.runtime.supervise.messages import HostSaid
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.names import HostId

GATEWAY = HostId("gateway")
LEFT_OUT = ImportFault("db@gateway", Fault(FaultKind.SECRET, "secret `PW` is not to be had"))


def test_what_was_left_out_is_added_to_the_answer_once() -> None:
    unsent = Unsent()
    unsent.note(GATEWAY, 1, (LEFT_OUT,))
    answer = HostSaid(GATEWAY, 1, Loaded())
    assert unsent.added_to(answer) == HostSaid(GATEWAY, 1, Loaded((LEFT_OUT,)))
    assert unsent.added_to(answer) == answer


def test_another_process_of_the_host_and_other_reports_are_left_alone() -> None:
    unsent = Unsent()
    unsent.note(GATEWAY, 1, (LEFT_OUT,))
    newer = HostSaid(GATEWAY, 2, Loaded())
    hello = HostSaid(GATEWAY, 1, Hello(1, "0", 1, "3.11", "/s"))
    assert unsent.added_to(newer) == newer
    assert unsent.added_to(hello) == hello
