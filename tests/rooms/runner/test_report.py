"""Holds the diagnostic report to what its table of contents promises, with a runner and without, whatever is broken."""

import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ignrun.planner.proposal import Base
from ignrun.render.alerts import AlertsReport
from ignrun.render.report import CONTENTS, Live
from ignrun.render.status import status_of
from ignrun.render.top import top_of
from ignrun.runner.report import archive, gather
from ignrun.runtime.journal.current import publish_current
from ignrun.runtime.journal.folder import StateFolder, make_state_folder
from ignrun.runtime.journal.writer import Journal
from ignrun.runtime.observe.files import LogFiles
from ignrun.runtime.observe.history import History, Point
from ignrun.runtime.observe.record import LogRecord
from ignrun.terms.events import AlertFired, Happening, HealthChanged
from ignrun.terms.states import Health
from tests.rooms.render.test_metrics import RUNNER
from tests.rooms.render.test_top import TAKES, plant

NOW = datetime.now(UTC)
NASTY = "<script>alert(1)</script>"


@pytest.fixture
def folder(tmp_path) -> StateFolder:
    made = StateFolder(tmp_path / "state")
    make_state_folder(made)
    journal = Journal(made.journal, lambda _: None)
    bodies = (HealthChanged(Health.HEALTHY, Health.UNHEALTHY, NASTY), AlertFired("big", "critical", "hunter2 is high"))
    journal.submit_events(tuple(Happening("tags@gateway", body) for body in bodies), NOW, 1.0, 1)
    journal.close()
    publish_current(made.path, Base(1, plant().graph))
    history = History(made.path / "samples.sqlite")
    history.keep(tuple(Point("gateway", "memory", NOW.timestamp() - 3600 + n * 60, n * 2**20) for n in range(60)))
    history.close()
    files = LogFiles(made.logs)
    for number in range(5000):
        files.write(LogRecord(NOW, "info", f"line {number} hunter2", "tags@gateway"))
    files.close()
    return made


def live() -> Live:
    state = plant()
    status = status_of(state, mono=1.0, at=NOW, runner=RUNNER)
    alerts = AlertsReport("1.0", "line-4", NOW, (), ())
    return Live(status, top_of(state, "line-4", 1, NOW, lambda name: TAKES.get(name, ())), alerts, b"ignrun_info 1\n")


def unpacked(packed: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(packed)) as whole:
        assert whole.testzip() is None
        return {name.partition("/")[2]: whole.read(name) for name in whole.namelist()}


def test_a_report_of_a_running_plant_has_everything_in_its_table_of_contents(folder) -> None:
    files = unpacked(archive(gather("line-4", folder, live=live(), environment={"PATH": "/bin", "TOKEN": "hunter2"})))
    promised = set(CONTENTS) - {"trouble.txt", "logs/"}
    assert promised | {"logs/tags.log"} == set(files)
    assert all(name in files["README.txt"].decode() for name in promised)
    summary = json.loads(files["summary.json"])
    assert (summary["environment"], summary["live"], summary["plant"]) == (["PATH", "TOKEN"], True, "line-4")
    assert len(files["logs/tags.log"].splitlines()) == 2000
    assert json.loads(files["logs/tags.log"].splitlines()[-1])["text"] == "line 4999 hunter2"
    past = json.loads(files["past.json"])
    assert past["modules"][0]["happened"][1]["text"] == "critical alert big fires: hunter2 is high"
    assert past["modules"][0]["series"][0]["figure"] == "memory"


def test_the_page_of_the_report_has_the_same_table_of_contents() -> None:
    page = Path(__file__).parents[3].joinpath("docs/how-to/report.md").read_text()
    assert [name for name, text in CONTENTS.items() if f"| `{name}` | {text} |" not in page] == []


def test_nothing_that_is_masked_leaves_and_a_sabotaged_mask_is_caught(folder) -> None:
    gathered = gather("line-4", folder, live=live(), environment={"TOKEN": "hunter2"})
    assert b"hunter2" in b"".join(unpacked(archive(gathered)).values())
    masked = unpacked(archive(gathered, lambda text: text.replace("hunter2", "********")))
    assert b"hunter2" not in b"".join(masked.values())


def test_the_page_draws_charts_and_no_text_becomes_markup(folder) -> None:
    page = unpacked(archive(gather("line-4", folder, live=live())))["index.html"].decode()
    assert "<polyline points=" in page and "gateway: memory" in page
    assert NASTY not in page and "&lt;script&gt;" in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert "src=" not in page and "href=" not in page


def test_without_a_runner_it_is_made_from_what_lies_there(folder) -> None:
    files = unpacked(archive(gather("line-4", folder)))
    assert {"events.jsonl", "config.json", "past.json", "index.html", "logs/tags.log"} <= set(files)
    assert not {"processes.json", "metrics.txt", "trouble.txt"} & set(files)


@pytest.mark.parametrize("broken", ["journal.sqlite", "current", "samples.sqlite", "logs"])
def test_what_is_broken_is_named_and_the_rest_is_there(folder, broken) -> None:
    path: Path = folder.path / broken
    if path.is_dir():
        path.rename(folder.path / "elsewhere")
        path.write_text("in the way")
    else:
        for end in ("-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)
        path.write_bytes(b"garbage" * 2000)
    files = unpacked(archive(gather("line-4", folder)))
    assert {"index.html", "summary.json", "README.txt"} <= set(files)
    assert ("trouble.txt" in files) is (broken in {"journal.sqlite", "current"})


def test_an_empty_folder_makes_a_report_that_says_so(tmp_path) -> None:
    files = unpacked(archive(gather("line-4", StateFolder(tmp_path))))
    assert b"the journal: " in files["trouble.txt"] and b"Not gathered" in files["index.html"]
