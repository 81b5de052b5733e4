"""Turns `requires`, `wants` and `after`, in all their forms, into Needs with their places."""

from collections.abc import Callable

from msgspec import UNSET, UnsetType

from ignrun.manifest.document import Document
from ignrun.manifest.model import Need
from ignrun.manifest.shape import NeedText
from ignrun.terms.leaves import Path
from ignrun.terms.spans import Span
from ignrun.terms.states import Condition

NeedsText = list[str] | dict[str, str | list[str] | NeedText]


def needs(document: Document, path: Path, written: NeedsText | UnsetType) -> tuple[Need, ...]:
    """Give one Need a slot; in the short form a slot is named like its module."""
    if written is UNSET or not written:
        return ()
    if isinstance(written, list):
        return tuple(_short(document, (*path, number), target) for number, target in enumerate(written))
    return tuple(_bound(document, (*path, slot), slot, one) for slot, one in written.items())


def order(document: Document, path: Path, written: list[str] | UnsetType) -> tuple[Need, ...]:
    """Give one Need, without a slot, for each module that `after` names."""
    if written is UNSET:
        return ()
    spans = (document.value_span((*path, number)) for number in range(len(written)))
    return tuple(
        Need("", (target,), Condition.STARTED, span, target_spans=(span,))
        for target, span in zip(written, spans, strict=True)
    )


def slot_of(target: str) -> str:
    """Name the slot of a short form: the module without its scope."""
    return target.partition("@")[0]


def _short(document: Document, path: Path, target: str) -> Need:
    span = document.value_span(path)
    return Need(slot_of(target), (target,), Condition.HEALTHY, span, target_spans=(span,))


def _bound(document: Document, path: Path, slot: str, one: str | list[str] | NeedText) -> Need:
    if not isinstance(one, NeedText):
        targets, spans = _targets(document.value_span, path, one)
        return Need(
            slot, targets, Condition.HEALTHY, document.key_span(path), isinstance(one, list), target_spans=spans
        )
    targets, spans = _targets(document.value_span, (*path, "module"), one.module)
    return Need(
        slot,
        targets,
        Condition.HEALTHY if one.condition is UNSET else Condition(one.condition),
        document.key_span(path),
        isinstance(one.module, list),
        "none" if one.on_change is UNSET else one.on_change,
        "ignore" if one.on_crash is UNSET else one.on_crash,
        spans,
    )


def _targets(
    span_of: Callable[[Path], Span], path: Path, written: str | list[str]
) -> tuple[tuple[str, ...], tuple[Span, ...]]:
    if isinstance(written, str):
        return (written,), (span_of(path),)
    return tuple(written), tuple(span_of((*path, number)) for number in range(len(written)))
