"""Turns the YAML text of one file into a Document, event by event, within limits that no text can break."""

from array import array
from typing import Any, Final

from yaml import YAMLError
from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from ignrun.manifest.document import Document
from ignrun.manifest.files import TextFile
from ignrun.manifest.lines import lines_of
from ignrun.manifest.places import shown_line
from ignrun.manifest.scalars import OutOfRange, typed
from ignrun.manifest.syntax import broken, control_character
from ignrun.terms.diagnostics import Diagnostic, Note, diagnose
from ignrun.terms.spans import Span
from ignrun.terms.verdict import Rejected, Verdict, judge

MAX_LEVELS: Final = 64
MAX_NODES: Final = 1_000_000
MAX_COMPLAINTS: Final = 500
_WIDEST: Final = 0xFFFFF
_NO_KEY: Final = object()
_STARTS: Final = frozenset({MappingStartEvent, SequenceStartEvent})
_ENDS: Final = frozenset({MappingEndEvent, SequenceEndEvent})
_TAGS: Final = {
    ScalarEvent: frozenset({"!", "tag:yaml.org,2002:str"}),
    MappingStartEvent: frozenset({"!", "tag:yaml.org,2002:map"}),
    SequenceStartEvent: frozenset({"!", "tag:yaml.org,2002:seq"}),
}


def compose(file: TextFile) -> Verdict[Document | None]:
    """Build the document of a text; None where it is no YAML, holds no document or breaks a limit."""
    composer = _Composer(file)
    if damage := control_character(file, composer.lines):
        return Rejected(None, (damage,))
    try:
        composer.run()
    except _LimitReached as limit:
        return Rejected(None, (*composer.found, limit.diagnostic))
    except (YAMLError, ValueError, OverflowError, RecursionError) as error:
        return Rejected(None, (*composer.found, broken(file, composer.lines, error)))
    if not composer.documents:
        hint = "write `modules:` and what should run below it"
        return Rejected(
            None, (diagnose(Span.of_file(file.path, file.digest), "IGN111", "the file is empty", hint=hint),)
        )
    places = composer.places.tobytes()
    document = Document(file.path, file.digest, composer.tree, places, composer.lines, frozenset(composer.damaged))
    return judge(document, tuple(composer.found))


class _LimitReached(Exception):  # noqa: N818 - it ends the reading of one text, inside this file only
    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.summary)
        self.diagnostic = diagnostic


