"""Owns the texts of secrets while the runner lives: those in force, those an open apply brings, and the mask over both."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from ignrun.terms.secret import MASK, Secret, looks_of

SHORTEST: Final = 4
"""Texts shorter than this are not masked in output: they would blot out half of it."""


class SecretStore:
    """The secrets of one plant, in memory only."""

    def __init__(self) -> None:
        """Start with none."""
        self._in_force: dict[str, Secret] = {}
        self._offered: dict[int, dict[str, Secret]] = {}
        self._seen: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def offer(self, number: int, texts: Mapping[str, str]) -> None:
        """Take the texts that an apply brings, by the number of its request; they hold from now on, until they are withdrawn."""
        self._offered[number] = {name: Secret(text) for name, text in texts.items()}
        self._seen |= {*texts.values()}
        self._rebuild_mask()

    def accept(self, number: int) -> None:
        """Put in force what was offered up to this number: it has proven to be good."""
        for one in self._up_to(number):
            self._in_force |= self._offered.pop(one)

    def withdraw(self, number: int) -> None:
        """Forget what was offered by this number, the apply that brought it came to nothing; the mask never forgets."""
        self._offered.pop(number, None)

    def go_back(self, number: int) -> None:
        """Forget all that was offered up to this number and is not in force: what was good before is back."""
        for one in self._up_to(number):
            self.withdraw(one)

    def current(self) -> dict[str, Secret]:
        """Give every secret by name, the one offered last before the others, and those before one in force."""
        return self._with(self._offered)

    def before(self, number: int) -> dict[str, Secret]:
        """Give every secret by name as it is to those whom the apply of this number has not touched."""
        return self._with(one for one in self._offered if one < number)

    def _with(self, numbers: Iterable[int]) -> dict[str, Secret]:
        found = dict(self._in_force)
        for one in sorted(numbers):
            found |= self._offered[one]
        return found

    def _up_to(self, number: int) -> list[int]:
        return sorted(one for one in self._offered if one <= number)

    def in_force(self) -> dict[str, Secret]:
        """Give every secret by name as it was when everything was good: what a rollback goes back to."""
        return dict(self._in_force)

    def texts(self) -> dict[str, str]:
        """Give the text of every secret by name, for a reading that takes them for variables."""
        return {name: secret.reveal() for name, secret in self.current().items()}

    def mask(self, text: str) -> str:
        """Replace the text of every known secret in `text`."""
        return self._pattern.sub(MASK, text) if self._pattern else text

    def _rebuild_mask(self) -> None:
        lines = {line for text in self._seen for line in (text, *text.splitlines()) if len(line) >= SHORTEST}
        forms = {look for line in lines for look in looks_of(line)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None


def masked_tree(node: Any, mask: Callable[[str], str]) -> Any:
    """Give a copy of a tree of JSON values with every text in it, keys included, masked."""
    match node:
        case str():
            return mask(node)
        case dict():
            return {mask(str(key)): masked_tree(value, mask) for key, value in node.items()}
        case list() | tuple():
            return [masked_tree(value, mask) for value in node]
        case _:
            return node
