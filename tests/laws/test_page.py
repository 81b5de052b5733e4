"""Holds the page on how a change goes to the phases and outcomes that there are."""

import re

from ignrun.runtime.apply.state import Phase
from ignrun.runtime.supervise.effects import Result
from tests.house.tree import ROOT

PAGE = (ROOT / "docs" / "explanation" / "how-a-change-goes.md").read_text()


def test_the_page_on_how_a_change_goes_knows_every_phase_in_its_picture_and_its_table():
    _, picture, _ = PAGE.split("```", 2)
    known = {phase.value for phase in Phase}
    ends = {result.value for result in Result}
    assert known <= set(re.findall(r"[a-z-]+", picture)) <= known | ends
    table = re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE)
    assert table == [phase.value for phase in Phase]
