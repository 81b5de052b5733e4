"""Settles what only commands have: arguments, environment, working folder, probes; and that the program exists."""

import os
import shutil
from typing import Any, Final

from ignrun.manifest.inputs import Inputs
from ignrun.manifest.model import Manifest, ModuleSpec
from ignrun.planner.config.ledger import Ledger
from ignrun.planner.config.model import Values
from ignrun.planner.config.resolve import Resolver
from ignrun.planner.config.spots import Spot
from ignrun.terms.diagnostics import Diagnostic, Severity
from ignrun.terms.leaves import Path, Tree

_PROBES: Final = frozenset({"tcp", "http", "log", "exec", "notify"})
_FORMS: Final = "write `tcp:PORT`, `http://..`, `{log: REGEX}`, `{exec: [..]}` or `notify`"


def settle_command(
    manifest: Manifest, inputs: Inputs, spec: ModuleSpec, block: Spot, resolver: Resolver, ledger: Ledger
) -> Values | None:
    """Settle the values of a command; None for a module that is none."""
    if spec.command is None:
        return None
    argv = resolver.tree(spec.command, _below(block, "command"), _text)
    ledger.diagnostics += [
        block.below("command", *one.path).mistake(
            "IGN503", f"a secret would stand in the arguments of `{spec.name}`", hint="process lists show them: hand it over in `env` or `config`"
        )
        for one in argv.pending
        if one.tainted
    ]
    env = resolver.tree(spec.env, _below(block, "env"), _text)
    cwd = os.path.normpath(os.path.join(manifest.folder, spec.cwd or "."))  # noqa: PTH118 - `..` is text here, links stay
    ledger.diagnostics += _missing_program(spec, inputs, block, argv, env, cwd)
    ledger.names.add("PATH")
    ready = _probe(spec.ready, block.below("ready"), resolver, ledger)
    check = ready if spec.health.check == "ready" else _probe(spec.health.check, block.below("health", "check"), resolver, ledger)
    return Values(argv, env, cwd, ready, check)


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
        return tree
    if len(ledger.diagnostics) == known:
        ledger.diagnostics.append(spot.mistake("IGN206", "this is no probe", hint=_FORMS))
    return None


def _named(text: str) -> dict[str, Any] | None:
    if text.startswith("tcp:"):
        return {"tcp": text.removeprefix("tcp:")}
    if text.startswith(("http://", "https://")):
        return {"http": text}
    return {"notify": True} if text == "notify" else None


def _missing_program(spec: ModuleSpec, inputs: Inputs, block: Spot, argv: Tree, env: Tree, cwd: str) -> list[Diagnostic]:
    """Look the program up as its child would; one that a reference names may yet appear, and gets a warning only."""
    program = argv.plain[0] if argv.plain else None
    if not isinstance(program, str) or not program:
        return []
    if "/" in program:
        place = os.path.join(cwd, program)  # noqa: PTH118 - an absolute program stays what it is
        if os.access(place, os.X_OK) and not os.path.isdir(place):  # noqa: PTH112 - beside os.access
            return []
        hint = "it may not be executed" if os.path.exists(place) else f"`{place}` does not exist"  # noqa: PTH110
    else:
        path = _search_path(inputs, env)
        if path is None or shutil.which(program, path=path):
            return []
        hint = "it is in no folder of PATH"
    written = (spec.command or [""])[0]
    literal = isinstance(written, str) and "${" not in written
    found = block.below("command", 0).mistake("IGN307", f"the command `{program}` does not exist", hint=hint)
    return [found if literal else _softened(found)]


def _softened(found: Diagnostic) -> Diagnostic:
    return Diagnostic(found.code, found.summary, found.span, found.hint, Severity.WARNING, found.notes, found.excerpt)


def _search_path(inputs: Inputs, env: Tree) -> str | None:
    """Give the PATH of a child: its own or the caller's, led by the folder of the interpreter; None where nobody says."""
    own = env.plain.get("PATH") if isinstance(env.plain, dict) else None
    path = own or inputs.environment.get("PATH")
    return os.pathsep.join([os.path.dirname(inputs.python), path]) if path else None  # noqa: PTH120 - text
