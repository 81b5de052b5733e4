"""Holds what is said at the end of an apply to how it ended."""

import msgspec
import pytest

from ignrun.render.outcome import OutcomeReport, detail_lines, encode_outcome, outcome_report, outcome_text
from ignrun.render.status import fault_status
from ignrun.runtime.supervise.effects import Outcome, Result
from ignrun.terms.fault import Fault, FaultKind
from ignrun.terms.names import Address

TRACEBACK = 'Traceback (most recent call last):\n  File "plant.py", line 3, in startup\n    raise ValueError("no")'
HELD = outcome_report(
    Outcome(
        1,
        Result.HELD,
        2,
        "1 of 3 has arrived",
        {
            Address("tags@gateway"): Fault(
                FaultKind.RAISED, "ValueError: no", "startup", f"{TRACEBACK}\nValueError: no"
            ),
            Address("migrate@gateway"): Fault(FaultKind.EXITED, "the command ended: exit 1", detail="no such table"),
            Address("page@gateway"): Fault(
                FaultKind.TIMED_OUT, "host own was blocked", "startup", upstream="page@gateway"
            ),
            Address("web@gateway"): Fault(FaultKind.UPSTREAM, "skipped", upstream="tags@gateway"),
        },
    )
)


def test_a_held_apply_names_root_causes_with_their_place_who_was_skipped_and_what_to_do() -> None:
    lines = outcome_text(HELD, lambda address: address.split("@")[0]).splitlines()
    assert lines[0] == "Held: generation 2 is in force, but not everything has arrived."
    assert lines[1:] == [
        "1 of 3 has arrived",
        "  tags: ValueError: no in `startup`",
        "    --> plant.py:3",
        "  migrate: the command ended: exit 1",
        "    | no such table",
        "  page: host own was blocked in `startup`",
        "  web: skipped: upstream tags",
        lines[-1],
    ]
    assert lines[-1].startswith("hint: `ignrun status`")


@pytest.mark.parametrize(
    ("files", "shown"),
    [
        (["plant.py", "/usr/lib/python3.12/json/decoder.py"], "plant.py"),
        (["/v/lib/python3.12/site-packages/acme/module.py"], "/v/lib/python3.12/site-packages/acme/module.py"),
    ],
)
def test_the_place_of_a_fault_is_the_last_line_of_the_author_s_own_code_where_there_is_one(files, shown) -> None:
    frames = "".join(f'  File "{file}", line {number}, in load\n' for number, file in enumerate(files, 7))
    fault = fault_status(Fault(FaultKind.RAISED, "no", "startup", f"Traceback (most recent call last):\n{frames}"))
    assert detail_lines(fault) == [f"    --> {shown}:7"]


def test_a_committed_apply_is_one_line() -> None:
    report = OutcomeReport("1.0", 1, "committed", 2, "generation 2 is in force: 3 created")
    assert outcome_text(report) == "Applied: generation 2 is in force: 3 created.\n"


def test_every_result_has_a_sentence_of_its_own() -> None:
    told = {outcome_text(OutcomeReport("1.0", 1, result.value, 1, "")).splitlines()[0] for result in Result}
    assert len(told) == len(Result)


def test_the_public_form_names_result_generation_and_each_fault() -> None:
    form = msgspec.json.decode(encode_outcome(HELD))
    assert (form["result"], form["generation"], form["transaction"]) == ("held", 2, 1)
    assert form["faults"][-1] == {
        "address": "web@gateway",
        "fault": {"kind": "upstream", "summary": "skipped", "callback": "", "upstream": "tags@gateway", "detail": ""},
    }
