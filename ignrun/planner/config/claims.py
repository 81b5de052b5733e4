"""Owns Claims, who takes which exclusive resource of a plant."""

import functools
from collections.abc import Iterator
from typing import Any

import msgspec

from ignrun.planner.config.resolve import Resolver
from ignrun.planner.config.spots import Spot
from ignrun.terms.diagnostics import Diagnostic, Note
from ignrun.terms.leaves import Path
from ignrun.terms.names import Address


class Claims:
    """Gathers the claims of one instance after the other; `diagnostics` tells of each resource that two of them take."""

    def __init__(self) -> None:
        """Begin with nothing taken."""
        self._taken: dict[str, tuple[Address, Spot]] = {}
        self.diagnostics: list[Diagnostic] = []

    def take(self, address: Address, raw: tuple[Any, ...], spot: Spot, resolver: Resolver) -> tuple[str, ...]:
        """Resolve the claims of an instance and take what they name; what is known only at apply is left out."""
        return tuple(self._take(address, raw, spot, resolver))

    def _take(self, address: Address, raw: tuple[Any, ...], spot: Spot, resolver: Resolver) -> Iterator[str]:
        for number, one in enumerate(raw):
            place = spot.below(number)
            claim = resolver.tree(one, functools.partial(_always, place), _text).plain
            if claim is None:
                continue
            holder, first = self._taken.setdefault(claim, (address, place))
            if holder != address:
                self.diagnostics.append(_twice(claim, address, place, holder, first))
            yield claim


def _always(place: Spot, _: Path) -> Spot:
    return place


def _text(_: Path) -> str:
    return "text"


def _twice(claim: str, address: Address, place: Spot, holder: Address, first: Spot) -> Diagnostic:
    found = place.mistake("IGN316", f"`{claim}` is claimed by `{address}` and by `{holder}`")
    return msgspec.structs.replace(found, notes=(Note(f"`{holder}` claims it here", first.span),))
