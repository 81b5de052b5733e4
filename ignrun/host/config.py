"""Turns an assignment's config tree into values: exports filled in, secrets wrapped and made known to the masker."""

from collections.abc import Callable, Mapping
from typing import Any

from ignrun.host.masking import Masker
from ignrun.protocol.orders import Assignment
from ignrun.protocol.reports import ImportFault
from ignrun.sdk.settings import ConfigRefused, convert, with_secrets
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.leaves import ExportNamed, Literal, Part, Path, Pending, SecretNamed, Tree, filled, joined

ExportsOf = Callable[[str], Mapping[str, Any]]


class ExportMissing(ConfigRefused):
    """A provider does not export now what the config needs."""


def settle(assignment: Assignment, exports_of: ExportsOf, masker: Masker) -> Any:
    """Give the config with nothing open in it; raises ConfigRefused where an export is missing or of the wrong type."""
    values = assignment.config
    if assignment.pending:
        values = filled(Tree(values, assignment.pending), lambda pending: _leaf(pending, exports_of))
    if not assignment.secrets:
        return values
    for path in assignment.secrets:
        _learn(values, path, masker)
    return with_secrets(values, frozenset(assignment.secrets))


def unfit(assignment: Assignment, kind: type | None, masker: Masker) -> ImportFault | None:
    """Say why a config does not fit the class that is to receive it; nothing where it does, or where it is not whole yet."""
    if kind is None or assignment.pending:
        return None
    for path in assignment.secrets:
        _learn(assignment.config, path, masker)
    try:
        convert(with_secrets(assignment.config, frozenset(assignment.secrets)), kind)
    except ConfigRefused as refused:
        summary = masker.mask(f"the config does not fit: {refused}")
        return ImportFault(assignment.address, Fault(FaultKind.RAISED, summary, "config"))
    return None


def _leaf(pending: Pending, exports_of: ExportsOf) -> Any:
    try:
        return joined(pending, lambda part: _value(part, exports_of))
    except ValueError as error:
        if isinstance(error, ConfigRefused):
            raise
        message = f"{error} - at `{dotted(pending.path)}`"
        raise ConfigRefused(message) from error


def _value(part: Part, exports_of: ExportsOf) -> Any:
    match part:
        case Literal(text):
            return text
        case SecretNamed(name):
            message = f"secret `{name}` was not filled in"
            raise ConfigRefused(message)
        case ExportNamed(provider, key):
            offered = exports_of(provider)
            if key not in offered:
                known = ", ".join(sorted(offered)) or "nothing"
                message = f"`{provider}` does not export `{key}` (it exports {known})"
                raise ExportMissing(message)
            return offered[key]


def _learn(values: Any, path: Path, masker: Masker) -> None:
    at = values
    try:
        for key in path:
            at = at[key]
    except (KeyError, IndexError, TypeError):
        return
    if at is not None:
        masker.learn(str(at))


def dotted(path: Path) -> str:
    """Write a path as people do: `servers[0].port`."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return text.removeprefix(".")
