"""Turns wishes for versions that cannot be met together into one diagnostic that shows the whole chain."""

from collections.abc import Iterator

from packaging.version import Version

from ignrun.manifest.model import Manifest
from ignrun.manifest.places import at_span
from ignrun.planner.catalog.resolve import Ask, Clash, Versions
from ignrun.terms.diagnostics import Diagnostic, Note, diagnose


def explained(manifest: Manifest, clash: Clash, roots: list[Ask], versions: Versions) -> Diagnostic:
    """Say which wishes clash, at the first of them that a module of the manifest has."""
    origins = _origins(clash, roots)
    notes = [_note(one, clash) for one in (*origins, *_once(clash.asks))]
    notes += [Note(_offered(identifier, versions)) for identifier in dict.fromkeys(one.id for one in clash.asks)]
    summary = f"no set of versions satisfies everybody: {_contested(clash)}"
    hint = "loosen one of the requirements below, or add a version that fits them all"
    place = next((one.span for one in (*clash.asks, *origins) if isinstance(one.asker, str)), roots[0].span)
    document = next((one for one in manifest.documents if one.file == place.file), None)
    if document is None:
        return diagnose(place, "IGN330", summary, hint=hint, notes=notes)
    return at_span(document, place, "IGN330", summary, hint=hint, notes=notes)


def _origins(clash: Clash, roots: list[Ask]) -> list[Ask]:
    """Name the modules through which definitions come into play whose own version nobody restricts."""
    wanted = {one.id for one in clash.asks}
    through = dict.fromkeys(one.asker[0] for one in clash.asks if not isinstance(one.asker, str))
    return [next(one for one in roots if one.id == identifier) for identifier in through if identifier not in wanted]


def _once(asks: tuple[Ask, ...]) -> Iterator[Ask]:
    """Give the same wish of several versions of a definition once."""
    seen: set[tuple[str, str, str]] = set()
    for one in asks:
        key = (one.asker if isinstance(one.asker, str) else f"{one.asker[0]}@", one.id, one.version)
        if key not in seen:
            seen.add(key)
            yield one


def _note(ask: Ask, clash: Clash) -> Note:
    wish = f"`{ask.id}` {ask.version}".rstrip()
    if isinstance(ask.asker, str):
        return Note(f"module `{ask.asker}` uses {wish}", ask.span)
    same = [one for one in clash.asks if (one.id, one.version) == (ask.id, ask.version)]
    versions = [one.asker[1] for one in same if not isinstance(one.asker, str) and one.asker[0] == ask.asker[0]]
    verb = "asks" if len(versions) == 1 else "ask"
    return Note(f"`{ask.asker[0]}` {' and '.join(versions)} {verb} for {wish}", ask.span)


def _contested(clash: Clash) -> str:
    """Name the definition at the end of the chain, and how it is asked for."""
    last = clash.asks[-1].id
    wishes = dict.fromkeys(one.version for one in clash.asks if one.id == last)
    return f"`{last}` is wanted as {' and as '.join(f'`{one}`' for one in wishes)}"


def _offered(identifier: str, versions: Versions) -> str:
    return f"there is `{identifier}` {', '.join(sorted(versions[identifier], key=Version))}"
