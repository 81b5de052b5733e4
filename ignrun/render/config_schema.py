"""Turns the config schema of a module into one for what people write: references, durations, sizes, parts of a config."""

from typing import Any, Final

Schema = dict[str, Any]

REFERENCE: Final = "reference"
REFERENCES: Final[Schema] = {
    "title": "a reference",
    "description": "A reference such as `${env:NAME}`, `${secret:NAME}`, `${dir:data}` or `${module:NAME.exports.KEY}`, or nothing.",
    "type": ["string", "null"],
    "pattern": r"\$\{",
}
"""What may stand for any value; it is to be found as `#/$defs/reference`."""

_VALUES: Final = ("items", "additionalProperties", "unevaluatedProperties", "unevaluatedItems")
_NAMED_VALUES: Final = ("properties", "patternProperties")
_SAME: Final = ("allOf", "anyOf", "oneOf")
_BRANCHES: Final = ("then", "else")
_DEFINED: Final = ("$defs", "definitions")
_ABOUT: Final = ("title", "description", "default", "examples", "deprecated")
_SECRET: Final[Schema] = {"$ref": f"#/$defs/{REFERENCE}"}
_ROOTS: Final = frozenset(
    {"$id", "$schema", "$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveRef", "$recursiveAnchor"}
)
_WHOLE: Final = frozenset(
    {"required", "dependentRequired", "dependentSchemas", "minProperties", "minItems", "contains", "not"}
    | {"if", "then", "else"}
)
"""What only a whole config can be judged by."""
_UPDATES: Final = {
    "reconfigure": "Applied while the module runs.",
    "restart": "A change restarts the module.",
    "never": "Cannot change once the module has run.",
}


def for_editors(schema: Schema, base: str, *, whole: bool) -> Schema:
    """Rewrite a schema that will stand at `base` (`#/$defs/..`), for a `whole` config or for a part that is merged with others."""
    rewritten: Schema = _Rewriting(base, whole=whole).node(schema)
    return rewritten


class _Ours:
    """A definition of the shipped schema, not of the one that is rewritten."""

    def __init__(self, name: str) -> None:
        self.name = name


class _Rewriting:
    """One schema on its way: where it will stand, and whether it judges a whole config."""

    def __init__(self, base: str, *, whole: bool) -> None:
        self._base = base
        self._whole = whole

    def node(self, node: Any) -> Any:
        """Rewrite a schema for the same value."""
        if isinstance(node, _Ours):
            return {"$ref": f"#/$defs/{node.name}"}
        if not isinstance(node, dict):
            return node
        left = {key: value for key, value in node.items() if key not in _ROOTS and (self._whole or key not in _WHOLE)}
        written = _as_written(_described(left))
        return {key: value for name, inner in written.items() for key, value in self._keyword(name, inner)}

    def value(self, node: Any) -> Any:
        """Rewrite a schema for a value that a reference may stand for."""
        new = self.node(node)
        if not isinstance(new, dict) or not new:
            return new
        about = {key: new.pop(key) for key in _ABOUT if key in new}
        if new == {"allOf": [_SECRET]}:
            return about | _SECRET
        if new == {"type": "string"}:
            return about | {"type": ["string", "null"]}
        return about | {"anyOf": [new, {"$ref": f"#/$defs/{REFERENCE}"}]}

    def _keyword(self, name: str, inner: Any) -> list[tuple[str, Any]]:
        if name == "$ref":
            moved = isinstance(inner, str) and inner.startswith("#") and inner[1:2] in {"", "/"}
            return [(name, self._base + inner[1:])] if moved else []
        if name in _VALUES:
            return [(name, self.value(inner))]
        if name == "prefixItems" and isinstance(inner, list):
            return [(name, [self.value(one) for one in inner])]
        if name in _NAMED_VALUES and isinstance(inner, dict):
            return [(name, {key: self.value(one) for key, one in inner.items()})]
        if name in _DEFINED and isinstance(inner, dict):
            return [(name, {key: self.node(one) for key, one in inner.items()})]
        if name in _SAME and isinstance(inner, list):
            several = "anyOf" if name == "oneOf" and not self._whole else name
            return [(several, [self.node(one) for one in inner])]
        return [(name, self.node(inner) if name in _BRANCHES else inner)]


def _described(node: Schema) -> Schema:
    """Let the description say what the words of ignrun mean."""
    said = [str(node["description"])] if "description" in node else []
    said += [_UPDATES[node["x-ignrun-update"]]] if node.get("x-ignrun-update") in _UPDATES else []
    said += ["Secret: write `${secret:NAME}`."] if node.get("x-ignrun-secret") is True else []
    return {**node, "description": " ".join(said)} if said else node


def _as_written(node: Schema) -> Schema:
    """Judge a value as it is written: `2s` for a duration, a reference for a secret."""
    rest = {key: value for key, value in node.items() if not key.startswith("x-ignrun-")}
    if node.get("x-ignrun-secret") is True:
        return {key: rest[key] for key in _ABOUT if key in rest} | {"allOf": [_Ours(REFERENCE)]}
    match node.get("x-ignrun-type"):
        case "duration" | "size" as kind:
            kept = {key: value for key, value in rest.items() if key not in {"type", "pattern", "format"}}
            return kept | {"allOf": [*rest.get("allOf", ()), _Ours(kind)]}
        case "port":
            return {"type": "integer", "minimum": 0, "maximum": 65535} | rest
        case "path" | "url":
            return {"type": "string"} | {key: value for key, value in rest.items() if key != "format"}
        case _:
            return rest
