"""A reading says what it saw of the disk: what it read, what it missed, and where it looked for more."""

import hashlib
import sys
from pathlib import Path

from ignrun.manifest.inputs import Inputs
from ignrun.manifest.seen import Listing, Seen
from ignrun.planner.proposal import Base
from ignrun.planner.reader import propose_bounded

HEAD = "apiVersion: ignrun/v1\nkind: Manifest\nmetadata: {name: p}\n"
MODULE = "{command: [sleep, '60']}"


def seen_of(folder: Path, **more) -> Seen:
    manifest = str(folder / "ignrun.yaml")
    return propose_bounded(
        Inputs(manifest, str(folder / ".ignrun/p"), str(folder), sys.executable, **more), Base()
    ).seen


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        path = folder / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_file_that_was_read_is_told_with_its_digest(tmp_path):
    write(
        tmp_path,
        ignrun_DOT_yaml=f"{HEAD}include: [more.yaml]\nenv_files: [a.env]\nmodules: {{a: {MODULE}}}\n",
        more_DOT_yaml=f"modules: {{b: {MODULE}}}\n",
        a_DOT_env="A=1\n",
    )
    seen = seen_of(tmp_path)
    for name in ("ignrun.yaml", "more.yaml", "a.env"):
        assert seen.files[str(tmp_path / name)] == digest(tmp_path / name)


def test_a_file_that_is_missing_is_told_so_that_its_coming_is_seen(tmp_path):
    write(
        tmp_path,
        ignrun_DOT_yaml=f"{HEAD}include: [gone.yaml]\nmodules: {{a: {MODULE}}}\n",
    )
    seen = seen_of(tmp_path)
    assert seen.files[str(tmp_path / "gone.yaml")] == ""
    assert seen.files[str(tmp_path / "ignrun.lock")] == ""
    assert seen.files[str(tmp_path / "modes/local.yaml")] == ""


def test_a_missing_manifest_is_told(tmp_path):
    assert seen_of(tmp_path).files == {str(tmp_path / "ignrun.yaml"): ""}


def test_a_pattern_is_told_with_what_it_matched(tmp_path):
    write(
        tmp_path,
        ignrun_DOT_yaml=f"{HEAD}include: ['parts/*.yaml']\nmodules: {{a: {MODULE}}}\n",
        parts__one_DOT_yaml=f"modules: {{b: {MODULE}}}\n",
    )
    assert Listing(str(tmp_path), "parts/*.yaml", ("parts/one.yaml",)) in seen_of(tmp_path).listings


def test_what_cannot_be_parsed_has_a_digest_all_the_same(tmp_path):
    write(tmp_path, ignrun_DOT_yaml="ignrun: [1\n")
    assert seen_of(tmp_path).files[str(tmp_path / "ignrun.yaml")] == digest(tmp_path / "ignrun.yaml")


def test_the_runners_own_folder_is_not_told(tmp_path):
    write(
        tmp_path,
        ignrun_DOT_yaml=f"{HEAD}modules: {{a: {MODULE}}}\n",
        _DOT_ignrun__p__config__a_DOT_json="{}",
    )
    assert not [path for path in seen_of(tmp_path).files if "/.ignrun/" in path]


def test_the_code_of_instances_is_told_apart(tmp_path):
    write(
        tmp_path,
        ignrun_DOT_yaml=f"{HEAD}sources: [{{path: .}}]\nmodules: {{a: {{entry: 'plain:Plain'}}}}\n",
        plain_DOT_py="class Plain:\n    async def startup(self):\n        pass\n",
    )
    seen = seen_of(tmp_path)
    assert seen.code == {str(tmp_path / "plain.py"): digest(tmp_path / "plain.py")}
    assert str(tmp_path / "plain.py") not in seen.files
