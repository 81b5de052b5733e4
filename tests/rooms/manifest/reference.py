"""Turns the shipped schemas into docs/reference/manifest-keys.md: `python -m tests.rooms.manifest.reference`."""

import json
from pathlib import Path
from typing import Any

from ignrun.manifest.shipped import schema
from ignrun.planner.graph.facets import FACET_OF_KEY, FACET_OF_PLANT_KEY

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "manifest-keys.md"
_BLOCKS = (
    ("need", "A binding in `requires` and `wants`, in the long form"),
    ("lifecycle", "`lifecycle`"),
    ("restart", "`lifecycle.restart`, in the long form"),
    ("health", "`health`"),
    ("file", "A file in `files`"),
    ("secret", "A secret in `secrets`"),
    ("alert", "An alert in `alerts`"),
    ("when", "`when` of an alert"),
    ("log", "`log`"),
)


def page() -> str:
    """Give the whole page."""
    manifest, module = schema("manifest"), schema("module")
    defs = manifest["$defs"]
    lines = [
        "# Every key of a manifest",
        "",
        "<!-- written by `python -m tests.rooms.manifest.reference`; a test compares it with the schemas -->",
        "",
        "What the keys mean together, and how includes, modes, `extends` and `for_each` work, is told in",
        "[the manifest language](manifest.md). The *facet* of a key says what a change of it does; a key without one only feeds others.",
        "",
    ]
    lines += _table("Of the plant", manifest["properties"], FACET_OF_PLANT_KEY)
    lines += _table("Of a module", defs["module"]["properties"], FACET_OF_KEY)
    for name, title in _BLOCKS:
        lines += _table(title, defs[name]["properties"])
    for key in ("apply", "watch"):
        lines += _table(f"`{key}`", manifest["properties"][key]["properties"])
    lines += _table("`limits`", defs["module"]["properties"]["limits"]["properties"])
    lines += ["# Every key of a definition", ""]
    lines += _table("`kind: Module`", module["properties"])
    lines += _table("Its `metadata`", module["properties"]["metadata"]["properties"])
    lines += _table("A slot in its `requires` and `wants`", module["$defs"]["slot"]["properties"])
    return "\n".join([*lines, ""])


def _table(title: str, properties: dict[str, Any], facets: dict[str, str | None] | None = None) -> list[str]:
    head = "| key | says | default | example |" if facets is None else "| key | says | default | facet | example |"
    lines = [f"## {title}", "", head, "| " + " | ".join(["---"] * (head.count("|") - 1)) + " |"]
    for key, one in properties.items():
        default = f"`{_shown(one['default'])}`" if one.get("default") is not None else ""
        facet = [] if facets is None else [facets[key] or ""]
        cells = [f"`{key}`", one["description"], default, *facet, f"`{_shown(one['examples'][0])}`"]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return [*lines, ""]


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
