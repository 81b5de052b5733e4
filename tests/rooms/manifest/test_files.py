"""A file that cannot be read ends in one diagnostic that says why, at the file."""

import hashlib
import os

import pytest

from ignrun.manifest.files import MAX_BYTES, Roots, read_text
from ignrun.manifest.inputs import Inputs
from ignrun.manifest.read import read_manifest
from ignrun.terms.verdict import Accepted, Rejected, examined


def _refusal(path, root: str = "") -> tuple[str, str]:
    verdict = read_text(str(path), root)
    assert isinstance(verdict, Rejected)
    (one,) = verdict.diagnostics
    assert str(one.span) == f"{path}:1:1"
    return one.code, one.summary


def test_a_text_comes_with_the_digest_of_its_bytes(tmp_path) -> None:
    file = tmp_path / "plant.yaml"
    file.write_bytes(b"\xef\xbb\xbfmodules: {}\r\n")
    verdict = read_text(str(file))
    text = examined(verdict)
    assert text is not None
    assert text.text == "modules: {}\r\n"
    assert text.digest == hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_missing_file_a_folder_and_a_pipe_are_told_apart(tmp_path) -> None:
    assert _refusal(tmp_path / "plant.yaml") == ("IGN101", "there is no file `plant.yaml`")
    assert _refusal(tmp_path) == ("IGN102", f"`{tmp_path.name}` is a folder")
    os.mkfifo(tmp_path / "pipe")
    assert _refusal(tmp_path / "pipe") == ("IGN102", "`pipe` is not a regular file")
    (tmp_path / "plant.yaml").write_text("")
    assert _refusal(tmp_path / "plant.yaml" / "inside")[0] == "IGN101"


def test_a_folder_with_a_manifest_in_it_names_that(tmp_path) -> None:
    assert read_text(str(tmp_path)).diagnostics[0].hint == "name a file in it"
    (tmp_path / "ignrun.yaml").write_text("modules: {}")
    hint = f"name the manifest in it: `{tmp_path.name}/ignrun.yaml`"
    assert read_text(str(tmp_path)).diagnostics[0].hint == hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_rights_is_told(tmp_path) -> None:
    file = tmp_path / "plant.yaml"
    file.write_text("modules: {}")
    file.chmod(0)
    assert _refusal(file) == ("IGN103", "`plant.yaml` cannot be read: permission denied")


def test_a_loop_of_links_is_told(tmp_path) -> None:
    loop = tmp_path / "plant.yaml"
    loop.symlink_to(loop)
    assert _refusal(loop)[0] == "IGN103"


def test_four_mebibytes_are_the_most(tmp_path) -> None:
    file = tmp_path / "plant.yaml"
    file.write_bytes(b"#" * MAX_BYTES)
    assert isinstance(read_text(str(file)), Accepted)
    file.write_bytes(b"#" * (MAX_BYTES + 1))
    assert _refusal(file)[0] == "IGN104"


def test_a_link_out_of_the_root_is_refused(tmp_path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret.yaml").write_text("a: 1")
    (root / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    (root / "inside.yaml").write_text("a: 1")
    assert _refusal(root / "link.yaml", str(root))[0] == "IGN107"
    assert _refusal(root / ".." / "secret.yaml", str(root))[0] == "IGN107"
    assert isinstance(read_text(str(root / "inside.yaml"), str(root)), Accepted)


def test_a_manifest_that_is_not_there_leaves_nothing_to_examine(tmp_path) -> None:
    verdict = read_manifest(Inputs(str(tmp_path / "plant.yaml"), "", "", ""))
    assert verdict == Rejected(None, verdict.diagnostics)
    assert verdict.diagnostics[0].hint


def test_a_path_with_a_nul_is_no_crash() -> None:
    assert isinstance(read_text("a\0b"), Rejected)


def test_below_a_folder_that_cannot_be_lies_nothing(tmp_path) -> None:
    path = tmp_path / "plant.yaml"
    path.write_text("a: 1\n")
    assert isinstance(read_text(str(path), f"{tmp_path}\0"), Rejected)
    assert isinstance(read_text(str(path), (f"{tmp_path}\0", str(tmp_path))), Accepted)


def test_folders_whose_links_were_followed_once_hold_for_many_files(tmp_path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "named").symlink_to("real")
    roots = Roots.of(str(tmp_path / "named"))
    for name in ("one.yaml", "two.yaml"):
        (tmp_path / "real" / name).write_text("a: 1\n")
        assert isinstance(read_text(str(tmp_path / "named" / name), roots), Accepted)
    (tmp_path / "out.yaml").write_text("a: 1\n")
    (tmp_path / "real" / "out.yaml").symlink_to(tmp_path / "out.yaml")
    refused = read_text(str(tmp_path / "named" / "out.yaml"), roots)
    assert isinstance(refused, Rejected)
    assert refused.diagnostics[0].code == "IGN107"