class _Composer:
    """One pass over the events of one text; `tree` and `places` grow together, in pre-order."""

    def __init__(self, file: TextFile) -> None:
        self.file = file
        self.lines = lines_of(file.text)
        self.places = array("Q")
        self.found: list[Diagnostic] = []
        self.damaged: set[int] = set()
        self.tree: Any = None
        self.documents = 0
        self._next: Any = CParser(file.text).get_event
        self._skipped = False  # an anchor may have been skipped, too
        self._anchors: dict[str, tuple[int, int, int, Any]] = {}  # first place, place after, levels, node

    def run(self) -> None:  # noqa: C901, PLR0912, PLR0915 - one loop, no calls: it is the price of every start
        """Read all events; raises _LimitReached and whatever the scanner raises."""
        advance, places, anchors = self._next, self.places, self._anchors
        stack: list[tuple[Any, bool, Any, dict[str, int], str | None, int]] = []
        levels = [0]  # for each open container, how many levels stand in it so far
        node: Any = None
        mapping, key, firsts = False, _NO_KEY, dict[str, int]()  # firsts: the place of each key of the open mapping
        while True:
            event = advance()
            kind = type(event)
            if kind is ScalarEvent:
                if mapping and key is _NO_KEY:
                    key = self._key(event, firsts, len(stack), stack[-1][-1])
                    continue
                self._place(event)
                value = self._scalar(event)
                if event.anchor:
                    anchors[event.anchor] = (len(places) - 1, len(places), 0, value)
            elif kind in _STARTS:
                if mapping and key is _NO_KEY:
                    self.damaged.add(stack[-1][-1])
                    self._refuse_key(event, "a key is a text, not a list or mapping", depth=len(stack), inside=1)
                    continue
                self._check_levels(event, len(stack) + 1)
                self._check_tag(event)
                stack.append((node, mapping, key, firsts, event.anchor, len(places)))
                levels.append(0)
                self._place(event)
                mapping, key, firsts = kind is MappingStartEvent, _NO_KEY, {}
                node = {} if mapping else []
                continue
            elif kind in _ENDS:
                value, height = node, levels.pop() + 1
                node, mapping, key, firsts, anchor, first = stack.pop()
                levels[-1] = max(levels[-1], height)
                if anchor:
                    anchors[anchor] = (first, len(places), height, value)
            elif kind is AliasEvent:
                if mapping and key is _NO_KEY:
                    self.damaged.add(stack[-1][-1])
                    self._refuse_key(event, "a key is a text, not an alias", depth=len(stack))
                    continue
                value, height = self._alias(event, len(stack))
                levels[-1] = max(levels[-1], height)
            elif kind is StreamEndEvent:
                return
            else:
                self._count(event, kind)
                continue
            if mapping:
                node[key] = value
                key = _NO_KEY
            elif stack:
                node.append(value)
            else:
                self.tree = value

    def _count(self, event: Any, kind: type) -> None:
        if kind is not DocumentStartEvent:
            return
        self.documents += 1
        if self.documents > 1:
            self._stop(event, "IGN112", "a second document begins here", "write it into a file of its own")

    # --- scalars, keys, aliases ---

    def _scalar(self, event: ScalarEvent) -> Any:
        if event.implicit[0]:
            try:
                return typed(event.value)
            except OutOfRange:
                words = "the number has more than 64 bits" if event.value.isdigit() else "the number is out of range"
                self._complain(event, "IGN125", words, "put it in quotes to keep it as text")
            return event.value
        if event.tag:
            self._check_tag(event)
        if "\0" in event.value:
            self._complain(
                event, "IGN106", "the text holds a NUL character", "remove `\\0`; no path or argument can hold it"
            )
            return event.value.replace("\0", "")
        return event.value

    def _key(self, event: ScalarEvent, firsts: dict[str, int], depth: int, own: int) -> Any:
        """Take a key of the mapping with place number `own`, or refuse it, skip its value and give `_NO_KEY`."""
        text = event.value
        if text in firsts:
            first = Note("first written here", self._span_at(firsts[text]))
            summary = f"the key `{text}` stands twice in one mapping"
            self._complain(event, "IGN120", summary, "remove one of them", (first,))
            self._skip(depth)
            return _NO_KEY
        if event.implicit[0] and text == "<<":
            self.damaged.add(own)
            hint = "write `extends: NAME` in the module that takes over another block"
            self._refuse_key(event, "`<<` does not merge", code="IGN122", hint=hint, depth=depth)
            return _NO_KEY
        if not isinstance(self._scalar(event), str):
            self.damaged.add(own)
            hint = f'write `"{text}"`' if text else "name the key"
            self._refuse_key(event, f"the key `{text}` is not a text", hint=hint, depth=depth)
            return _NO_KEY
        firsts[text] = len(self.places)
        self._place(event)
        return text

    def _refuse_key(
        self, event: Any, summary: str, *, depth: int, code: str = "IGN121", hint: str = "use a text", inside: int = 0
    ) -> None:
        self._complain(event, code, summary, hint)
        if inside:
            self._skip(depth, inside)
        self._skip(depth)

    def _skip(self, depth: int, inside: int = 0) -> None:
        """Pass over the next node, or over the rest of one that `inside` containers are open of."""
        self._skipped = True
        while True:
            event = self._next()
            kind = type(event)
            if kind in _STARTS:
                inside += 1
                self._check_levels(event, depth + inside)
            elif kind in _ENDS:
                inside -= 1
            if not inside:
                return

    def _alias(self, event: AliasEvent, depth: int) -> tuple[Any, int]:
        known = self._anchors.get(event.anchor or "")
        if known is None:
            self.damaged.add(len(self.places))
            self._place(event)
            if not self._skipped:
                hint = f"mark it with `&{event.anchor}` before; an alias cannot stand in what it repeats"
                self._complain(event, "IGN124", f"nothing is marked `&{event.anchor}` before this place", hint)
            return None, 0
        first, after, height, value = known
        self._check_levels(event, depth + height)
        if len(self.places) + after - first > MAX_NODES:
            self._too_many(event)
        self._place(event)
        self.places.extend(self.places[first + 1 : after])
        return value, height

    def _check_tag(self, event: Any) -> None:
        if event.tag and event.tag not in _TAGS[type(event)]:
            shown = event.tag.replace("tag:yaml.org,2002:", "!!")
            self.damaged.add(len(self.places))
            self._complain(event, "IGN123", f"the tag `{shown}` has no meaning here", "remove it")

    # --- places and limits ---

    def _place(self, event: Any) -> None:
        places = self.places
        start, end = event.start_mark, event.end_mark
        line, column = start.line, start.column
        length = (end.column if end.line == line else len(self.lines[line])) - column
        if column >= _WIDEST or length >= _WIDEST:
            column, length = min(column, _WIDEST - 1), min(length, _WIDEST)
        places.append((line + 1) << 40 | (column + 1) << 20 | length)
        if len(places) > MAX_NODES:
            self._too_many(event)

    def _check_levels(self, event: Any, levels: int) -> None:
        if levels > MAX_LEVELS:
            self._stop(event, "IGN113", f"more than {MAX_LEVELS} levels stand in each other", "flatten the document")

    def _too_many(self, event: Any) -> None:
        hint = "aliases count as what they repeat" if self._anchors else "split the file"
        self._stop(event, "IGN114", f"the document has more than {MAX_NODES:,} keys and values", hint)

    # --- diagnostics ---

    def _stop(self, event: Any, code: str, summary: str, hint: str) -> None:
        raise _LimitReached(self._diagnostic(event, code, summary, hint))

    def _complain(self, event: Any, code: str, summary: str, hint: str, notes: tuple[Note, ...] = ()) -> None:
        if len(self.found) < MAX_COMPLAINTS:
            self.found.append(self._diagnostic(event, code, summary, hint, notes))

    def _diagnostic(self, event: Any, code: str, summary: str, hint: str, notes: tuple[Note, ...] = ()) -> Diagnostic:
        start, end = event.start_mark, event.end_mark
        line = self.lines[start.line] if start.line < len(self.lines) else ""
        stop = end.column if end.line == start.line else len(line)
        span = Span(self.file.path, start.line + 1, start.column + 1, max(stop, start.column + 1) + 1, self.file.digest)
        return diagnose(span, code, summary, hint=hint, notes=notes, excerpt=shown_line(line))

    def _span_at(self, number: int) -> Span:
        packed = self.places[number]
        line, column = packed >> 40, packed >> 20 & _WIDEST
        return Span(self.file.path, line, column, column + (packed & _WIDEST), self.file.digest)
