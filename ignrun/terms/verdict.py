"""Owns Verdict: what a stage of the corridor answers, the accepted value or the sound part of it with its diagnostics."""

from typing import Generic, TypeVar

import msgspec

from ignrun.terms.diagnostics import Diagnostic, has_errors

T = TypeVar("T")


class Accepted(msgspec.Struct, Generic[T], frozen=True, tag="accepted"):
    """The value is sound; `diagnostics` holds warnings and remarks only."""

    value: T
    diagnostics: tuple[Diagnostic, ...] = ()


class Rejected(msgspec.Struct, Generic[T], frozen=True, tag="rejected"):
    """The value is refused; `sound` is the part of it that later stages may still examine, for diagnostics only."""

    sound: T
    diagnostics: tuple[Diagnostic, ...]


Verdict = Accepted[T] | Rejected[T]


def judge(value: T, diagnostics: tuple[Diagnostic, ...]) -> "Accepted[T] | Rejected[T]":
    """Accept `value` when no diagnostic is an error, else hand it on as the sound part of a rejection."""
    if has_errors(diagnostics):
        return Rejected(value, diagnostics)
    return Accepted(value, diagnostics)


def examined(verdict: "Accepted[T] | Rejected[T]") -> T:
    """Give the value to look at, accepted or only sound in part; never plan or run what this returns."""
    return verdict.value if isinstance(verdict, Accepted) else verdict.sound
