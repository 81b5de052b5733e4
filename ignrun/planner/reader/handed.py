"""Owns HandedReading, what a command has read already for the runner that it starts."""

import msgspec
from msgspec.structs import replace

from ignrun.manifest.inputs import Inputs
from ignrun.planner.proposal import Base, Reading


class HandedReading(msgspec.Struct, frozen=True):
    """A reading that somebody else had made in a bounded process: what was asked, what it was compared with, what came of it."""

    inputs: Inputs
    base: Base
    reading: Reading

    def __repr__(self) -> str:
        """Name only what it is of: an environment and a key are nobody's to read."""
        return f"HandedReading({self.inputs.manifest!r})"

    def answers(self, inputs: Inputs, base: Base) -> bool:
        """Tell whether this is the reading that is asked for; of the key, only secrets tell."""
        key = self.inputs.fingerprint_key if self.reading.secrets else inputs.fingerprint_key
        return (replace(self.inputs, fingerprint_key=key), self.base) == (inputs, base)
