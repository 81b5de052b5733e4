"""Holds the public names to where they come from, and importing them to what it costs."""

import ast
import subprocess
import sys

import pytest

import ignrun
from ignrun import health_check, update
from ignrun.sdk.marks import health_checks, provided_names
from ignrun.sdk.module import AbstractIgnitionModule, Module, module_class
from tests.house.tree import PACKAGE

OF_THE_ORIGINAL = {
    "AbstractIgnitionModule", "ConfigurationValidator", "LifecycleEvent", "ModuleConfigurationManager", "ModuleContext",
    "ModuleDiagnosticsManager", "ModuleLifecycleManager", "ModuleMetadata", "ModuleScope", "ModuleState",
}  # fmt: skip


def imported_names(path: str) -> set[str]:
    tree = ast.parse((PACKAGE / path).read_text())
    return {one.asname or one.name for node in tree.body if isinstance(node, ast.ImportFrom) for one in node.names}


def test_type_checkers_see_the_names_that_are_handed_on_lazily() -> None:
    assert imported_names("__init__.pyi") == {*ignrun._OWNERS} >= imported_names("sdk/__init__.py")


def test_the_names_of_the_original_are_there() -> None:
    assert {*ignrun._OWNERS} >= OF_THE_ORIGINAL
    assert Module is AbstractIgnitionModule


def test_what_module_code_imports_brings_nothing_of_the_runner_with_it() -> None:
    script = "import sys, ignrun.sdk; print(sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=30)
    assert not {"yaml", "jsonschema", "click", "rich", "psutil", "starlette"} & {*ast.literal_eval(done.stdout)}


def test_an_unknown_disposition_is_refused() -> None:
    with pytest.raises(ValueError, match="takes `reconfigure`, `restart` or `never`, not `sometimes`"):
        update("sometimes")  # type: ignore[arg-type]


def test_a_plain_generator_is_no_stream() -> None:
    with pytest.raises(TypeError, match="a stream is an async generator"):

        @ignrun.provides
        def rows(self):
            yield 1


def test_marks_are_found_on_classes_and_on_those_they_extend() -> None:
    class Base(Module):
        @ignrun.provides
        async def rows(self) -> None: ...

        @ignrun.health_check(interval=2)
        async def disk(self) -> None: ...

    class Child(Base): ...

    assert provided_names(Child) == ("rows",)
    assert health_checks(Child) == (("disk", 2),)


@pytest.mark.parametrize(
    ("entry", "said"), [(int, "a class that does not extend"), (len, "is `builtin_function_or_method`")]
)
def test_an_entry_that_is_no_module_says_what_it_is(entry, said) -> None:
    with pytest.raises(TypeError, match=said):
        module_class(entry, "x:y")


@pytest.mark.parametrize("interval", ["5s", 0, -1, float("inf"), float("nan"), True])
def test_the_interval_of_a_health_check_is_a_number_of_seconds(interval) -> None:
    with pytest.raises(ValueError, match="the interval of a health check is a number of seconds above 0"):
        health_check(interval=interval)


def test_a_health_check_is_marked_with_brackets_and_without() -> None:
    class Checked(Module):
        @health_check
        async def bare(self) -> None: ...

        @health_check(interval=2)
        async def paced(self) -> None: ...

    assert health_checks(Checked) == (("bare", None), ("paced", 2))
