"""Owns the laws of the house that no linter knows: each turns files into complaints, none when all is well."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.house.tree import Source

NO_NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "misc", "base"})
MANAGERS_OF_THE_SDK = frozenset({"ModuleLifecycleManager", "ModuleConfigurationManager", "ModuleDiagnosticsManager"})
WAITING_CALLS = frozenset({"run", "call", "check_call", "check_output", "getoutput", "getstatusoutput"})
MAX_REVEALS = 2

# Spelled in pieces, so that this file does not complain about itself.
MACHINE_PATH = re.compile(r"(?<![\w.~])/(?:wo" + r"rk/\w|ro" + r"ot/)")
INDEX_HOST = re.compile(
    r"\b(?:files\.python" + r"hosted|py" + r"pi|test\.py" + r"pi|conda\.ana" + r"conda)\.(?:org|com)\b"
)


# --- names ------------------------------------------------------------------------------------------------------------


def strange_rooms(present: Iterable[str], listed: Iterable[str]) -> list[str]:
    return [f"`{name}` is no room of the house; see tests/house/rooms.py" for name in sorted({*present} - {*listed})]


def names_that_say_nothing(source: Source) -> list[str]:
    parts = [part.removesuffix(".py") for part in source.path.split("/")]
    return [f"{source.path}: `{part}` says nothing about what is inside" for part in parts if part in NO_NAMES]


def new_managers(source: Source) -> list[str]:
    return [
        f"{source.path}:{node.lineno}: no new class is called a manager: `{node.name}`"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef) and node.name.endswith("Manager") and node.name not in MANAGERS_OF_THE_SDK
    ]


# --- files ------------------------------------------------------------------------------------------------------------


def missing_opening_sentence(source: Source) -> list[str]:
    """A file opens with one sentence, on its first line, with a full stop."""
    opening = (ast.get_docstring(source.tree) or "").split("\n\n")[0].strip()
    if not opening:
        return [f"{source.path}:1: opens without its sentence (`Turns X into Y.` or `Owns Z.`)"]
    if "\n" in opening or not opening.endswith("."):
        return [f"{source.path}:1: the opening is one sentence on one line, with a full stop"]
    if re.search(r"[.!?]\s+[A-Z]", opening):
        return [f"{source.path}:1: the opening is more than one sentence"]
    return []


def _hands_on(node: ast.stmt) -> bool:
    """Say whether a statement of an `__init__` only hands names on."""
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING"), body=body, orelse=[]):
            return all(_hands_on(inner) for inner in body)
        case ast.FunctionDef(name="__getattr__" | "__dir__"):
            return True
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name.startswith("_")
        case _:
            return False


def definitions_in_init(source: Source) -> list[str]:
    if source.name != "__init__":
        return []
    return [
        f"{source.path}:{node.lineno}: an `__init__` hands names on and defines nothing"
        for node in source.tree.body
        if not _hands_on(node)
    ]


# --- errors and secrets -----------------------------------------------------------------------------------------------


def _catches_all(node: ast.ExceptHandler) -> bool:
    caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return any(
        one is None or (isinstance(one, ast.Name) and one.id in {"Exception", "BaseException"}) for one in caught
    )


def broad_excepts(source: Source) -> list[int]:
    """Give the lines that catch everything."""
    handlers = (node for node in ast.walk(source.tree) if isinstance(node, ast.ExceptHandler))
    return sorted(node.lineno for node in handlers if _catches_all(node))


def broad_excepts_elsewhere(sources: Iterable[Source], allowed: Iterable[str]) -> list[str]:
    allowed = tuple(allowed)
    return [
        f"{source.path}:{line}: `except Exception` stands only around module code and at the outermost frames"
        for source in sources
        for line in broad_excepts(source)
        if not source.inside(*allowed)
    ]


def calls_of(source: Source, method: str) -> list[int]:
    return sorted(
        node.lineno
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method
    )


def too_many_reveals(sources: Iterable[Source]) -> list[str]:
    """`Secret.reveal()` is called in two places, its own file and module code left aside."""
    exempt = ("ignrun/terms/secret.py", "ignrun/sdk", "ignrun/examples", "ignrun/testing")
    places = [
        f"{source.path}:{line}"
        for source in sources
        if not source.inside(*exempt)
        for line in calls_of(source, "reveal")
    ]
    if len(places) <= MAX_REVEALS:
        return []
    return [f"a secret is revealed in {len(places)} places, {MAX_REVEALS} are allowed: {', '.join(places)}"]


def waiting_subprocesses(source: Source) -> list[str]:
    """The runner's rooms start processes and are told of their end; they never wait for one."""
    if not source.inside("ignrun/runtime", "ignrun/runner", "ignrun/host"):
        return []
    return [
        f"{source.path}:{node.lineno}: `subprocess.{node.func.attr}` waits; the loop must not"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "subprocess"
        and node.func.attr in WAITING_CALLS
    ]


