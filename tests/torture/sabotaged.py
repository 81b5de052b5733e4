"""Turns a build into one that is broken in one place: what a harness over whole processes has to catch before its figures count."""

from pathlib import Path

from tests.house.tree import ROOT

_SITE = '''
"""Executes some code in a module of ignrun, in every process that imports it."""

import importlib.abc
import importlib.util
import sys

TARGET, CODE = {target!r}, {code!r}


class Breaks(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != TARGET:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        real = spec.loader.exec_module

        def exec_module(module):
            real(module)
            exec(CODE, module.__dict__)

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, Breaks())
'''


def sabotaged(folder: Path, target: str, code: str) -> dict[str, str]:
    """Give the environment in which `code` is executed in the module `target` once that has been imported."""
    site = folder / "sabotage"
    site.mkdir()
    (site / "sitecustomize.py").write_text(_SITE.format(target=target, code=code))
    return {"PYTHONPATH": f"{site}:{ROOT}"}
