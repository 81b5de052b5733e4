"""Holds each verb to importing only what it uses: start-up time is a promise."""

import subprocess
import sys

import pytest

HEAVY = (
    "yaml",
    "jsonschema",
    "starlette",
    "uvicorn",
    "rich",
    "asyncio",
    "psutil",
    "sqlite3",
    "packaging",
    "platformdirs",
)

PROBE = """
import sys
from ignrun.cli.main import run
sys.argv[1:] = {arguments!r}
run(sys.argv[1:])
print("\\n".join(sys.modules), file=sys.stderr)
"""


def modules_of(*arguments: str) -> set[str]:
    probe = PROBE.format(arguments=list(arguments))
    done = subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True, text=True, timeout=30)
    return {line for line in done.stderr.splitlines() if " " not in line}


def heavy_in(modules: set[str], *allowed: str) -> set[str]:
    return {name for name in HEAVY if name in modules} - {*allowed}


def test_version_imports_neither_click_nor_msgspec() -> None:
    modules = modules_of("--version")
    assert heavy_in(modules) == set()
    assert not {"click", "msgspec"} & modules


def test_help_imports_no_verb() -> None:
    modules = modules_of("--help")
    assert heavy_in(modules) == set()
    assert not {"ignrun.cli.apply", "ignrun.cli.status", "ignrun.planner", "ignrun.runtime"} & modules


def test_status_imports_no_planner_no_runner_and_nothing_heavy() -> None:
    modules = modules_of("status")
    assert heavy_in(modules) == set()
    assert not [name for name in modules if name.startswith(("ignrun.planner", "ignrun.runner", "ignrun.manifest"))]


@pytest.mark.parametrize("verb", ["logs", "ps", "down", "explain"])
def test_verbs_that_look_import_nothing_heavy(verb) -> None:
    assert heavy_in(modules_of(verb)) == set()


def test_validate_imports_no_runner_and_no_terminal_toolkit(tmp_path) -> None:
    manifest = tmp_path / "ignrun.yaml"
    manifest.write_text("modules:\n  web: {command: [sleep, '1']}\n")
    modules = modules_of("validate", str(manifest))
    assert heavy_in(modules, "yaml", "jsonschema", "packaging") == set()
    assert not [name for name in modules if name.startswith(("ignrun.runner", "ignrun.control", "ignrun.sdk"))]
