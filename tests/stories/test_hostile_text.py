"""Tells how hostile text ends: a diagnostic at its place, exit 3, within bounded time and memory, without a connection, a crash or a secret."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]

INVALID = 3
CPU_SECONDS, WALL_SECONDS, MEMORY = 8.0, 30.0, 420 * 1024  # with the start of two interpreters; KiB
CANARY = "canary-77f0c1"

TEN = ", ".join(["*a{}"] * 10)
ALIASES = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{TEN.replace('{}', str(n - 1))}]\n" for n in range(1, 12))
MERGES = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [{TEN.replace('{}', str(n - 1))}]}}\n" for n in range(1, 12))
GOOD = 'modules:\n  good: {command: ["true"]}\n'

TEXTS: dict[str, tuple[str | bytes, str]] = {
    "an alias bomb": (ALIASES, "IGN114"),
    "an alias bomb in a free key": ("x-bomb:\n" + "".join(f"  {line}\n" for line in ALIASES.splitlines()), "IGN114"),
    "a merge bomb": (MERGES, "IGN122"),
    "100,000 brackets": ("modules: " + "[" * 100_000, "IGN113"),
    "100,000 braces": ("{a: " * 100_000, "IGN113"),
    "100,000 dashes": ("- " * 100_000, "IGN113"),
    "a scalar of 10 MB": ("modules: {a: {command: [" + "x" * 10_000_000 + "]}}", "IGN104"),
    "a scalar of nearly 4 MiB": ("modules: {a: {command: 'true', cwd: " + "x" * 4_000_000 + "}}", "IGN202"),
    "a NUL": (b"modules: {a: {command: [a\0b]}}\n", "IGN106"),
    "an escaped NUL": ('modules: {a: {command: ["a\\0b"]}}\n', "IGN106"),
    "bad UTF-8": (b"modules:\n  caf\xe9: {command: [a]}\n", "IGN105"),
    "UTF-16": ("modules: {}\n".encode("utf-16"), "IGN105"),
    "an object's tag": ("modules: !!python/object/apply:os.system ['touch pwned']\n", "IGN123"),
    "a tag on a scalar": ("modules: {a: {command: [!!binary aGVsbG8=]}}\n", "IGN123"),
    "a number of 10,000 digits": ("x-number: " + "9" * 10_000 + f"\n{GOOD}", "IGN125"),
    "a number past all floats": ("x-number: 1e999\n" + GOOD, "IGN125"),
    "a number as a key": ("modules: {1: {command: [a]}}\n", "IGN121"),
    "no as a name": ("modules: {no: {command: true}}\n", "IGN202"),
    "a date where a time is meant": ("modules: {a: {command: ['true'], lifecycle: {start_timeout: 2001-12-14}}}\n", "IGN206"),
    "an octal mode": ("modules: {a: {command: ['true'], umask: 0o27}}\n", "IGN206"),
    "a mode that is a number": ("modules: {a: {command: ['true'], umask: 27}}\n", "IGN202"),
    "200,000 equal keys": ("a: 1\n" * 200_000, "IGN120"),
    "200,000 anchors": ("a: " + "&a " * 200_000, "IGN110"),
    "a pattern that never ends": ("modules: {a: {command: ['true'], ready: {log: '" + "(" * 50_000 + "'}}}\n", "IGN206"),
    "700,000 elements": ("modules: {a: {command: ['true'], for_each: [" + "1," * 700_000 + "]}}\n", "IGN215"),
    "100,000 brackets in a name": ("metadata: {name: " + "[" * 100_000, "IGN113"),
    "a web address as a file": ("include: ['http://127.0.0.1:{port}/plant.yaml']\n", "IGN101"),
    "a file that includes itself": ("include: [ignrun.yaml]\n", "IGN131"),
    "a block that extends itself": ("modules: {a: {extends: b}, b: {extends: a}}\n", "IGN214"),
}  # fmt: skip


@dataclass(frozen=True)
class Ended:
    code: int
    said: str
    cpu: float
    wall: float
    memory: int


@pytest.fixture
def validate(tmp_path) -> Callable[..., Ended]:
    """Run `ignrun validate` for real, in a folder with a root of its own, and measure it with all that it started."""

    def run(*args: str) -> Ended:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "XDG_RUNTIME_DIR": str(tmp_path),
            "CANARY": CANARY,
        }
        began = time.monotonic()
        figures = tmp_path / "figures"
        command = [sys.executable, "-c", MEASURE, str(figures), sys.executable, "-m", "ignrun", "validate", *args]
        with (tmp_path / "said").open("w+b") as said:
            output = {"stdin": subprocess.DEVNULL, "stdout": said, "stderr": said}
            subprocess.run(command, cwd=tmp_path / "plant", env=environment, check=True, **output)
            said.seek(0)
            text = said.read().decode(errors="replace")
        code, cpu, memory = json.loads(figures.read_text())
        return Ended(code, text, cpu, time.monotonic() - began, memory)

    (tmp_path / "plant/.git").mkdir(parents=True)
    return run


MEASURE = """\
import json, os, sys
child = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(child, 0)
figures = [os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss]
open(sys.argv[1], "w").write(json.dumps(figures))
"""
"""Runs a command from a small process: a child's peak of memory begins with that of the process that it was forked from."""


