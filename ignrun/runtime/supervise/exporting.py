"""Decides what an instance exports by its declaration, and what becomes of that when another declaration comes."""

from typing import Any, Final

from ignrun.planner.graph.model import Command, InstanceSpec
from ignrun.runtime.supervise.draft import Draft
from ignrun.runtime.supervise.roster import Instance
from ignrun.terms.leaves import ExportNamed, Literal, Part, Pending, filled, joined
from ignrun.terms.names import Address

_NOTHING: Final = object()


def redeclared(draft: Draft, instance: Instance, spec: InstanceSpec) -> dict[str, Any]:
    """Give what a running instance exports once it goes by `spec`; what a module says itself is stronger, and stays."""
    if isinstance(spec.body, Command):
        return declared(draft, instance, spec)
    before = instance.spec.exports.plain or {}
    said = {key: value for key, value in instance.exports.items() if before.get(key, _NOTHING) != value}
    return {**(spec.exports.plain or {}), **said}


def declared(draft: Draft, instance: Instance, spec: InstanceSpec | None = None) -> dict[str, Any]:
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

    exports = filled((spec or instance.spec).exports, leaf)
    return exports if isinstance(exports, dict) else {}
