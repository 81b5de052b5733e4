"""Owns Now, the moment at which a decision is taken, handed in because a decision looks at no clock."""

from datetime import datetime

import msgspec


class Now(msgspec.Struct, frozen=True):
    """One moment seen twice: `mono` in monotonic seconds for decisions, `utc` (aware) for people."""

    mono: float
    utc: datetime
