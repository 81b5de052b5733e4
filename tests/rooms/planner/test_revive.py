"""A generation that was kept is proposed again without its manifest, with the texts that its secrets have now."""

import asyncio

from ignrun.planner.proposal import Base
from ignrun.planner.reader import ResidentReader
from ignrun.planner.reader.bounded import answer_reviving, decoded
from ignrun.terms.verdict import Accepted
from tests.rooms.planner.reading import accepted, inputs, lines

TEXT = "env_files: [{path: gone.env, optional: true}]\nmodules:\n  a: {command: [echo], env: {PW: '${secret:PW}'}}\n"


def _kept(folder, **more):
    return accepted(folder, TEXT, for_apply=True, environment={"PW": "one"}, fingerprint_key=b"k", **more)


def _revived(kept, inputs, base):
    return decoded(answer_reviving(kept, inputs, base))


def _inputs(folder, **environment):
    return inputs(folder / "plant.yaml", for_apply=True, environment=environment, fingerprint_key=b"k")


def test_what_was_kept_comes_back_without_its_manifest(tmp_path):
    kept = _kept(tmp_path)
    (tmp_path / "plant.yaml").write_text("not: [yaml")
    reading = _revived(kept, _inputs(tmp_path, PW="one"), Base())
    assert isinstance(reading.verdict, Accepted)
    assert reading.verdict.value.graph == kept.graph
    assert reading.secrets == {"PW": "one"}
    assert [step.action for step in reading.verdict.value.plan.steps] == ["create"]


def test_against_itself_there_is_nothing_to_do(tmp_path):
    kept = _kept(tmp_path)
    reading = _revived(kept, _inputs(tmp_path, PW="one"), Base(3, kept.graph))
    assert isinstance(reading.verdict, Accepted)
    assert reading.verdict.value.plan.is_empty


def test_a_secret_that_changed_since_is_told_as_a_change(tmp_path):
    kept = _kept(tmp_path)
    reading = _revived(kept, _inputs(tmp_path, PW="two"), Base(3, kept.graph))
    assert isinstance(reading.verdict, Accepted)
    assert reading.secrets == {"PW": "two"}
    assert [step.address for step in reading.verdict.value.plan.steps] == ["a@gateway"]


def test_a_secret_that_is_gone_is_refused_by_name(tmp_path):
    reading = _revived(_kept(tmp_path), _inputs(tmp_path), Base())
    assert not isinstance(reading.verdict, Accepted)
    assert "the secret `PW` is not to be had" in lines(reading.verdict.diagnostics)[0]


def test_the_resident_revives_as_well(tmp_path):
    kept = _kept(tmp_path)
    reader = ResidentReader()
    reader.start()
    try:
        reading = asyncio.run(reader.revive(kept, _inputs(tmp_path, PW="one"), Base()))
    finally:
        reader.close()
    assert isinstance(reading.verdict, Accepted)
    assert reading.verdict.value.graph == kept.graph
