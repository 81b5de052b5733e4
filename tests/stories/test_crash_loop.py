"""Tells of one module that crash-loops in a plant of fifty: it is parked, and nobody else is touched."""

import json

import pytest

from tests.stories.plant import identity, new_plant

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]

CODE = "from ignrun import Module\n\nclass Good(Module):\n    pass\n"


def test_one_that_crash_loops_is_parked_and_the_other_forty_nine_go_on(tmp_path) -> None:
    with new_plant(tmp_path) as plant:
        plant.write(CODE, "plant_code.py")
        policy = "{backoff: 50ms, backoff_max: 100ms, threshold: 4, park: 30s}"
        rows = [f"  m{n}: {{entry: plant_code:Good}}\n" for n in range(44)]
        rows += [f"  c{n}: {{command: [sleep, '1000'], ready: {{exec: ['true']}}}}\n" for n in range(5)]
        loop = (
            f"  loop: {{command: [sh, -c, 'echo last words; exit 7'], gate: none, lifecycle: {{restart: {policy}}}}}\n"
        )
        plant.write(f"modules:\n{''.join(rows)}{loop}")
        plant.ignrun("apply", "-d", code=None)
        before = plant.instances()
        after = plant.wait_for(lambda now: now["loop@gateway"]["parked"])
        others = [address for address in before if address != "loop@gateway"]
        assert len(others) == 49
        assert all(identity(before[address]) == identity(after[address]) for address in others)
        parked = after["loop@gateway"]
        assert (parked["state"], parked["cause"]) == ("error", "crash-loop")
        assert 4 <= parked["statistics"]["restart_count"] <= 6
        assert "parked, again in" in plant.ignrun("status").out
        said = plant.ignrun("why", "loop").out
        assert "(parked: it failed too often)" in said
        assert "    | last words" in said
        events = [json.loads(line) for line in plant.ignrun("events", "-o", "json", "--lines", "1000").out.splitlines()]
        assert any(one["body"]["type"] == "retry-scheduled" and one["body"]["parked"] for one in events)
