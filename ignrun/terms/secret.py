"""Owns Secret, a text that masks itself wherever it could be shown."""

from typing import Final

MASK: Final = "********"


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
