"""Owns Span, the place of a word in a text that people wrote."""

import msgspec


class Span(msgspec.Struct, frozen=True, array_like=True):
    """A piece of one line of one file.

    `line` and `column` count from 1; `end` is the column after the last character on that line.
    `digest` is the SHA-256 (hex) of the file's bytes when they were read, empty where it was not a file.
    """

    file: str
    line: int
    column: int
    end: int
    digest: str = ""

    def __str__(self) -> str:
        """Show the place as editors and terminals understand it: `FILE:LINE:COLUMN`."""
        return f"{self.file}:{self.line}:{self.column}"

    @classmethod
    def of_file(cls, file: str, digest: str = "") -> "Span":
        """Build the place of a mistake that concerns a whole file: `FILE:1:1`."""
        return cls(file, 1, 1, 1, digest)
