"""Turns a misspelt word and the words that would have been right into `did you mean ...?`."""

from collections.abc import Iterable


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """Ask for the nearest of `candidates`, upper and lower case being near each other; empty when none is near."""
    from difflib import get_close_matches

    known = {str(one).casefold(): str(one) for one in candidates}
    near = get_close_matches(word.casefold(), known, 1, 0.6)
    return f"did you mean `{known[near[0]]}`?" if near else ""
