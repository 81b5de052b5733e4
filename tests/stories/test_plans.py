"""Tells how a plan is written down, looked at, judged and carried out, or refused once something else has happened."""

import json

import pytest

pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]

MANIFEST = """\
modules:
  a: {command: [sleep, "1000"], config: {n: 1}, reload: {signal: CONT, ack: none}}
  b: {command: [sleep, "1000"], requires: [a]}
  c: {command: [sleep, "1000"], wants: [b]}
"""
RULES = """\
def deny_reloads(plan):
    print("rules may print")
    for change in plan["changes"]:
        if change["action"] == "reload":
            yield f"no reload of {change['address']}"

def warn_of_little(plan):
    return "little to do" if len(plan["changes"]) < 2 else None
"""


def test_a_plan_that_was_written_down_is_carried_out_once_and_only_as_it_was(plant) -> None:
    plant.write(MANIFEST)
    told = plant.ignrun("plan", str(plant.manifest), "--out", "plan.json")
    assert "compared with nothing" in told.err
    assert (plant.folder / "plan.json").stat().st_mode & 0o777 == 0o600
    plant.ignrun("apply", "plan.json", "-d")
    assert len(plant.instances()) == 3
    stale = plant.ignrun("apply", "plan.json", code=8)
    assert "error[IGN602]: the plan is stale: it compares with generation 0, 1 is in force" in stale.err
    plant.write(MANIFEST.replace('c: {command: [sleep, "1000"]', 'c: {command: [sleep, "1001"]'))
    plant.ignrun("plan", str(plant.manifest), "--out", "plan.json")
    plant.write(MANIFEST.replace('c: {command: [sleep, "1000"]', 'c: {command: [sleep, "1002"]'))
    changed = plant.ignrun("apply", "plan.json", code=8)
    assert "the plan is stale: the manifest, or what belongs to it, has changed since" in changed.err
    assert "nothing was touched" in changed.err
    assert "leave those options out" in plant.ignrun("apply", "plan.json", "--var", "a=b", code=2).err


def test_a_plan_holds_also_for_a_plant_that_is_down(plant) -> None:
    plant.write(MANIFEST)
    plant.ignrun("apply", "-d", str(plant.manifest))
    plant.ignrun("down", *plant.aim())
    plant.write(MANIFEST.replace("n: 1", "n: 2"))
    assert "the plant is down" in plant.ignrun("plan", str(plant.manifest), "--out", "plan.json").err
    plant.ignrun("apply", "plan.json", "-d")
    plant.ignrun("down", *plant.aim())
    assert "it compares with generation 1, 2 is in force" in plant.ignrun("apply", "plan.json", "-d", code=8).err


def test_files_and_generations_are_compared_and_plans_are_judged(plant) -> None:
    plant.write(MANIFEST)
    plant.ignrun("apply", "-d", str(plant.manifest))
    name = str(plant.manifest)
    edited = MANIFEST.replace("n: 1", "n: 2")
    plant.write(edited)
    assert plant.ignrun("diff", *plant.aim()).out.endswith("\n  ~ a  changed\n      n: 1 -> 2\n")
    plant.write(MANIFEST, "old.yaml")
    assert "  ~ a  changed\n      n: 2 -> 1\n" in plant.ignrun("diff", name, "old.yaml").out
    assert (
        plant.ignrun("diff", "1", "current", *plant.aim()).out == "from generation 1 to generation 1: no difference\n"
    )
    assert "there is no generation 7" in plant.ignrun("diff", "7", *plant.aim(), code=1).err
    found = json.loads(plant.ignrun("diff", "good", *plant.aim(), "-o", "json").out)
    assert [one["address"] for one in found["differences"]] == ["a@gateway"]

    copy = plant.folder / "copy"
    copy.write_bytes((plant.state_folder() / "current").read_bytes())
    done = plant.ignrun("plan", name, "--base", "copy", "--detailed-exitcode", code=10)
    assert "compared with generation 1 in copy" in done.err
    assert "  % a  reload\n" in done.out
    assert "there is no file `gone` to compare with" in plant.ignrun("plan", name, "--base", "gone", code=1).err

    plant.write(RULES, "rules.py")
    judged = plant.ignrun("policy", "rules.py", *plant.aim(), code=9)
    assert judged.out == (
        "refused by deny_reloads: no reload of a@gateway\n"
        "warned by warn_of_little: little to do\n"
        "2 rules, 2 findings: the plan is refused\n"
    )
    plant.write(MANIFEST)
    (plant.folder / "plan.json").write_text(plant.ignrun("plan", name, "-o", "json").out)
    free = json.loads(plant.ignrun("policy", "rules.py", "plan.json", "-o", "json").out)
    assert (free["refused"], [one["level"] for one in free["findings"]]) == (False, ["advisory"])


def test_a_manifest_that_lost_its_modules_deletes_nothing(plant) -> None:
    plant.write(MANIFEST)
    plant.ignrun("apply", "-d", str(plant.manifest))
    before = plant.instances()
    plant.write("modules:\n  c: {command: [sleep, '1000']}\n")
    assert "error[IGN603]: the plan deletes 2 of 3 instances" in plant.ignrun("apply", str(plant.manifest), code=3).err
    assert plant.instances().keys() == before.keys()
    plant.ignrun("apply", str(plant.manifest), "--allow-mass-delete", "--yes")
    assert set(plant.instances()) == {"c@gateway"}


def test_a_target_alone_is_applied(plant) -> None:
    plant.write(MANIFEST)
    plant.ignrun("apply", "-d", str(plant.manifest), "--target", "b")
    assert set(plant.instances()) == {"a@gateway", "b@gateway"}
    assert "  + c  create\n" in plant.ignrun("plan", str(plant.manifest)).out
