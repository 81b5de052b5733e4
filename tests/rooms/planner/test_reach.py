"""The code of an instance is its entry's file and every own file that its imports reach; a change of one of them replaces it."""

import sys
from pathlib import Path

import pytest

from ignrun.planner.plan.model import Edited
from ignrun.planner.proposal import Base
from ignrun.protocol.code import CodeIndex
from ignrun.render.plan import plan_report, plan_text
from ignrun.runtime.journal.code import CodeStore
from ignrun.terms.spans import Span
from tests.rooms.planner.reading import accepted, write

HEAD = "class Job: ...\n"
TEXT = "modules: {m: {entry: 'plant.job:Job'}}\n"


def index(folder: Path, text: str = TEXT, **more) -> CodeIndex:
    proposal = accepted(folder, text, **more)
    [spec] = proposal.graph.instances.values()
    found: CodeIndex = proposal.code[spec.body.code]
    return found


def reached(folder: Path, text: str = TEXT, **more) -> set[str]:
    return {Path(file).relative_to(folder).as_posix() for file in index(folder, text, **more).files}


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    for name in ("plant/__init__.py", "plant/far.py", "plant/sub/__init__.py", "plant/sub/one.py", "plant/sub/two.py"):
        write(tmp_path, name, "")
    for name in ("lonely.py", "other/__init__.py", "other/thing.py", ".hidden/__init__.py", "plant/.kept/old.py"):
        write(tmp_path, name, "")
    return tmp_path


@pytest.mark.parametrize(
    ("code", "more"),
    [
        ("", set()),
        ("import os, json, ignrun, nowhere.to_be.found\n", set()),
        ("import lonely\n", {"lonely.py"}),
        ("import plant.sub.one as x\n", {"plant/sub/__init__.py", "plant/sub/one.py"}),
        ("from plant.sub import two\n", {"plant/sub/__init__.py", "plant/sub/two.py"}),
        ("from . import far\n", {"plant/far.py"}),
        ("from .sub.one import x\n", {"plant/sub/__init__.py", "plant/sub/one.py"}),
        ("from other.thing import x\n", {"other/__init__.py", "other/thing.py"}),
        ("def later():\n    try:\n        import lonely\n    except ImportError:\n        import other\n", {"lonely.py", "other/__init__.py"}),
        ("from plant.sub import *\n", {"plant/sub/__init__.py", "plant/sub/one.py", "plant/sub/two.py"}),
        ("import importlib\nimportlib.import_module('lonely')\n", {"lonely.py"}),
        ("__import__('other.thing')\n", {"other/__init__.py", "other/thing.py"}),
        (
            "from importlib import import_module\ndef load(name): return import_module(name)\n",
            {"plant/far.py", "plant/sub/__init__.py", "plant/sub/one.py", "plant/sub/two.py"},
        ),
    ],
)  # fmt: skip
def test_code_is_what_the_imports_reach(plant, code, more):
    write(plant, "plant/job.py", code + HEAD)
    assert reached(plant) == {"plant/__init__.py", "plant/job.py"} | more


def test_imports_are_followed_from_file_to_file_also_in_a_circle(plant):
    write(plant, "plant/job.py", "from plant import far\n" + HEAD)
    write(plant, "plant/far.py", "from .sub import one\n")
    write(plant, "plant/sub/one.py", "import plant.job, lonely\n")
    assert reached(plant) == {
        "plant/__init__.py", "plant/job.py", "plant/far.py", "plant/sub/__init__.py", "plant/sub/one.py", "lonely.py",
    }  # fmt: skip


def test_a_dynamic_import_beside_no_package_counts_what_lies_beside_it(plant):
    write(plant, "job.py", "import importlib\nimportlib.import_module('x' + 'y')\n" + HEAD)
    write(plant, "venv/__init__.py", "")
    write(plant, "venv/pyvenv.cfg", "")
    found = reached(plant, "modules: {m: {entry: 'job:Job'}}\n")
    assert found == {
        "job.py", "lonely.py", "other/__init__.py", "other/thing.py", "plant/__init__.py", "plant/far.py",
        "plant/sub/__init__.py", "plant/sub/one.py", "plant/sub/two.py",
    }  # fmt: skip


def test_a_link_that_leads_back_is_not_followed_for_ever(plant):
    write(plant, "plant/job.py", "__import__('a' + 'b')\n" + HEAD)
    (plant / "plant" / "sub" / "again").symlink_to(plant / "plant")
    assert "plant/sub/two.py" in reached(plant)


def test_sources_count_as_the_folder_of_the_manifest_does(plant):
    write(plant, "lib/tool.py", "")
    write(plant, "job.py", "import tool\n" + HEAD)
    assert reached(plant, "sources: [{path: lib}]\nmodules: {m: {entry: 'job:Job'}}\n") == {"job.py", "lib/tool.py"}


