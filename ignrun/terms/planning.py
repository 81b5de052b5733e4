"""Owns Planning, what an operator asks of a plan beyond the manifest, and allows it."""

import msgspec


class Expected(msgspec.Struct, frozen=True):
    """What a plan that was written down compares with (`base`, a generation; None where that has been looked at) and leads to.

    `content` is the digest of that, the texts of secrets aside; `file` holds the plan.
    """

    base: int | None
    content: str
    file: str = ""


class Planning(msgspec.Struct, frozen=True):
    """What an operator asks of a plan beyond the manifest, and allows it.

    `targets` limits it to these modules or addresses and what they require; `allow_replace` names those that may be replaced where a
    value changes that never does; `allow_mass_delete` lets it delete more than half. With `expected` any other plan is refused.
    `once_more` has everybody who can take his own config while he runs, though nothing has changed.
    """

    targets: tuple[str, ...] = ()
    allow_replace: tuple[str, ...] = ()
    allow_mass_delete: bool = False
    expected: Expected | None = None
    once_more: bool = False
