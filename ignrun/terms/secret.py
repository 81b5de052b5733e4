"""Owns Secret, a text that masks itself wherever it could be shown."""

from typing import Final

MASK: Final = "********"
_SURE: Final = 8
"""Letters of base64 that have to be the secret's own: fewer could stand in any line."""


def looks_of(text: str) -> set[str]:
    """Give a secret text in every form in which it is usually met: as it is, in `repr`, JSON, URLs and base64."""
    from urllib.parse import quote, quote_plus

    import msgspec

    plain = {text, repr(text)[1:-1], msgspec.json.encode(text).decode()[1:-1]}
    return plain | {quote(text), quote(text, safe=""), quote_plus(text)} | _in_base64(text.encode())


def _in_base64(data: bytes) -> set[str]:
    """Give the letters of base64 that depend on `data` alone, wherever in three bytes it begins (`user:password`)."""
    from base64 import b64encode

    found = set()
    for before in range(3):
        letters = b64encode(bytes(before) + data).decode().rstrip("=")
        end = len(letters) - ((before + len(data)) % 3 > 0)
        found.add(letters[-(-before * 8 // 6) : end])
    sure = {one for one in found if len(one) >= _SURE}
    return sure | {one.replace("+", "-").replace("/", "_") for one in sure}


class Secret:
    """A tainted text: `repr`, `str`, `format` and JSON show a mask; `reveal()` alone gives the text."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        """Wrap the secret text."""
        self.__text = text

    def reveal(self) -> str:
        """Give the secret text itself, to the one who needs it."""
        return self.__text

    def __repr__(self) -> str:
        """Show that there is a secret and nothing of it."""
        return f"Secret({MASK!r})"

    def __str__(self) -> str:
        """Show the mask."""
        return MASK

    def __format__(self, spec: str) -> str:
        """Show the mask whatever the format."""
        return MASK

    def __eq__(self, other: object) -> bool:
        """Compare the texts of two secrets."""
        return isinstance(other, Secret) and other.reveal() == self.__text

    def __hash__(self) -> int:
        """Hash by the text, consistent with equality."""
        return hash(self.__text)

    def __reduce__(self) -> tuple[object, ...]:
        """Refuse to be copied into a byte stream."""
        message = "a Secret does not let itself be pickled"
        raise TypeError(message)