def judged(ended: Ended, code: str, place: str = r"ignrun\.yaml:\d+:\d+") -> None:
    assert ended.code == INVALID, ended.said[-3000:]
    assert f"[{code}]" in ended.said, ended.said[-3000:]
    assert re.search(rf"--> \S*{place}", ended.said), ended.said[-3000:]
    assert "Traceback" not in ended.said and CANARY not in ended.said
    assert len(ended.said) < 2_000_000
    assert ended.cpu < CPU_SECONDS and ended.wall < WALL_SECONDS and ended.memory < MEMORY, ended


@pytest.mark.parametrize("what", TEXTS)
def test_a_hostile_text_is_refused_at_its_place(tmp_path: Path, validate, what: str) -> None:
    text, code = TEXTS[what]
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.setblocking(False)
        if isinstance(text, str):
            text = text.replace("{port}", str(listening.getsockname()[1])).encode()
        (tmp_path / "plant/ignrun.yaml").write_bytes(text)
        judged(validate(), code)
        with pytest.raises(BlockingIOError):
            listening.accept()
    assert not (tmp_path / "plant/pwned").exists()
    assert [one.name for one in (tmp_path / "plant").iterdir() if one.name not in {".git", "ignrun.yaml"}] == []


def test_what_looks_like_a_value_of_old_yaml_is_text(tmp_path: Path, validate) -> None:
    labels = "{a: no, b: on, c: 1:30, d: 2001-12-14, e: 010, f: 0x1F, g: 1_000, h: .inf, i: '1', j: y}"
    (tmp_path / "plant/ignrun.yaml").write_text(f"modules:\n  a: {{command: ['true'], labels: {labels}}}\n")
    ended = validate()
    assert ended.code == 0, ended.said


# --- files that lead elsewhere ----------------------------------------------------------------------------------------


@pytest.fixture
def outside(tmp_path) -> Path:
    folder: Path = tmp_path / "outside"
    folder.mkdir()
    (folder / "stolen.yaml").write_text(f"modules: {{{CANARY}: {{comand: [a]}}}}\n")
    return folder


def _folder_link(plant: Path, outside: Path) -> str:
    (plant / "lines").symlink_to(outside)
    return "lines/*.yaml"


def _file_link(plant: Path, outside: Path) -> str:
    (plant / "line.yaml").symlink_to(outside / "stolen.yaml")
    return "line.yaml"


def _link_to_a_link(plant: Path, outside: Path) -> str:
    (outside / "again.yaml").symlink_to(outside / "stolen.yaml")
    (plant / "line.yaml").symlink_to("second.yaml")
    (plant / "second.yaml").symlink_to(outside / "again.yaml")
    return "line.yaml"


def _device(plant: Path, _outside: Path) -> str:
    (plant / "line.yaml").symlink_to("/dev/zero")
    return "line.yaml"


WAYS_OUT: dict[str, Callable[[Path, Path], str]] = {
    "dots": lambda _plant, _outside: "../outside/stolen.yaml",
    "dots behind a folder": lambda _plant, _outside: "a/../../outside/*.yaml",
    "an absolute path": lambda _plant, outside: f"{outside}/stolen.yaml",
    "a link to a folder": _folder_link,
    "a link to a file": _file_link,
    "a link to a link": _link_to_a_link,
    "a link to a device": _device,
}


