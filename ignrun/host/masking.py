"""Turns texts into texts without the secrets that this host was given."""

import re

from ignrun.terms.secret import MASK, looks_of

SHORTEST = 3
"""Shorter secrets are not looked for: their letters stand in every line."""


class Masker:
    """Owns the secret texts of one host and hides them wherever text leaves it."""

    def __init__(self) -> None:
        self._texts: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def learn(self, text: str) -> None:
        """Hide this text from now on, also as it looks in JSON, URLs, base64 and `repr`, and each longer line of it."""
        lines = [line for line in text.splitlines() if len(line) >= 2 * SHORTEST]
        looks = {look for one in (text, *lines) for look in looks_of(one)}
        fresh = {look for look in looks if len(look.strip()) >= SHORTEST} - self._texts
        if fresh:
            self._texts |= fresh
            longest_first = sorted(self._texts, key=len, reverse=True)
            self._pattern = re.compile("|".join(re.escape(one) for one in longest_first))

    def mask(self, text: str) -> str:
        """Give the text with every known secret replaced."""
        return self._pattern.sub(MASK, text) if self._pattern is not None else text
