"""Definitions are found, versions chosen and entries checked without importing anything."""

import sys

import pytest

from ignrun.planner.catalog.versions import ranked, satisfies
from tests.rooms.planner.reading import accepted, complaints, write

SENSOR = """\
    kind: Module
    metadata: {id: com.acme.sensor, name: Sensor, version: VERSION}
    entry: sensor:Sensor
"""


@pytest.fixture
def sensor(tmp_path):
    write(tmp_path, "modules/sensor.py", "class Sensor:\n    async def run(self): ...\n")
    write(tmp_path, "modules/v1/module.yaml", SENSOR.replace("VERSION", "1.2.0"))
    write(tmp_path, "modules/v2/module.yaml", SENSOR.replace("VERSION", "2.0.0"))
    return tmp_path


@pytest.mark.parametrize(
    ("requirement", "chosen"), [("", "2.0.0"), ("^1.0", "1.2.0"), ("~1.2", "1.2.0"), ("<2", "1.2.0"), (">=1", "2.0.0")]
)
def test_the_highest_version_that_fits_is_chosen(sensor, requirement, chosen):
    found = accepted(
        sensor,
        f"""\
        sources: [{{path: modules}}]
        modules:
          s: {{uses: com.acme.sensor, version: "{requirement or ">=0"}"}}
        """,
    )
    assert found.graph.instances["s@gateway"].metadata.version == chosen


def test_a_prerelease_is_taken_only_when_it_is_asked_for():
    assert ranked(["1.0", "2.0rc1"], [">=1"]) == ["1.0"]
    assert ranked(["2.0rc1", "1.0"], [""]) == ["1.0", "2.0rc1"]
    assert ranked(["1.0", "2.0rc1"], [">=2.0rc1", "<3"]) == ["2.0rc1"]


@pytest.mark.parametrize(
    ("version", "requirement", "fits"),
    [
        ("1.9", "^1.2", True),
        ("2.0", "^1.2", False),
        ("0.3", "^0.2", False),
        ("0.2.9", "^0.2", True),
        ("0.0.4", "^0.0.3", False),
        ("1.2.9", "~1.2.3", True),
        ("1.3", "~1.2", False),
        ("1.9", "~1", True),
        ("1.2", "1.2", True),
    ],
)
def test_caret_and_tilde_mean_what_they_mean_elsewhere(version, requirement, fits):
    assert satisfies(version, requirement) is fits


def test_an_unknown_definition_a_version_nobody_has_and_a_bad_requirement_are_told_at_their_keys(sensor):
    assert complaints(
        sensor,
        """\
        sources: [{path: modules}]
        modules:
          a: {uses: com.acme.sensr}
          b: {uses: com.acme.sensor, version: ">=3"}
          c: {uses: com.acme.sensor, version: "newest"}
        """,
    ) == [
        "3:7 IGN302 there is no definition `com.acme.sensr` (did you mean `com.acme.sensor`?)",
        "4:30 IGN313 no version of `com.acme.sensor` satisfies `>=3` (there is `1.2.0`, `2.0.0`)",
        "5:30 IGN206 `newest` is not a version requirement (write it like `>=1.2,<2`, `^1.2` or `~1.2`)",
    ]


def test_a_broken_definition_is_told_where_it_is_broken_and_not_missed_as_well(tmp_path):
    write(tmp_path, "modules/module.yaml", SENSOR.replace("VERSION", "1.0"))
    [told] = complaints(tmp_path, "sources: [{path: modules}]\nmodules: {s: {uses: com.acme.sensor}}\n")
    assert told.startswith("2:47 IGN202 `version` takes text")


def test_a_source_that_is_no_folder_is_told_at_its_place(tmp_path):
    [told, *_] = complaints(tmp_path, "sources: [{path: modules}]\nmodules: {s: {uses: com.acme.sensor}}\n")
    assert "IGN314" in told
    assert "is not a folder" in told


