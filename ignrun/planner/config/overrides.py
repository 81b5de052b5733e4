"""Turns `IGN_<MODULE>__<PATH>` variables and `--set NAME.PATH=VALUE` options into layers over a module's own config."""

import json
import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from ignrun.manifest.inputs import Inputs, Trial
from ignrun.manifest.model import Manifest
from ignrun.manifest.scalars import typed
from ignrun.planner.config.layers import Layer
from ignrun.planner.config.schema import ConfigSchema
from ignrun.planner.config.spots import Spot
from ignrun.terms.diagnostics import Diagnostic, diagnose
from ignrun.terms.hints import did_you_mean
from ignrun.terms.leaves import Path
from ignrun.terms.spans import Span

PREFIX: Final = "IGN_"
_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9]")


class Override(msgspec.Struct, frozen=True):
    """One value from outside the manifest: the module, the path as it was spelled, the text, and who says so.

    `layer` is `run-time`, `environment` or `set`; `name` the variable's name, or the option as it was written.
    """

    module: str
    path: tuple[str, ...]
    text: str
    layer: str
    name: str
    span: Span


def read_overrides(manifest: Manifest, inputs: Inputs) -> tuple[list[Override], list[Diagnostic]]:
    """List the overrides for the modules of a manifest, weakest first, and the options that make no sense."""
    spelled = {_spelled(name): name for name in manifest.modules}
    found = [_variable(name, inputs.environment[name], spelled) for name in sorted(inputs.environment)]
    options = [_option(number, text, manifest.modules) for number, text in enumerate(inputs.sets, 1)]
    overrides = [one for one in (*found, *options) if isinstance(one, Override)]
    return overrides, [one for one in options if isinstance(one, Diagnostic)]


def _spelled(name: str) -> str:
    """Spell a name so that every shell can set it: `plc-1.port` -> `PLC_1_PORT`."""
    return _NOT_IN_NAMES.sub("_", name).upper()


def _variable(name: str, text: str, spelled: dict[str, str]) -> Override | None:
    module, *path = name.removeprefix(PREFIX).split("__") if name.startswith(PREFIX) else [""]
    if not path or not all(path) or module.upper() not in spelled:
        return None
    span = Span(f"${name}", 1, 1, 1)
    return Override(spelled[module.upper()], tuple(path), text, "environment", name, span)


def _option(number: int, option: str, modules: Iterable[str]) -> Override | Diagnostic:
    target, equals, text = option.partition("=")
    module, *path = target.split(".")
    span = Span("--set", number, 1, len(target) + 1)
    if not equals or not path or not all(path):
        return diagnose(span, "IGN206", f"`--set {target}` sets nothing", hint="write `--set NAME.PATH=VALUE`")
    if module not in modules:
        hint = did_you_mean(module, modules)
        return diagnose(span, "IGN301", f"there is no module `{module}` to set `{'.'.join(path)}` of", hint=hint)
    return Override(module, tuple(path), text, "set", option, span)


def layer_of(override: Override, schema: ConfigSchema | None, weaker: dict[str, Any]) -> Layer:
    """Make the layer of one override; a variable's path is matched with the schema's and the config's own spelling."""
    path = _matched(override.path, schema, weaker) if override.layer == "environment" else override.path
    value = _value(override, schema, path)
    for key in reversed(path):
        value = {key: value}
    return Layer(override.layer, value, Spot(None, (), override.span))


def unknown_key(override: Override, schema: ConfigSchema | None, weaker: dict[str, Any]) -> Diagnostic | None:
    """Say that a variable names a key which neither the schema nor a weaker layer knows; a closed schema says so itself."""
    if override.layer != "environment":
        return None
    at: Any = weaker
    path = _matched(override.path, schema, weaker)
    for number, key in enumerate(path):
        node = schema.node(path[:number]) if schema else {}
        held = isinstance(at, dict) and key in at
        if not held and not _admits(node, key, bare=schema is None):
            shown = ".".join(path[: number + 1])
            known = [*node.get("properties", ()), *(at if isinstance(at, dict) else ())]
            summary = f"unknown key `{shown}` in config of module `{override.module}`"
            return diagnose(override.span, "IGN204", summary, hint=did_you_mean(key, known))
        at = at[key] if held else None
    return None


def _admits(node: dict[str, Any], key: str, *, bare: bool) -> bool:
    """Tell whether a part of a schema has room for a key: one that lists its properties has it for these, unless it says more."""
    if bare:
        return False
    if "properties" not in node or key in node["properties"] or "additionalProperties" in node:
        return True
    return any(re.search(pattern, key) for pattern in node.get("patternProperties", {}))


def trial_value(trial: Trial, schema: ConfigSchema | None) -> Any:
    """Read the text of a run-time change as the type that the schema asks for at its path."""
    override = Override(trial.module, trial.path, trial.text or "", "run-time", trial.said, Span(trial.said, 1, 1, 1))
    return _value(override, schema, trial.path)


def is_secret(override: Override, schema: ConfigSchema | None) -> bool:
    """Tell whether a variable sets what the schema declares secret."""
    return schema is not None and schema.is_secret(_matched(override.path, schema, {}))


def _matched(path: tuple[str, ...], schema: ConfigSchema | None, weaker: Any) -> tuple[str, ...]:
    matched: tuple[str, ...] = ()
    for word in path:
        node = schema.node(matched) if schema else {}
        declared = node.get("properties")
        known = [*(declared if isinstance(declared, dict) else ()), *(weaker if isinstance(weaker, dict) else ())]
        key = next((one for one in known if _spelled(str(one)) == word.upper()), word.lower())
        weaker = weaker.get(key) if isinstance(weaker, dict) else None
        matched = (*matched, key)
    return matched


def _value(override: Override, schema: ConfigSchema | None, path: Path) -> Any:
    """Read the text as the type that the schema asks for; a variable that sets a secret becomes a reference to itself."""
    text = override.text
    if override.layer == "environment":
        if is_secret(override, schema):
            return f"${{secret:{override.name}}}"
        text = text.replace("${", "$${")
    if text == "null":
        return None
    kind = schema.kind(path) if schema else "any"
    return text if kind in {"string", "duration", "size"} or "${" in text else _scalar(text)


def _scalar(text: str) -> Any:
    """Read a scalar as YAML 1.2 does, and a list or object as JSON; anything else is text."""
    try:
        return typed(text) if text[:1] not in {"[", "{"} else json.loads(text, parse_int=typed, parse_float=typed)
    except (ValueError, RecursionError):
        return text
