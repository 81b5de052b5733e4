"""Owns Spot, the place of one value of a config, whichever layer it came from."""

import msgspec

from ignrun.manifest.document import Document
from ignrun.manifest.places import at_key, at_value
from ignrun.terms.diagnostics import Diagnostic, Severity, diagnose
from ignrun.terms.leaves import Path
from ignrun.terms.spans import Span


class Spot(msgspec.Struct, frozen=True):
    """Where a value was written: a path in a document, or a place of its own (a variable, an option) without one.

    `folder` is what relative paths in it are relative to, where that is not the folder of the document.
    """

    document: Document | None
    path: Path = ()
    place: Span | None = None
    folder: str = ""

    @property
    def span(self) -> Span | None:
        """The place of the value; None for one that nobody wrote."""
        return self.document.value_span(self.path) if self.document else self.place

    def below(self, *path: str | int) -> "Spot":
        """Give the place of something inside this value."""
        return Spot(self.document, (*self.path, *path), self.place, self.folder)

    def mistake(self, code: str, summary: str, *, hint: str = "", masked: bool = False) -> Diagnostic:
        """Make an error at the value."""
        if self.document is None:
            return diagnose(self._own_place, code, summary, hint=hint)
        return at_value(self.document, self.path, code, summary, hint=hint, masked=masked)

    def mistake_at_key(self, code: str, summary: str, *, hint: str = "", masked: bool = False) -> Diagnostic:
        """Make an error at the key that leads to the value."""
        if self.document is None:
            return diagnose(self._own_place, code, summary, hint=hint)
        return at_key(self.document, self.path, code, summary, hint=hint, masked=masked)

    def remark(self, code: str, summary: str, *, hint: str = "") -> Diagnostic:
        """Make a remark at the value."""
        if self.document is None:
            return diagnose(self._own_place, code, summary, hint=hint, severity=Severity.REMARK)
        return at_value(self.document, self.path, code, summary, hint=hint, severity=Severity.REMARK)

    def instead_of(self, found: Diagnostic, file: str) -> Diagnostic:
        """Move a mistake that concerns the whole of `file` to this value, which names the file; others stay where they are."""
        if found.span.file != file or (found.span.line, found.span.column) != (1, 1):
            return found
        return self.mistake(found.code, f"`{file}`: {found.summary}", hint=found.hint)

    @property
    def _own_place(self) -> Span:
        return self.place or Span.of_file("")
