"""Holds the parts of the demo that need no plant: where its manifest comes from and what is shown of its page."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ignrun.cli.page import page_lines
from ignrun.cli.shipped import checkout_manifest, copied_manifest
from tests.house.tree import ROOT

PAGE = b"""<h1>Line 4</h1><table><tr><th>Tag</th><th>Value</th></tr>
<tr><td>cpu/percent</td><td>12.5</td><td><svg><polyline points="0,0"/></svg></td></tr>
<tr><td>disk\x1b[2J</td><td>&lt;b&gt;</td></tr></table>"""


@pytest.fixture
def served():
    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(PAGE)

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Door) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_page_is_shown_as_its_title_and_rows(served) -> None:
    lines = page_lines(served, patience=5, change=0)
    assert [line.split() for line in lines] == [
        ["Line", "4"],
        ["Tag", "Value"],
        ["cpu/percent", "12.5"],
        ["disk\\x1b[2J", "<b>"],
    ]


def test_a_page_that_cannot_be_had_is_said() -> None:
    assert page_lines("http://127.0.0.1:1/", patience=0.01)[0].startswith("the page cannot be fetched: ")


def test_in_a_checkout_the_demo_is_the_one_that_lies_there() -> None:
    assert checkout_manifest("demo.yaml") == ROOT / "manifests" / "demo.yaml"
    assert checkout_manifest("nothing.yaml") is None


def test_a_copy_brings_everything_that_the_manifest_needs_and_overwrites_nothing(tmp_path) -> None:
    folder = tmp_path / "mine"
    manifest = copied_manifest("demo.yaml", folder)
    assert manifest.read_text() == (ROOT / "manifests" / "demo.yaml").read_text()
    assert (folder / ".env").exists()
    manifest.write_text("mine\n")
    assert copied_manifest("demo.yaml", folder).read_text() == "mine\n"
