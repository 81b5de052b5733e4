"""Turns the codes and their examples into docs/reference/diagnostics/: `python -m tests.rooms.render.pages`."""

import sys
from pathlib import Path

from ignrun.render.terminal import neutral
from ignrun.terms.codes import CODES, CodeInfo
from tests.house.tree import ROOT

FOLDER = ROOT / "docs" / "reference" / "diagnostics"
MANIFESTS = ROOT / "tests" / "manifests"

WITHOUT_EXAMPLE = {
    "IGN103": "it takes a file that its owner may not read",
    "IGN104": "it takes a file of more than 4 MiB",
    "IGN115": "it takes a text that keeps a machine busy for seconds",
    "IGN508": "it takes a package that is not installed",
    "IGN510": "it takes a generation in force to compare with",
    "IGN601": "it takes a generation in force to compare with",
    "IGN602": "it takes a plan that was written down",
    "IGN603": "it takes a generation in force to compare with",
    "IGN604": "it takes a generation in force to compare with",
    "IGN605": "it takes a file of rules",
    "IGN210": "every rule of the schemas that are shipped has a code of its own",
}
"""Codes that no document of the corpus can show, and why."""

OPTIONS = {"IGN133": " --mode prodd", "IGN501": " --strict-env", "IGN502": " --strict-env"}
FLAVOURS = {".yaml": "yaml", ".json": "json", ".py": "python"}

_WRITTEN = "<!-- written by `python -m tests.rooms.render.pages`; a test compares it with the code -->"
_LONGEST = 120
_OF_THE_TEST = {"expected.txt", "mode.txt"}
_GROUPS = {
    "1": ("Text", "files, YAML, limits"),
    "2": ("Shape and config", "keys, types, values, config schemas"),
    "3": ("Names", "modules, definitions, slots, scopes, versions, references"),
    "4": ("Graph", "what waits for what"),
    "5": ("Environment and secrets", "variables, env files, providers"),
    "6": ("Plan", "what may not happen to what runs"),
}


def examples(code: str) -> list[Path]:
    """The folders that show a code, the clearest first: refused ones, else those that are warned about."""
    folders = [*(MANIFESTS / "rejected").glob(f"{code}-*"), *(MANIFESTS / "warned").glob(f"{code}-*")]
    return sorted(folders, key=lambda folder: (_size(folder), folder.name))


def _size(folder: Path) -> tuple[bool, int]:
    main = _main(folder).name != "plant.yaml"
    return main, sum(len(file.read_bytes()) for file in folder.rglob("*") if file.is_file() and file.suffix != ".py")


def _main(folder: Path) -> Path:
    return next(file for name in ("plant.yaml", "module.yaml", "overlay.yaml") if (file := folder / name).is_file())


def page(info: CodeInfo) -> str:
    lines = [f"# {info.code}: {info.title}", "", _WRITTEN, "", info.explanation, "", "## Example", ""]
    found = examples(info.code)
    lines += _example(info.code, found[0]) if found else [f"None is shown: {WITHOUT_EXAMPLE[info.code]}."]
    return "\n".join([*lines, ""])


def _example(code: str, folder: Path) -> list[str]:
    main = _main(folder)
    others = sorted(
        file for file in folder.rglob("*") if file.is_file() and file.name not in _OF_THE_TEST and file != main
    )
    lines: list[str] = []
    for file in (main, *(one for one in others if "__pycache__" not in one.parts)):
        text = file.read_bytes().decode("utf-8", "backslashreplace").removesuffix("\n")
        if text:
            lines += [f"`{file.relative_to(folder).as_posix()}`:", "", f"```{FLAVOURS.get(file.suffix, '')}"]
            lines += [*map(_shown, text.split("\n")), "```", ""]
    options = OPTIONS.get(code, "")
    what = (
        f"`ignrun validate {main.name}{options}` tells"
        if main.name == "plant.yaml"
        else "Where it is read, this is told"
    )
    return [*lines, f"{what}:", "", "```", *map(_shown, _told(code, folder)), "```"]


def _told(code: str, folder: Path) -> list[str]:
    """What is told of the example, as far as it is of this code."""
    paragraphs = (folder / "expected.txt").read_text(encoding="utf-8").rstrip("\n").split("\n\n")
    ours = [one for one in paragraphs if f"[{code}]:" in one.partition("\n")[0]]
    return "\n\n".join(ours).split("\n")


def _shown(line: str) -> str:
    line = neutral(line).rstrip()
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."


def overview() -> str:
    lines = ["# Diagnostics", "", _WRITTEN, ""]
    lines += [
        "Every mistake in what people wrote is told at its place, with a code that stays. `ignrun explain CODE` shows the same pages.",
        "",
    ]
    for digit, (title, about) in _GROUPS.items():
        lines += [
            f"## {digit}xx: {title}",
            "",
            f"{about[0].upper()}{about[1:]}.",
            "",
            "| code | mistake |",
            "| --- | --- |",
        ]
        lines += [f"| [{one.code}]({one.code}.md) | {one.title} |" for one in CODES.values() if one.code[3] == digit]
        lines.append("")
    return "\n".join(lines)


def pages() -> dict[str, str]:
    """Every file that the folder holds, by its name."""
    return {"README.md": overview()} | {f"{one.code}.md": page(one) for one in CODES.values()}


def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    wanted = pages()
    for file in FOLDER.glob("*.md"):
        if file.name not in wanted:
            file.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
