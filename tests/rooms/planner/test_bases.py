"""Holds the planner to what a class inherits: from a base in the same file, in another of our own, or in one nobody reads."""

import pytest

from ignrun.planner.catalog.entry import Eyes, find_code
from ignrun.planner.catalog.model import Code

BASE = """
from ignrun import Module, provides
class Shared(Module):
    class Config: period: float = 1.0
    async def reconfigure(self, change): ...
    @provides
    async def rows(self): ...
"""
OWN = "    async def run(self): ...\n"


def code_of(folder, entry: str, **files: str) -> Code:
    for name, text in files.items():
        file = folder / (name.replace("__", "/") + ".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        for package in file.parents:
            if package == folder:
                break
            (package / "__init__.py").touch()
    found = find_code(entry, (str(folder),), (), Eyes.remembering())
    assert isinstance(found, Code), found
    return found


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("job", f"from lib.base import Shared\nclass Job(Shared):\n{OWN}"),
        ("job", f"from lib.base import Shared as Base\nclass Job(Base):\n{OWN}"),
        ("job", f"import lib.base as base\nclass Job(base.Shared):\n{OWN}"),
        ("job", f"from lib import base\nclass Job(base.Shared):\n{OWN}"),
        ("lib.job", f"from .base import Shared\nclass Job(Shared):\n{OWN}"),
        ("lib.job", f"from . import base\nclass Job(base.Shared):\n{OWN}"),
        ("lib.deep.job", f"from ..base import Shared\nclass Job(Shared):\n{OWN}"),
        ("job", f"from abc import ABC\nfrom lib.base import Shared\nclass Job(Shared, ABC):\n{OWN}"),
    ],
)
def test_what_a_base_in_another_file_has_is_known(tmp_path, module, text) -> None:
    code = code_of(tmp_path, f"{module}:Job", lib__base=BASE, **{module.replace(".", "__"): text})
    assert code.callbacks == ("run", "reconfigure")
    assert code.provides == ("rows",)
    assert code.config


def test_a_name_that_is_handed_on_is_followed_to_where_it_is_defined(tmp_path) -> None:
    code = code_of(tmp_path, "front:Shared", lib__base=BASE, front="from lib.base import Shared\n")
    assert code.callbacks == ("reconfigure",)


@pytest.mark.parametrize(
    "text",
    [
        f"from elsewhere import Strange\nclass Job(Strange):\n{OWN}",
        f"from lib.base import Missing\nclass Job(Missing):\n{OWN}",
        f"from ......lib import Shared\nclass Job(Shared):\n{OWN}",
        f"from job import Job as Base\nclass Job(make()):\n{OWN}",
        "from job import Job\n",
    ],
)
def test_what_is_not_to_be_read_is_unknown(tmp_path, text) -> None:
    assert code_of(tmp_path, "job:Job", lib__base=BASE, job=text).callbacks is None


def test_classes_that_inherit_each_other_in_a_circle_end(tmp_path) -> None:
    code = code_of(
        tmp_path, "one:A", one=f"from two import B\nclass A(B):\n{OWN}", two="from one import A\nclass B(A): ...\n"
    )
    assert code.callbacks == ("run",)


def test_our_own_base_class_may_have_another_name(tmp_path) -> None:
    assert code_of(tmp_path, "a:A", a=f"from ignrun import Module as Base\nclass A(Base):\n{OWN}").callbacks == ("run",)
    assert code_of(tmp_path, "b:B", b=f"import ignrun as ig\nclass B(ig.Module):\n{OWN}").callbacks == ("run",)
