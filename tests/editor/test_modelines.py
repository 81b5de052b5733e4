"""Holds every example to the line by which an editor finds its schema."""

import re

import pytest

from tests.house.tree import ROOT

MODELINE = re.compile(r"# yaml-language-server: \$schema=(\S+)\Z")
EXAMPLES = sorted([*(ROOT / "manifests").rglob("*.yaml"), *(ROOT / "ignrun" / "examples").rglob("*.yaml")])


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_an_example_begins_with_the_line_that_names_its_schema(file) -> None:
    found = MODELINE.match(file.read_text(encoding="utf-8").partition("\n")[0])
    assert found, "the first line is `# yaml-language-server: $schema=PATH`"
    schema = (file.parent / found[1]).resolve()
    assert schema.is_file() and schema.parent == ROOT / "schemas"
