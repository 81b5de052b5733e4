"""Turns `vars` and the `--var` options over them into the values of `${var:NAME}`."""

import re
from typing import Any, Final

import msgspec

from ignrun.manifest.inputs import Inputs
from ignrun.manifest.scalars import OutOfRange, typed
from ignrun.manifest.shape import ManifestText
from ignrun.terms.diagnostics import Diagnostic, diagnose
from ignrun.terms.spans import Span

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")


class Variables(msgspec.Struct, frozen=True):
    """The values by name, and the options that make no sense."""

    values: dict[str, Any]
    diagnostics: tuple[Diagnostic, ...] = ()


def variables_of(text: ManifestText, inputs: Inputs) -> Variables:
    """Put the options over the text; an option has the type that its text would have in YAML."""
    values: dict[str, Any] = dict(text.vars or {})
    found: list[Diagnostic] = []
    for number, (name, option) in enumerate(inputs.vars.items(), 1):
        span = Span("--var", number, 1, len(name) + 1)
        try:
            values[name] = typed(option)
        except OutOfRange:
            values[name] = option
            found.append(diagnose(span, "IGN125", f"the number of the variable `{name}` is out of range"))
        if not _NAME.match(name):
            hint = "use letters, digits, `_` and `-`"
            found.append(diagnose(span, "IGN206", f"`{name}` is not the name of a variable", hint=hint))
    return Variables(values, tuple(found))
