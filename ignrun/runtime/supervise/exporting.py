"""Turns what a command declares that it exports into values, as far as they can be told."""

from typing import Any

from ignrun.runtime.supervise.draft import Draft
from ignrun.runtime.supervise.roster import Instance
from ignrun.terms.leaves import ExportNamed, Literal, Part, Pending, filled, joined
from ignrun.terms.names import Address


def declared(draft: Draft, instance: Instance) -> dict[str, Any]:
    """Fill in what a command exports; a leaf that hangs on a secret, or on an export that is not there, stays None."""

    def text_of(part: Part) -> Any:
        match part:
            case Literal(text=text):
                return text
            case ExportNamed(provider=provider, key=key):
                known = draft.instances.get(Address(provider))
                return known.exports[key] if known else None
            case _:
                raise KeyError(part.name)

    def leaf(pending: Pending) -> Any:
        try:
            return joined(pending, text_of)
        except (KeyError, ValueError):
            return None

    exports = filled(instance.spec.exports, leaf)
    return exports if isinstance(exports, dict) else {}
