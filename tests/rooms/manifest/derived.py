"""Turns the manifest's schema into its partial blocks and into the overlay's schema; `python -m tests.rooms.manifest.derived` writes both."""

import copy
import json
from pathlib import Path
from typing import Any

SCHEMAS = Path(__file__).parents[3] / "schemas"
WHOLE = {"secret", "probe", "check", "when", "action", "name", "target", "scope", "id", "entry", "duration", "size", "signal", "envname"}  # fmt: skip
"""What replaces what it lies over as a whole, or is a scalar anyway."""
RULES = {"required", "oneOf", "dependentRequired", "if", "then"}
SAYS = ("description", "examples", "default")


def with_partial_blocks(schema: Any) -> Any:
    """Give the manifest's schema with the definitions of what `extends` lays over another block."""
    made = copy.deepcopy(schema)
    defs = {name: one for name, one in made["$defs"].items() if not name.startswith("partial_")}
    made["$defs"] = {**defs, **_partial_defs(defs, ["module"])}
    return made


def overlay_schema(manifest: Any) -> Any:
    """Give the schema of `kind: Overlay`: any key of a manifest but its name and its includes, and `null` to remove one."""
    defs = {name: one for name, one in manifest["$defs"].items() if not name.startswith("partial_")}
    top = _partial({"type": "object", "properties": copy.deepcopy(manifest["properties"])})
    properties = top["properties"]
    del properties["include"], _inside(properties["metadata"])["properties"]["name"]
    _inside(properties["metadata"])["examples"] = properties["metadata"]["examples"] = [{"labels": {"site": "test"}}]
    properties["kind"] = {"const": "Overlay", "description": "What this document is; assumed when it is left out.", "examples": ["Overlay"], "default": "Overlay"}  # fmt: skip
    properties["apiVersion"] = manifest["properties"]["apiVersion"]
    modules = _inside(properties["modules"])["patternProperties"]
    (pattern,) = [one for one in modules if one != "^x-"]
    modules[pattern] = _nullable({"$ref": "#/$defs/partial_module"})
    needed = _named(top) | {"partial_module"}
    made = {**defs, **_partial_defs(defs, ["module", *[one.removeprefix("partial_") for one in sorted(needed)]])}
    return {
        "$schema": manifest["$schema"],
        "$id": manifest["$id"].replace("manifest", "overlay"),
        "title": "ignrun overlay",
        "description": "What a mode of deployment changes of a manifest; `null` removes what it says.",
        "type": "object",
        "properties": properties,
        "patternProperties": {"^x-": {}},
        "additionalProperties": False,
        "$defs": _reachable(properties, made),
    }


def _inside(nullable: Any) -> Any:
    return nullable["anyOf"][0]


def _partial_defs(defs: dict[str, Any], names: list[str]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    waiting = [name for name in names if name in defs and name not in WHOLE]
    while waiting:
        name = waiting.pop()
        key = f"partial_{name}"
        if key not in made:
            made[key] = _partial(defs[name])
            waiting += [one.removeprefix("partial_") for one in _named(made[key]) if one.startswith("partial_")]
    return dict(sorted(made.items()))


def _partial(node: Any) -> Any:
    """Let a block lack keys, and every key of it be null."""
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        return node if name in WHOLE else {**node, "$ref": f"#/$defs/partial_{name}"}
    made = {key: value for key, value in node.items() if key not in RULES}
    if "anyOf" in made:
        made["anyOf"] = [_partial(one) for one in made["anyOf"]]
    if "properties" in made:
        made["properties"] = {key: _nullable(_partial(one)) for key, one in made["properties"].items()}
    if isinstance(made.get("additionalProperties"), dict):
        made["additionalProperties"] = _nullable(_partial(made["additionalProperties"]))
    return made


def _nullable(node: Any) -> Any:
    said = {key: node[key] for key in SAYS if key in node}
    core = {key: value for key, value in node.items() if key not in SAYS}
    if not core:
        return node
    return {"anyOf": [core, {"type": "null"}], **said}


def _named(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"].rpartition("/")[2]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(_named(one) for key, one in node.items() if key not in SAYS))
    return set().union(*map(_named, node)) if isinstance(node, list) else set()


def _reachable(node: Any, defs: dict[str, Any]) -> dict[str, Any]:
    found: set[str] = set()
    waiting = _named(node)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting |= _named(defs[name])
    return {name: one for name, one in defs.items() if name in found}


def written(schema: Any) -> str:
    """Give the text of a schema file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write both files."""
    file = SCHEMAS / "manifest.schema.json"
    manifest = with_partial_blocks(json.loads(file.read_text(encoding="utf-8")))
    file.write_text(written(manifest), encoding="utf-8")
    (SCHEMAS / "overlay.schema.json").write_text(written(overlay_schema(manifest)), encoding="utf-8")


if __name__ == "__main__":
    main()
