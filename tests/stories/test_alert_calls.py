"""Tells of a module that is called when an alert fires, and again when it is over."""

import pytest

from tests.stories.plant import new_plant, until

pytestmark = [pytest.mark.story, pytest.mark.timeout(90)]

CODE = """
from ignrun import Module, provides

class Horn(Module):
    @provides
    async def alarm(self, notice):
        self.log.warning("horn: %s is %s", notice["alert"], notice["state"])
"""
MANIFEST = """
apply: {soak: 0s}
alerts:
  broken: {when: {modules: line, state: error}, then: [{call: {module: horn, method: alarm}}]}
modules:
  horn: {entry: "horns:Horn"}
  line: {command: [sh, -c, "test ! -e broken && sleep 1000"], lifecycle: {restart: never}}
"""


def test_a_module_hears_when_an_alert_fires_and_when_it_is_over(tmp_path) -> None:
    with new_plant(tmp_path) as plant:
        plant.write(CODE, "horns.py")
        plant.write(MANIFEST)
        plant.ignrun("apply", "-d")

        def said(state: str) -> bool:
            return f"horn: broken is {state}" in plant.ignrun("logs", "horn", code=None).out

        assert not said("firing")
        (tmp_path / "broken").touch()
        plant.ignrun("restart", "line", code=None)
        until(lambda: said("firing"))
        (tmp_path / "broken").unlink()
        plant.ignrun("start", "line")
        until(lambda: said("resolved"))
        events = plant.ignrun("events").out
        assert "alert broken fires" in events and "alert broken is over" in events
