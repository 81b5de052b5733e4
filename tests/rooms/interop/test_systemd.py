"""The unit of a service: what systemd itself accepts, whatever the paths are called."""

import os
import shutil
import subprocess
import sys

import pytest

from ignrun.interop.systemd import Service, unit_text
from ignrun.terms.failure import Failure

SERVICE = Service("line", "/srv/plant/ignrun.yaml", "/srv/plant", ("/usr/bin/ignrun",))


def test_a_unit_says_when_it_is_up_how_it_ends_and_what_is_in_vain() -> None:
    lines = unit_text(SERVICE).splitlines()
    assert "Type=notify" in lines
    assert "ExecStart=/usr/bin/ignrun run /srv/plant/ignrun.yaml" in lines
    assert "RestartPreventExitStatus=2 3 4 9" in lines
    assert "SuccessExitStatus=143" in lines
    assert lines[-1] == "WantedBy=default.target"


def test_a_unit_of_the_system_waits_for_the_network_and_names_its_user() -> None:
    lines = unit_text(Service("line", "/p/i.yaml", "/p", ("/i",), user="plant", of_system=True)).splitlines()
    assert {"User=plant", "After=network-online.target", "WantedBy=multi-user.target"} <= {*lines}


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("/a b/i.yaml", '"/a b/i.yaml"'),
        ("/100%/i.yaml", "/100%%/i.yaml"),
        ("/$HOME/i.yaml", "/$$HOME/i.yaml"),
        ('/"q"/i.yaml', '"/\\"q\\"/i.yaml"'),
        ("/back\\slash", '"/back\\\\slash"'),
        ("/höhe/i.yaml", "/höhe/i.yaml"),
    ],
)
def test_a_path_stays_one_word_and_itself(path, written) -> None:
    assert f"ExecStart=/i run {written}\n" in unit_text(Service("p", path, "/", ("/i",)))


def test_a_line_break_in_a_path_is_refused() -> None:
    with pytest.raises(Failure, match="control character"):
        unit_text(Service("p", "/a\nExecStartPre=/bin/evil", "/", ("/i",)))


def _verified(folder, text: str) -> str:
    """Give what systemd has to say of a unit."""
    file = folder / "line.service"
    file.write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", str(file)],
        env={"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.stderr


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze here")
@pytest.mark.parametrize("name", ["plain", "with space", "100%"])
def test_systemd_itself_finds_nothing_wrong(tmp_path, name) -> None:
    folder = tmp_path / name
    folder.mkdir()
    text = unit_text(Service("line", str(folder / "i.yaml"), str(folder), (sys.executable, "-m", "ignrun")))
    assert "Unknown key" in _verified(tmp_path, text.replace("KillMode", "KilMode"))
    assert _verified(tmp_path, text) == ""
