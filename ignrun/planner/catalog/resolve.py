"""Turns what modules and definitions ask of each other's versions into one set that satisfies all, or into those that clash."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from resolvelib import AbstractProvider, BaseReporter, ResolutionImpossible, ResolutionTooDeep, Resolver

from ignrun.manifest.model import Definition
from ignrun.planner.catalog.platform import canonical
from ignrun.planner.catalog.versions import ranked, satisfies
from ignrun.terms.spans import Span

_MOST_ROUNDS: Final = 10_000_000
"""Of choosing: the limit of processor time of a reading comes first."""
_EXPLAINING_ROUNDS: Final = 1_000
"""Of asking once more for an explanation: what takes longer is taken for possible, and more wishes are named than need be."""


class Ask(msgspec.Struct, frozen=True):
    """One wish: somebody wants the definition `id` in a version; `version` is empty where any will do.

    `asker` is the module of the manifest, or (id, version) of the definition whose slot it is.
    """

    id: str
    version: str
    asker: str | tuple[str, str]
    span: Span


class Offer(msgspec.Struct, frozen=True):
    """One version of one definition that could be chosen."""

    id: str
    version: str


Versions = Mapping[str, Mapping[str, Definition]]
"""Definitions by id, then by version."""


class Clash(msgspec.Struct, frozen=True):
    """Wishes that cannot be met together, of which none can be left out; those of modules first, then along the chain."""

    asks: tuple[Ask, ...]


def resolve(roots: Sequence[Ask], versions: Versions, preferred: Mapping[str, str]) -> dict[str, str] | Clash:
    """Choose a version for each id in `roots`: the preferred one where it fits, else the highest.

    `versions` holds what may be chosen. A slot counts where its id is among `roots`: nothing is chosen that no module uses.
    Every requirement must be well-formed.
    """
    wishes = _Wishes(roots, versions)
    chosen = _attempt(wishes, preferred, frozenset(), _MOST_ROUNDS)
    return chosen if chosen is not None else Clash(_chain(_core(wishes)))


class _Wishes:
    """All that is asked for: by modules, and by each version of each definition in play."""

    def __init__(self, roots: Sequence[Ask], versions: Versions) -> None:
        self.roots = _distinct(roots)
        ids = {one.id for one in self.roots}
        self.of: dict[Offer, list[Ask]] = {
            Offer(identifier, version): [one for one in asks_of(definition) if one.id in ids]
            for identifier in ids
            for version, definition in versions[identifier].items()
        }


def _distinct(asks: Iterable[Ask]) -> list[Ask]:
    first: dict[tuple[str, str], Ask] = {}
    for one in asks:
        first.setdefault((one.id, one.version), one)
    return list(first.values())


def asks_of(definition: Definition) -> Iterator[Ask]:
    """Give one wish for each slot of a definition that names another one in certain versions."""
    asker = (definition.metadata.id, definition.metadata.version)
    for slot in definition.slots:
        if slot.uses and slot.version and _readable(slot.version):
            yield Ask(canonical(slot.uses), slot.version, asker, slot.span)


def _readable(requirement: str) -> bool:
    try:
        return satisfies("0", requirement) or True
    except ValueError:
        return False


class _Provider(AbstractProvider[Ask, Offer, str]):
    """Tells the resolver what there is; wishes in `ignored` are not told."""

    def __init__(
        self, wishes: _Wishes, versions: Mapping[str, list[str]], preferred: Mapping[str, str], ignored: frozenset[Ask]
    ) -> None:
        self._wishes, self._versions, self._preferred, self._ignored = wishes, versions, preferred, ignored

    def identify(self, requirement_or_candidate: Ask | Offer) -> str:
        return requirement_or_candidate.id

    def get_preference(
        self,
        identifier: str,
        resolutions: Any,  # noqa: ARG002 - the library hands it over
        candidates: Any,
        information: Any,  # noqa: ARG002 - the same
        backtrack_causes: Sequence[Any],
    ) -> tuple[bool, int, str]:
        guilty = {cause.requirement.id for cause in backtrack_causes}
        guilty |= {cause.parent.id for cause in backtrack_causes if cause.parent is not None}
        return (identifier not in guilty, sum(1 for _ in candidates[identifier]), identifier)

    def find_matches(self, identifier: str, requirements: Any, incompatibilities: Any) -> list[Offer]:
        refused = {one.version for one in incompatibilities[identifier]}
        fitting = ranked(self._versions[identifier], (one.version for one in requirements[identifier]))
        locked = self._preferred.get(identifier)
        order = sorted(fitting, key=lambda version: version != locked)  # stable: the others stay highest first
        return [Offer(identifier, version) for version in order if version not in refused]

    def is_satisfied_by(self, requirement: Ask, candidate: Offer) -> bool:
        return _meets(candidate.version, requirement)

    def get_dependencies(self, candidate: Offer) -> list[Ask]:
        return [one for one in self._wishes.of[candidate] if one not in self._ignored]


def _attempt(
    wishes: _Wishes, preferred: Mapping[str, str], ignored: frozenset[Ask], rounds: int
) -> dict[str, str] | None:
    roots = [msgspec.structs.replace(one, version="") if one in ignored else one for one in wishes.roots]
    left = _narrowed(roots, wishes, ignored)
    if left is None:
        return None
    provider = _Provider(wishes, left, preferred, ignored)
    try:
        result = Resolver(provider, BaseReporter()).resolve(roots, max_rounds=rounds)
    except ResolutionImpossible:
        return None
    except ResolutionTooDeep:
        return {}
    return {identifier: offer.version for identifier, offer in result.mapping.items()}


def _narrowed(roots: list[Ask], wishes: _Wishes, ignored: frozenset[Ask]) -> dict[str, list[str]] | None:
    """Strike out every version that asks for what nobody offers any more, until that is all; None when an id has none left.

    It spares the resolver trying them one by one, which takes exponential time along a chain.
    """
    left: dict[str, list[str]] = {}
    for offer in wishes.of:
        left.setdefault(offer.id, []).append(offer.version)
    for one in roots:
        left[one.id] = [version for version in left[one.id] if _meets(version, one)]
    narrower = True
    while narrower and all(left.values()):
        narrower = False
        for offer, asks in wishes.of.items():
            stuck = any(one not in ignored and not any(_meets(v, one) for v in left[one.id]) for one in asks)
            if stuck and offer.version in left[offer.id]:
                left[offer.id].remove(offer.version)
                narrower = True
    return left if all(left.values()) else None


def _meets(version: str, ask: Ask) -> bool:
    return satisfies(version, ask.version, prereleases=True)


def _core(wishes: _Wishes) -> list[Ask]:
    """Find a smallest set of wishes that clash, by halves: leaving any of them out would help."""
    every = [*(one for one in wishes.roots if one.version), *(one for asks in wishes.of.values() for one in asks)]
    every = list(dict.fromkeys(every))

    def clash(told: list[Ask]) -> bool:
        return _attempt(wishes, {}, frozenset(every) - frozenset(told), _EXPLAINING_ROUNDS) is None

    def guilty(told: list[Ask], suspects: list[Ask], *, fresh: bool) -> list[Ask]:
        if fresh and clash(told):
            return []
        if len(suspects) <= 1:
            return suspects
        first, second = suspects[: len(suspects) // 2], suspects[len(suspects) // 2 :]
        late = guilty(told + first, second, fresh=True)
        return guilty(told + late, first, fresh=bool(late)) + late

    return guilty([], every, fresh=False)


def _chain(core: list[Ask]) -> tuple[Ask, ...]:
    """Put the wishes of modules first, each followed by those of the definition that it leads to."""
    ordered = [one for one in core if isinstance(one.asker, str)]
    rest = [one for one in core if not isinstance(one.asker, str)]
    known = {one.id for one in ordered}
    while rest:
        following = [one for one in rest if one.asker[0] in known] or [
            one for one in rest if one.asker[0] not in {other.id for other in rest}
        ]
        following = following or rest
        ordered += following
        known |= {one.id for one in following}
        rest = [one for one in rest if one not in following]
    return tuple(ordered)