def test_a_file_that_is_imported_and_no_python_is_part_of_the_code_all_the_same(plant):
    write(plant, "plant/job.py", "from plant import far\n" + HEAD)
    write(plant, "plant/far.py", "def (\n")
    assert "plant/far.py" in reached(plant)


@pytest.mark.parametrize(
    ("file", "action"), [("plant/far.py", ["replace"]), ("lonely.py", []), ("plant/job.py", ["replace"])]
)
def test_what_is_reached_replaces_and_what_is_not_does_nothing(plant, file, action):
    write(plant, "plant/job.py", "from plant import far\n" + HEAD)
    running = accepted(plant, TEXT)
    path = plant / file
    path.write_text(path.read_text() + "x = 1\n")
    proposal = accepted(plant, TEXT, Base(1, running.graph))
    assert [step.action for step in proposal.plan.steps] == action
    assert (proposal.code == running.code) is not bool(action)


def test_each_reached_file_is_among_the_inputs(plant):
    write(plant, "plant/job.py", "from plant import far\n" + HEAD)
    proposal = accepted(plant, TEXT)
    files = {file.path: file.digest for file in proposal.files if file.role == "code"}
    [index] = proposal.code.values()
    assert files == index.files
    assert set(proposal.code) == {spec.body.code for spec in proposal.graph.instances.values()}


@pytest.fixture
def installed(tmp_path, monkeypatch):
    site = tmp_path / "site"
    write(site, "acme_pump/__init__.py", "")
    write(site, "pumps.py", "class Pump: ...\n")
    monkeypatch.syspath_prepend(str(site))

    def release(version: str) -> None:
        for old in site.glob("*.dist-info"):
            (old / "RECORD").unlink()
            old.rmdir()
        write(site, f"Acme_Pump-{version}.dist-info/RECORD", "acme_pump/__init__.py,,\npumps.py,,\n")

    release("1.0")
    return release


def test_an_installed_package_is_pinned_by_its_version_and_another_one_replaces(tmp_path, installed):
    folder = tmp_path / "plant"
    write(folder, "job.py", "import acme_pump, os\n" + HEAD)
    text = "modules: {m: {entry: 'job:Job'}, p: {entry: 'pumps:Pump'}}\n"
    running = accepted(folder, text)
    assert [spec.body.packages for spec in running.graph.instances.values()] == [("acme-pump==1.0",)] * 2
    assert [spec.body.code in running.code for spec in running.graph.instances.values()] == [True, False]
    assert set(next(iter(running.code.values())).files) == {str(folder / "job.py")}
    installed("1.1")
    plan = accepted(folder, text, Base(1, running.graph)).plan
    assert [(step.action, step.changes[0].path) for step in plan.steps] == [("replace", ("packages",))] * 2


def test_an_editable_installation_of_the_own_project_is_own_code(tmp_path, monkeypatch):
    write(tmp_path, "src/mine/__init__.py", "")
    write(tmp_path, "src/mine/job.py", "from mine import tool\n" + HEAD)
    write(tmp_path, "src/mine/tool.py", "")
    monkeypatch.syspath_prepend(str(tmp_path / "src"))
    assert reached(tmp_path, "modules: {m: {entry: 'mine.job:Job'}}\n") == {
        "src/mine/__init__.py", "src/mine/job.py", "src/mine/tool.py",
    }  # fmt: skip
    sys.modules.pop("mine", None)


def test_a_plan_names_the_files_of_code_that_changed_and_the_first_is_the_cause(plant):
    write(plant, "plant/job.py", "from plant import far\n" + HEAD)
    running = accepted(plant, TEXT)
    (plant / ".state").mkdir()
    CodeStore(plant / ".state" / "code").keep(running.code)
    write(plant, "plant/far.py", "import lonely\n")
    plan = accepted(plant, TEXT, Base(1, running.graph)).plan
    [step] = plan.steps
    assert step.changes[0].files == (str(plant / "lonely.py"), str(plant / "plant/far.py"))
    assert step.cause == Edited(Span.of_file(str(plant / "lonely.py")))
    text = plan_text(plan_report(plan), shown_file=lambda file: Path(file).relative_to(plant).as_posix())
    assert "      edited at lonely.py:1:1\n      code changed: lonely.py, plant/far.py\n" in text


def test_where_the_code_of_before_is_not_kept_the_entry_is_named(plant):
    write(plant, "plant/job.py", "from plant import far\n" + HEAD)
    running = accepted(plant, TEXT)
    write(plant, "plant/far.py", "x = 1\n")
    [step] = accepted(plant, TEXT, Base(1, running.graph)).plan.steps
    assert step.changes[0].files == ()
