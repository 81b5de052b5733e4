"""Holds hosts to the code of the generation: the committed bytes run, whatever lies on the disk by now, under their own paths."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ignrun.protocol.code import BLOBS, CodeIndex, blob_path, index_path
from ignrun.protocol.orders import Quit
from ignrun.protocol.reports import Loaded
from tests.rooms.host.harness import assignment
from tests.rooms.host.test_process import HostProcess, host

A, B = "a@gateway", "b@gateway"
MODULE = """
from ignrun import Module
class M(Module):
    async def startup(self): self.export(said={said})
"""

__all__ = ["host"]


def write(folder: Path, **texts: str) -> None:
    """Write files; a double underscore in a name is a folder, `plant__init` an `__init__.py`."""
    for name, text in texts.items():
        path = folder.joinpath(*name.split("__")).with_suffix(".py")
        path = path.with_name("__init__.py") if path.name == "init.py" else path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def commit(folder: Path, *, name: str = "one", only: str = "**/*.py") -> str:
    """Keep the files of a folder as the runner does, and give the path of their index."""
    store = folder.parent / "code"
    (store / BLOBS).mkdir(parents=True, exist_ok=True)
    index = {}
    for path in sorted(folder.glob(only)):
        digest = index[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
        blob_path(store, digest).write_bytes(path.read_bytes())
    index_path(store, name).write_bytes(msgspec.json.encode(CodeIndex(index)))
    return str(index_path(store, name))


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    (tmp_path / "plant").mkdir()
    return tmp_path / "plant"


def load(host: HostProcess, folder: Path, code: str, entry: str = "pump:M", address: str = A) -> Loaded:
    return host.runner.load(assignment(address, entry, folder, code=code))


def said(host: HostProcess, epoch: int = 1, address: str = A) -> Any:
    host.runner.start(address, epoch=epoch)
    exports = host.runner.until_state(address, "running", epoch).exports
    assert exports is not None
    return exports["said"]


def test_an_edit_after_the_commit_is_not_what_runs(host, plant) -> None:
    write(plant, pump=MODULE.format(said="[1, __file__, __spec__.origin, __spec__.has_location]"))
    code = commit(plant)
    write(plant, pump=MODULE.format(said="2"))
    assert load(host, plant, code).faults == ()
    assert said(host) == [1, str(plant / "pump.py"), str(plant / "pump.py"), True]


def test_a_start_after_a_crash_runs_what_was_committed(host, plant, tmp_path) -> None:
    write(plant, pump=MODULE.format(said="__import__('tank').LEVEL"), tank="LEVEL = 1")
    code = commit(plant)
    load(host, plant, code)
    write(plant, pump="not python at all", tank="LEVEL = 2")
    assert said(host) == 1
    (tmp_path / "again").mkdir()
    again = HostProcess(tmp_path / "again")  # what a crash is followed by: another process, the same order
    try:
        load(again, plant, code)
        assert said(again) == 1
    finally:
        again.runner.tell(Quit(1.0))
        again.ended(5)
        again.runner.sock.close()


def test_what_is_imported_only_later_is_committed_code_as_well(host, plant) -> None:
    write(plant, pump=MODULE.format(said="self.late()") + "    def late(self):\n        import late\n        return late.SAID\n", late="SAID = 1")  # fmt: skip
    code = commit(plant)
    load(host, plant, code)
    write(plant, late="SAID = 2")
    assert said(host) == 1


def test_packages_relative_imports_and_folders_without_init_come_from_it_also_when_the_folder_is_gone(
    host, plant
) -> None:
    write(
        plant,
        works__init="from .deep.tank import LEVEL",
        works__deep__init="",
        works__deep__tank="from ..names import NAME\nLEVEL = (NAME, __package__)",
        works__names="NAME = 'n'",
        bare__inner__part="PART = 'p'",
        pump="from works import LEVEL\nfrom bare.inner import part\nimport bare\n" + MODULE.format(said="[*LEVEL, part.PART, bare.__file__]"),
    )  # fmt: skip
    code = commit(plant)
    shutil.rmtree(plant)
    plant.mkdir()
    assert load(host, plant, code).faults == ()
    assert said(host) == ["n", "works.deep", "p", None]


def test_what_is_not_listed_comes_from_the_disk(host, plant) -> None:
    write(plant, pump=MODULE.format(said="__import__('other').SAID"), other="SAID = 1")
    code = commit(plant, only="pump.py")
    write(plant, other="SAID = 2")
    load(host, plant, code)
    assert said(host) == 2


def test_a_folder_of_committed_files_is_joined_with_what_lies_there(host, plant) -> None:
    write(plant, pump=MODULE.format(said="[__import__('bare.one').one.X, __import__('bare.two').two.X]"), bare__one="X = 1", bare__two="X = 2")  # fmt: skip
    code = commit(plant, only="**/[po]*.py")
    assert load(host, plant, code).faults == ()
    assert said(host) == [1, 2]


def test_bytecode_beside_the_original_is_neither_trusted_nor_written(host, plant) -> None:
    write(plant, pump=MODULE.format(said="1"))
    code = commit(plant)
    load(host, plant, code)
    assert said(host) == 1
    assert not list(plant.rglob("__pycache__"))


def test_tracebacks_show_the_committed_lines_under_the_path_of_the_file(host, plant) -> None:
    write(plant, pump="from ignrun import Module\nclass M(Module):\n    async def startup(self):\n        raise ValueError('committed')\n")  # fmt: skip
    code = commit(plant)
    load(host, plant, code)
    write(plant, pump="\n" * 3 + "        edited = 'meanwhile'\n")
    host.runner.start(A)
    fault = host.runner.until_state(A, "error").fault
    assert fault is not None
    assert f'File "{plant}/pump.py", line 4, in startup\n    raise ValueError' in fault.detail
    assert "edited" not in fault.detail


def test_a_mistake_in_committed_code_is_told_with_its_own_place(host, plant) -> None:
    write(plant, pump="x = 1\ndef f(:\n")
    code = commit(plant)
    (fault,) = load(host, plant, code).faults
    assert f"({plant}/pump.py:2)" in fault.fault.summary


def test_two_versions_of_a_file_need_two_hosts(host, plant) -> None:
    write(plant, pump=MODULE.format(said="1"), shared="X = 1")
    first = commit(plant)
    write(plant, pump=MODULE.format(said="2"))
    second = commit(plant, name="two")
    assert load(host, plant, first).faults == ()
    (fault,) = load(host, plant, second, address=B).faults
    assert fault.fault.kind.value == "import"
    assert f"`{plant}/pump.py` is in this host with other bytes already" in fault.fault.summary
    assert fault.fault.summary.endswith("two versions of a file need two hosts")
    assert load(host, plant, first, address=B).faults == ()


def test_what_was_imported_from_the_disk_is_not_taken_for_committed(host, plant) -> None:
    write(plant, pump=MODULE.format(said="1"))
    code = commit(plant)
    load(host, plant, "")
    (fault,) = load(host, plant, code, address=B).faults
    assert "was imported from" in fault.fault.summary


@pytest.mark.parametrize(("harm", "said"), [("damaged", "are damaged"), ("gone", "cannot be read: No such file"), ("no index", "the list of the committed code cannot be read")])  # fmt: skip
def test_bytes_that_are_not_what_was_committed_are_not_run(host, plant, harm, said) -> None:
    write(plant, pump=MODULE.format(said="1"))
    code = commit(plant)
    (blob,) = (plant.parent / "code" / BLOBS).iterdir()
    match harm:
        case "damaged":
            blob.write_text(MODULE.format(said="666"))
        case "gone":
            blob.unlink()
        case _:
            Path(code).write_text("{")
    (fault,) = load(host, plant, code).faults
    assert said in fault.fault.summary


def test_a_folder_that_is_reached_by_a_link_is_the_same_folder(host, plant, tmp_path) -> None:
    write(plant, pump=MODULE.format(said="1"))
    code = commit(plant)
    write(plant, pump=MODULE.format(said="2"))
    (tmp_path / "link").symlink_to(plant)
    assert load(host, tmp_path / "link", code).faults == ()
    assert said(host) == 1