def test_installed_definitions_are_found_through_entry_points_and_never_imported(
    tmp_path, tmp_path_factory, monkeypatch
):
    site = tmp_path_factory.mktemp("site")
    write(site, "acme_pack-1.0.dist-info/entry_points.txt", "[ignrun.modules]\npump = acme_pack.pump\n")
    write(site, "acme_pack/__init__.py", "raise RuntimeError('imported')\n")
    write(
        site,
        "acme_pack/pump/module.yaml",
        SENSOR.replace("VERSION", "1.0.0").replace("sensor:S", "acme_pack.pump.main:S"),
    )
    write(site, "acme_pack/pump/main.py", "class Sensor: ...\n")
    monkeypatch.syspath_prepend(str(site))
    found = accepted(tmp_path, "modules: {p: {uses: com.acme.sensor}}\n")
    body = found.graph.instances["p@gateway"].body
    assert body.entry == "acme_pack.pump.main:Sensor"
    assert body.path == (str(tmp_path),)
    assert "acme_pack" not in sys.modules


def test_code_beside_a_definition_gives_the_host_its_folder(tmp_path):
    write(tmp_path, "modules/pump/module.yaml", SENSOR.replace("VERSION", "1.0.0").replace("sensor:S", "main:S"))
    write(tmp_path, "modules/pump/main.py", "class Sensor: ...\n")
    found = accepted(tmp_path, "sources: [{path: modules}]\nmodules: {p: {uses: com.acme.sensor}}\n")
    assert found.graph.instances["p@gateway"].body.path == (
        str(tmp_path / "modules"),
        str(tmp_path),
        str(tmp_path / "modules/pump"),
    )


def test_an_entry_is_checked_by_reading_its_source(tmp_path):
    write(tmp_path, "plant/jobs.py", "class Poller: ...\nraise SystemExit\n")
    write(tmp_path, "plant/broken.py", "def f(:\n")
    assert complaints(
        tmp_path,
        """\
        modules:
          a: {entry: "plant.jbs:Poller"}
          b: {entry: "plant.jobs:Pollr"}
          c: {entry: "plant.broken:Poller"}
          d: {entry: "plant.jobs:Poller"}
        """,
    ) == [
        "2:7 IGN304 the module `plant.jbs` of entry `plant.jbs:Poller` does not exist (did you mean `jobs`?)",
        "3:7 IGN305 `Pollr` of entry `plant.jobs:Pollr` does not exist (did you mean `Poller`?)",
        f"4:7 IGN306 the module of entry `plant.broken:Poller` is not Python: invalid syntax (see `{tmp_path}/plant/broken.py:1`)",
    ]


@pytest.mark.parametrize(
    "source",
    [
        "from elsewhere import *",
        "def __getattr__(name): ...",
        "from elsewhere import Name",
        "try:\n    from fast import Name\nexcept ImportError:\n    class Name: ...",
        "Name = make()",
        "if True:\n    async def Name(): ...",
    ],
)
def test_a_name_that_may_be_there_is_left_to_the_host(tmp_path, source):
    write(tmp_path, "job.py", source)
    accepted(tmp_path, "modules: {a: {entry: 'job:Name'}}\n")


def test_callbacks_are_read_from_a_class_and_its_bases_and_unknown_where_a_base_is(tmp_path):
    write(
        tmp_path,
        "job.py",
        """\
        from ignrun import Module
        from elsewhere import Other
        class Base(Module):
            def startup(self): ...
        class Derived(Base):
            async def reconfigure(self, change): ...
        class Strange(Other):
            def startup(self): ...
        async def poll(ctx): ...
        """,
    )
    found = accepted(
        tmp_path, "modules: {a: {entry: 'job:Derived'}, b: {entry: 'job:Strange'}, c: {entry: 'job:poll'}}\n"
    )
    bodies = {name: spec.body for name, spec in found.graph.instances.items()}
    assert bodies["a@gateway"].callbacks == ("startup", "reconfigure")
    assert bodies["b@gateway"].callbacks is None
    assert bodies["c@gateway"].callbacks == ("run",)