# --- what is committed ------------------------------------------------------------------------------------------------


def private_places(path: str, text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        if MACHINE_PATH.search(line):
            yield f"{path}:{number}: names a folder of somebody's machine"
        if INDEX_HOST.search(line):
            yield f"{path}:{number}: names a package index host"


def private_places_in(paths: Iterable[Path], root: Path) -> list[str]:
    found: list[str] = []
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        found += private_places(path.relative_to(root).as_posix(), text)
    return found


_REQUIREMENT = re.compile(r"^(?P<name>[a-z0-9][a-z0-9.-]*)==(?P<version>[^ ;\\]+)")
_HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


def locked(lock: str) -> dict[str, str]:
    """Give the version of every package that a lock file names."""
    matches = (_REQUIREMENT.match(line) for line in lock.splitlines())
    return {match["name"]: match["version"] for match in matches if match}


def flaws_of_lock(lock: str, wanted: Iterable[str]) -> list[str]:
    """A lock pins every wanted package, each with a hash, and says nothing about where from."""
    flaws = []
    hashed_since = True
    for number, line in enumerate(lock.splitlines(), 1):
        if _REQUIREMENT.match(line):
            if not hashed_since:
                flaws.append(f"line {number}: the package before has no hash")
            hashed_since = False
        elif _HASH.match(line):
            hashed_since = True
        elif not line.lstrip().startswith("#") and line.strip():
            flaws.append(f"line {number}: neither package, hash nor comment: `{line.strip()}`")
        if "://" in line or re.search(r"#.*(?<![\w])/\w", line):
            flaws.append(f"line {number}: names a place")
    if not hashed_since:
        flaws.append("the last package has no hash")
    return flaws + [
        f"`{name}` of pyproject.toml is not locked; run `make lock`" for name in wanted if name not in locked(lock)
    ]


# --- change fragments and decision records ----------------------------------------------------------------------------

_FRAGMENT = re.compile(r"^[a-z0-9]+(-[a-z0-9]+)*\.(added|changed|fixed|removed|deprecated|security)\.md$")


def flaws_of_fragment(name: str, text: str) -> list[str]:
    """A change fragment is called `<what>.<kind>.md` and says something."""
    if not _FRAGMENT.match(name):
        return [f"docs/changes/{name}: a fragment is called `<what>.<kind>.md`; see docs/changes/README.md"]
    return [] if text.strip() else [f"docs/changes/{name}: says nothing"]


def flaws_of_records(names: Iterable[str], index: str) -> list[str]:
    """Decision records are numbered once each, without gaps, and listed on their index page."""
    records = sorted(name for name in names if re.match(r"^\d{4}-[a-z0-9-]+\.md$", name))
    strange = sorted({*names} - {*records, "README.md"})
    flaws = [f"docs/decisions/{name}: a record is called `NNNN-what-was-decided.md`" for name in strange]
    flaws += [f"docs/decisions/{name}: has no row in README.md" for name in records if f"({name})" not in index]
    numbers = [int(name[:4]) for name in records]
    if numbers != list(range(1, len(numbers) + 1)):
        flaws.append(f"docs/decisions: the numbers have gaps or repeat: {numbers}")
    return flaws
