"""Owns the faults of instances that could not even be described to their host, until the host answers for the others."""

from msgspec.structs import replace

from ignrun.protocol.reports import ImportFault, Loaded
from ignrun.runtime.supervise.messages import HostSaid, Message
from ignrun.terms.names import HostId


class Unsent:
    """What a Load order had to leave out, by host and epoch."""

    def __init__(self) -> None:
        """Start with nothing left out."""
        self._faults: dict[tuple[HostId, int], tuple[ImportFault, ...]] = {}

    def note(self, host: HostId, epoch: int, faults: tuple[ImportFault, ...]) -> None:
        """Keep what the Load order to `host` leaves out."""
        if faults:
            self._faults[host, epoch] = (*self._faults.get((host, epoch), ()), *faults)

    def added_to(self, message: Message) -> Message:
        """Add what was left out to the host's answer about loading; every other message stays as it is."""
        if not isinstance(message, HostSaid) or not isinstance(message.report, Loaded):
            return message
        faults = self._faults.pop((message.host, message.epoch), ())
        report = replace(message.report, faults=(*message.report.faults, *faults))
        return replace(message, report=report)