@pytest.mark.parametrize("way", WAYS_OUT)
def test_an_include_that_climbs_out_is_refused_and_nothing_of_it_is_shown(tmp_path, validate, outside, way) -> None:
    plant = tmp_path / "plant"
    (plant / "a").mkdir()
    (plant / "ignrun.yaml").write_text(f"include: [{WAYS_OUT[way](plant, outside)}]\n{GOOD}")
    judged(validate(), "IGN107", r"ignrun\.yaml:1:11")


@pytest.mark.parametrize("way", ["a link to a file", "a link to a folder"])
def test_a_mode_that_leads_out_is_refused(tmp_path, validate, outside, way) -> None:
    plant = tmp_path / "plant"
    (plant / "ignrun.yaml").write_text(GOOD)
    if way == "a link to a file":
        (plant / "modes").mkdir()
        (plant / "modes/stolen.yaml").symlink_to(outside / "stolen.yaml")
    else:
        (plant / "modes").symlink_to(outside)
    judged(validate("--mode", "stolen"), "IGN107", r"stolen\.yaml:1:1")


def test_a_pipe_is_not_waited_for(tmp_path, validate) -> None:
    os.mkfifo(tmp_path / "plant/pipe.yaml")
    (tmp_path / "plant/ignrun.yaml").write_text(f"include: [pipe.yaml]\n{GOOD}")
    judged(validate(), "IGN102", r"ignrun\.yaml:1:11")


def test_links_that_lead_in_circles_end_in_time(tmp_path, validate) -> None:
    plant = tmp_path / "plant"
    for name in ("a", "b"):
        (plant / name).mkdir()
    for folder, name in (("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")):
        (plant / folder / name).symlink_to(plant / "ab"["ba".index(folder)])
    (plant / "ignrun.yaml").write_text(f'include: ["**/*.yaml"]\n{GOOD}')
    ended = validate()
    assert ended.code in {0, INVALID} and "Traceback" not in ended.said
    assert ended.cpu < CPU_SECONDS and ended.memory < MEMORY, ended


def test_an_env_file_with_a_broken_quote_is_told_with_its_line_and_without_its_text(tmp_path, validate) -> None:
    (tmp_path / "plant/.env").write_text(f"A=1\nPASSWORD='{CANARY}\nB=2\n")
    (tmp_path / "plant/ignrun.yaml").write_text(f"env_files: [.env]\n{GOOD}")
    judged(validate(), "IGN505", r"\.env:2:1")


@pytest.mark.parametrize("what", ["a pipe", "a device", "a folder"])
def test_an_env_file_that_is_no_file_is_not_waited_for(tmp_path, validate, what) -> None:
    file = tmp_path / "plant/.env"
    {"a pipe": lambda: os.mkfifo(file), "a device": lambda: file.symlink_to("/dev/zero"), "a folder": file.mkdir}[
        what
    ]()
    (tmp_path / "plant/ignrun.yaml").write_text(f"env_files: [.env]\n{GOOD}")
    judged(validate(), "IGN504", r"ignrun\.yaml:1:13")


def test_an_env_file_with_a_nul_is_told(tmp_path, validate) -> None:
    (tmp_path / "plant/.env").write_bytes(b"A=1\nB=x\0y\n")
    (tmp_path / "plant/ignrun.yaml").write_text(f"env_files: [.env]\n{GOOD}")
    judged(validate(), "IGN505", r"\.env:2:1")


def test_a_hostile_overlay_is_refused_in_the_overlay(tmp_path, validate) -> None:
    (tmp_path / "plant/modes").mkdir()
    (tmp_path / "plant/ignrun.yaml").write_text(GOOD)
    (tmp_path / "plant/modes/prod.yaml").write_text(ALIASES)
    judged(validate("--mode", "prod"), "IGN114", r"modes/prod\.yaml:\d+:\d+")
    judged(validate("--all-modes"), "IGN114", r"modes/prod\.yaml:\d+:\d+")
