"""Settles what only commands have: arguments, environment, working folder, probes; and that the program exists."""

import os
import shutil
from pathlib import Path as FilePath
from typing import Any, Final

import msgspec

from ignrun.manifest.endpoints import mistake_in
from ignrun.manifest.model import ModuleSpec
from ignrun.planner.config.ledger import Ledger
from ignrun.planner.config.model import Values
from ignrun.planner.config.resolve import Resolver
from ignrun.planner.config.spots import Spot
from ignrun.terms.diagnostics import Diagnostic, Severity
from ignrun.terms.leaves import Path, Tree

_PROBES: Final = frozenset({"tcp", "http", "log", "exec", "notify"})
_TOLD: Final = frozenset({"log", "notify"})
_FORMS: Final = "write `tcp:PORT`, `http://..`, `{log: REGEX}`, `{exec: [..]}` or `notify`"


class Around(msgspec.Struct, frozen=True):
    """What a command stands in: the manifest's folder, the folder of the interpreter, and PATH where the caller has one."""

    folder: str
    programs: str
    path: str


def settle_command(spec: ModuleSpec, block: Spot, around: Around, resolver: Resolver, ledger: Ledger) -> Values | None:
    """Settle the values of a command; None for a module that is none."""
    if spec.command is None:
        return None
    argv = resolver.tree(spec.command, _below(block, "command"), _text)
    env = resolver.tree(spec.env, _below(block, "env"), _text)
    cwd = os.path.normpath(os.path.join(around.folder, spec.cwd or "."))  # noqa: PTH118 - `..` is text here, links stay
    ready = _probe(spec.ready, block.below("ready"), resolver, ledger)
    asked = spec.health.check
    check = ready if asked == "ready" else _probe(asked, block.below("health", "check"), resolver, ledger)
    if asked == "ready":
        ledger.diagnostics += _unasked(spec, ready, block.below("health", "check"))
    files = _files(spec, block.below("files"), resolver) if spec.files else None
    values = Values(argv, env, cwd, ready, check, files)
    for keys, tree in (("command",), argv), (("ready",), ready), (("health", "check"), check):
        ledger.diagnostics += _secret_arguments(spec, block.below(*keys), tree)
    ledger.diagnostics += _missing_program(spec, block, around, values)
    ledger.names.add("PATH")
    return values


def _files(spec: ModuleSpec, block: Spot, resolver: Resolver) -> Tree:
    """Resolve paths and contents of the files of a command, in the order in which they are written."""
    names = tuple(spec.files)
    raw = [{"path": path, **content} for path, content in spec.files.items()]

    def spot_of(path: Path) -> Spot:
        number, *inner = path
        name = names[int(number)]
        return block.below(name, *inner) if inner[:1] != ["path"] else block.below(name)

    return resolver.tree(raw, spot_of, lambda path: "text" if path[1:] == ("path",) else "any")


def _secret_arguments(spec: ModuleSpec, block: Spot, argv: Tree | None) -> list[Diagnostic]:
    summary = f"a secret would stand in the arguments of `{spec.name}`"
    hint = "process lists show them: hand it over in `env` or `config`"
    tainted = [one for one in argv.pending if one.tainted] if argv else []
    return [block.below(*one.path).mistake("IGN503", summary, hint=hint) for one in tainted]


def _below(block: Spot, *keys: str) -> Any:
    return lambda path: block.below(*keys, *path)


def _text(_: Path) -> str:
    return "text"


def _any(_: Path) -> str:
    return "any"


def _probe(raw: Any, spot: Spot, resolver: Resolver, ledger: Ledger) -> Tree | None:
    """Bring the forms of a probe into one: an object with the probe's name as its only key."""
    if raw is None:
        return None
    known = len(ledger.diagnostics)
    if isinstance(raw, str):
        tree = resolver.tree(_named(raw) or raw, lambda _: spot, _any)
        if isinstance(tree.plain, str):
            tree = Tree(_named(tree.plain) or tree.plain, tree.pending)
    else:
        tree = resolver.tree(raw, lambda path: spot.below(*path), _any)
    if isinstance(tree.plain, dict) and len(tree.plain) == 1 and not set(tree.plain) - _PROBES:
        if (
            not tree.pending and tree.plain != raw and tree.plain != _named(raw)
        ):  # what is written out was judged with the text
            ledger.diagnostics += _unfit(tree.plain, spot if isinstance(raw, str) else spot.below(next(iter(raw))))
        return tree
    if len(ledger.diagnostics) == known:
        ledger.diagnostics.append(spot.mistake("IGN206", "this is no probe", hint=_FORMS))
    return None


def _unfit(probe: dict[str, Any], spot: Spot) -> list[Diagnostic]:
    """Tell of a probe that could never be asked."""
    ((kind, argument),) = probe.items()
    why = mistake_in(kind, argument)
    return [spot.mistake("IGN206", f"`{argument}` is no {kind} probe: {why}")] if why else []


def _unasked(spec: ModuleSpec, ready: Tree | None, spot: Spot) -> list[Diagnostic]:
    """Warn where the readiness probe is to be the check, and nobody could ask it again."""
    kind = next(iter(ready.plain)) if ready and isinstance(ready.plain, dict) else ""
    if spec.oneshot or (spec.ready is not None and kind not in _TOLD):
        return []
    why = f"`{kind}` waits to be told, and cannot be asked again" if kind else "there is no `ready`"
    hint = "write `tcp:PORT`, `http://..` or `{exec: [..]}`"
    return [_softened(spot.mistake("IGN206", f"nothing checks the health of `{spec.name}`: {why}", hint=hint))]


def _named(text: Any) -> dict[str, Any] | None:
    if not isinstance(text, str):
        return None
    if text.startswith("tcp:"):
        return {"tcp": text.removeprefix("tcp:")}
    if text.startswith(("http://", "https://")):
        return {"http": text}
    return {"notify": True} if text == "notify" else None


def _missing_program(spec: ModuleSpec, block: Spot, around: Around, values: Values) -> list[Diagnostic]:
    """Look the program up as its child would; one that a reference names may yet appear, and gets a warning only."""
    program = values.argv.plain[0] if values.argv.plain else None
    hint = _why_missing(program, around, values) if isinstance(program, str) and program else ""
    if not hint:
        return []
    found = block.below("command", 0).mistake("IGN307", f"the command `{program}` does not exist", hint=hint)
    written = (spec.command or [""])[0]
    return [_softened(found) if isinstance(written, str) and "${" in written else found]


def _why_missing(program: str, around: Around, values: Values) -> str:
    if "/" in program:
        place = FilePath(values.cwd, program)
        if not place.is_file():
            return f"`{place}` does not exist"
        return "" if os.access(place, os.X_OK) else f"`{place}` may not be executed"
    own = values.env.plain.get("PATH") if isinstance(values.env.plain, dict) else None
    path = own or around.path
    if not path or shutil.which(program, path=os.pathsep.join([around.programs, path])):
        return ""
    return "it is in no folder of PATH"


def _softened(found: Diagnostic) -> Diagnostic:
    return Diagnostic(found.code, found.summary, found.span, found.hint, Severity.WARNING, found.notes, found.excerpt)
