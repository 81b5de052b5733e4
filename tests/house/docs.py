"""Turns the pages into complaints about links that lead nowhere and lists that disagree with the code."""

import re
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote

from tests.house.tree import ROOT, markdown_files

EXIT_CODES_PAGE = ROOT / "docs" / "reference" / "exit-codes.md"

_FENCE = re.compile(r"^( {0,3})(```+|~~~+).*?^ {0,3}\2[`~]*\s*?$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)|^\[[^\]]+\]:\s+(\S+)", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", re.MULTILINE)
_ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def _prose(text: str) -> str:
    """Blank code out, keeping every line where it was."""
    blank = lambda match: re.sub(r"[^\n]", " ", match[0])
    return _CODE.sub(blank, _FENCE.sub(blank, text))


def anchors(text: str) -> set[str]:
    """Give what a `#fragment` may name on a page: its headings, as the forges write them."""
    found: set[str] = set()
    for match in _HEADING.finditer(_FENCE.sub("", text)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match[1]).lower()
        slug = re.sub(r"[^\w\- ]", "", plain).strip().replace(" ", "-")
        count = sum(1 for one in found if one == slug or re.fullmatch(re.escape(slug) + r"-\d+", one))
        found.add(f"{slug}-{count}" if count else slug)
    return found


def broken_links(page: Path, root: Path = ROOT) -> Iterator[str]:
    """Give one complaint a relative link of `page` that leads nowhere."""
    prose = _prose(page.read_text(encoding="utf-8"))
    for match in _LINK.finditer(prose):
        link = match[1] or match[2]
        if _ELSEWHERE.match(link):
            continue
        where = f"{page.relative_to(root).as_posix()}:{prose.count(chr(10), 0, match.start()) + 1}"
        target, _, fragment = link.partition("#")
        there = page if not target else (page.parent / unquote(target))
        if not there.exists():
            yield f"{where}: `{link}` leads nowhere"
        elif not there.resolve().is_relative_to(root):
            yield f"{where}: `{link}` leads out of the checkout"
        elif fragment and there.suffix == ".md" and fragment not in anchors(there.read_text(encoding="utf-8")):
            yield f"{where}: no heading `#{fragment}`"


def unlisted_exit_codes(codes: Iterable[tuple[str, int]], page: str) -> list[str]:
    """Compare the exit codes of the enum with the rows of the page's table, both ways."""
    listed = {int(match[1]) for match in re.finditer(r"^\|\s*`?(\d+)`?\s*\|", page, re.MULTILINE)}
    known = {code: name for name, code in codes}
    missing = [f"exit code {code} ({name}) is not on the page" for code, name in known.items() if code not in listed]
    return missing + [f"exit code {code} is on the page and nowhere else" for code in sorted(listed - {*known})]


def exit_codes_exist() -> bool:
    return find_spec("ignrun.cli") is not None and find_spec("ignrun.cli.exit_codes") is not None


def complaints() -> list[str]:
    """Give everything that is wrong with the pages of the checkout."""
    found = [complaint for page in markdown_files() for complaint in broken_links(page)]
    if not exit_codes_exist():
        return found
    codes = import_module("ignrun.cli.exit_codes").ExitCode
    if not EXIT_CODES_PAGE.exists():
        return [*found, "docs/reference/exit-codes.md is missing"]
    page = EXIT_CODES_PAGE.read_text(encoding="utf-8")
    return found + unlisted_exit_codes(((code.name, int(code)) for code in codes), page)


def main() -> int:
    found = complaints()
    print("\n".join(found) if found else f"{len(markdown_files())} pages, every link resolves")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
