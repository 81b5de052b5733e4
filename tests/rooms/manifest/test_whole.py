"""Includes, modes, `extends` and `for_each` become one manifest in which every value still leads to the text that wrote it."""

import os
from pathlib import Path
from textwrap import dedent
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ignrun.manifest.document import Document
from ignrun.manifest.gather import modes_of
from ignrun.manifest.inputs import Inputs
from ignrun.manifest.model import Limits, Manifest, Moved, ReloadPolicy, WatchPolicy
from ignrun.manifest.read import read_manifest
from ignrun.manifest.weave import Branch, laid_over, trunk
from ignrun.terms.verdict import Accepted, Rejected


class Plant:
    """A folder with the files of a manifest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, text: str, name: str = "plant.yaml") -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")

    def read(self, *modes: str, **more: Any) -> Any:
        return read_manifest(Inputs(str(self.folder / "plant.yaml"), "", str(self.folder), "", modes=modes, **more))

    def accepted(self, *modes: str, **more: Any) -> Manifest:
        verdict = self.read(*modes, **more)
        assert isinstance(verdict, Accepted), verdict.diagnostics
        found: Manifest = verdict.value
        return found

    def told(self, *modes: str, **more: Any) -> list[str]:
        """Each diagnostic as `file:line:column CODE`."""
        found = self.read(*modes, **more).diagnostics
        return [f"{Path(one.span.file).name}:{one.span.line}:{one.span.column} {one.code}" for one in found]

    def place(self, manifest: Manifest, *path: str | int) -> str:
        span = manifest.documents[0].value_span(path)
        return f"{Path(span.file).relative_to(self.folder)}:{span.line}:{span.column}"


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return Plant(tmp_path)


# --- include ----------------------------------------------------------------------------------------------------------


def test_included_modules_stand_beside_the_others_and_keep_their_places(plant: Plant) -> None:
    plant.write("include: [lines/*.yaml]\nmodules:\n  web: {command: [web]}\n")
    plant.write("sources: [{path: code}]\nmodules:\n  b: {command: [b], requires: [web]}\n", "lines/2.yaml")
    plant.write("sources: [{path: code}]\nmodules:\n\n  a: {command: [a]}\n", "lines/1.yaml")
    found = plant.accepted()
    assert [*found.modules] == ["web", "a", "b"]
    assert plant.place(found, "modules", "a", "command", 0) == "lines/1.yaml:4:17"
    assert Path(found.modules["b"].requires[0].span.file).name == "2.yaml"
    assert [one.path for one in found.sources] == [str(plant.folder / "lines/code")] * 2
    assert [(Path(one.path).name, one.role) for one in found.files] == [
        ("plant.yaml", "manifest"), ("1.yaml", "include"), ("2.yaml", "include"),
    ]  # fmt: skip


def test_a_file_that_is_included_twice_is_read_once(plant: Plant) -> None:
    plant.write('include: [a.yaml, "*.yaml", b.yaml]\n')
    plant.write("include: [c.yaml]\nmodules: {a: {command: [a]}}\n", "a.yaml")
    plant.write("include: [c.yaml]\nmodules: {b: {command: [b]}}\n", "b.yaml")
    plant.write("modules: {c: {command: [c]}}\n", "c.yaml")
    assert sorted(plant.accepted().modules) == ["a", "b", "c"]


def test_a_pattern_that_is_in_a_folder_with_brackets_is_a_pattern_all_the_same(tmp_path: Path) -> None:
    plant = Plant(tmp_path / "line [4]")
    plant.write('include: ["l?nes/*.yaml"]\n')
    plant.write("modules: {a: {command: [a]}}\n", "lines/a.yaml")
    assert [*plant.accepted().modules] == ["a"]


def test_an_include_that_leaves_the_root_is_refused_also_through_a_link(plant: Plant, tmp_path_factory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "a.yaml").write_text("modules: {a: {command: [a]}}\n")
    (plant.folder / "lines").symlink_to(outside)
    plant.write(f'include: ["lines/*.yaml", "{outside}/a.yaml", "../{outside.name}/a.yaml"]\n')
    assert {one.code for one in plant.read().diagnostics} == {"IGN107"}
    assert [*plant.accepted(allowed=(str(outside),)).modules] == ["a"]


def test_a_file_that_is_swapped_while_it_is_read_is_refused(plant: Plant, tmp_path_factory, monkeypatch) -> None:
    outside = tmp_path_factory.mktemp("outside") / "a.yaml"
    outside.write_text("modules: {stolen: {command: [a]}}\n")
    plant.write("include: [a.yaml]\n")
    plant.write("modules: {a: {command: [a]}}\n", "a.yaml")
    inside, really_open = plant.folder / "a.yaml", os.open

    def swapping(path: str, flags: int, mode: int = 0o777) -> int:
        if Path(path) == inside:
            inside.unlink()
            inside.symlink_to(outside)
        return really_open(path, flags, mode)

    monkeypatch.setattr(os, "open", swapping)
    verdict = plant.read()
    assert isinstance(verdict, Rejected)
    assert [(one.code, one.span.line) for one in verdict.diagnostics] == [("IGN107", 1)]
    assert not verdict.sound.modules


def test_a_long_row_of_includes_ends_in_a_diagnostic(plant: Plant) -> None:
    plant.write("include: [1.yaml]\n")
    for number in range(1, 200):
        plant.write(f"include: [{number + 1}.yaml]\n", f"{number}.yaml")
    assert plant.told() == ["64.yaml:1:11 IGN113"]


def test_mistakes_of_every_file_are_told_at_once(plant: Plant) -> None:
    plant.write("include: [a.yaml, b.yaml]\nmodules:\n  web: {comand: [web]}\n")
    plant.write("modules:\n  a: {command: [a], intervall: 2}\n", "a.yaml")
    plant.write("modules:\n  b: {command: [\n", "b.yaml")
    assert plant.told() == ["a.yaml:2:21 IGN204", "b.yaml:3:1 IGN110", "plant.yaml:3:9 IGN204"]


# --- modes ------------------------------------------------------------------------------------------------------------


def test_modes_lie_over_the_manifest_in_order_and_the_local_one_comes_last(plant: Plant) -> None:
    plant.write("vars: {a: 0, b: 0, c: 0}\nmodules: {web: {command: [web], enabled: true, scopes: [gateway]}}\n")
    plant.write("vars: {a: 1, b: 1, c: 1}\nmodules: {web: {scopes: [client, designer]}}\n", "modes/one.yaml")
    plant.write("kind: Overlay\nvars: {b: 2, c: 2}\n", "modes/two.yaml")
    plant.write("vars: {c: 3}\n", "modes/local.yaml")
    assert plant.accepted().vars == {"a": 0, "b": 0, "c": 3}
    assert plant.accepted("one", "two").vars == {"a": 1, "b": 2, "c": 3}
    assert plant.accepted("two", "local", "one").vars == {"a": 1, "b": 1, "c": 3}
    assert len(plant.accepted("one").modules["web"].scopes or ()) == 2
    assert modes_of(str(plant.folder / "plant.yaml")) == ("one", "two")


def test_null_removes_what_the_manifest_says(plant: Plant) -> None:
    plant.write(
        "vars: {a: 1, b: 2}\nactivate: [client]\nmodules:\n"
        "  web: {command: [web], labels: {a: x, b: y}, lifecycle: {start_timeout: 1s, stop_timeout: 2s}, config: {a: 1, b: 2}}\n"
        "  gone: {command: [gone]}\n"
    )
    plant.write(
        "vars: {a: null}\nactivate: null\nmodules:\n"
        "  gone: null\n  web: {labels: {a: null}, lifecycle: {start_timeout: null}, config: {a: null}}\n",
        "modes/prod.yaml",
    )
    found = plant.accepted("prod")
    web = found.modules["web"]
    assert (found.vars, found.activate, [*found.modules]) == ({"b": 2}, (), ["web"])
    assert (web.labels, web.lifecycle.start_timeout, web.lifecycle.stop_timeout) == ({"b": "y"}, 30.0, 2.0)
    assert web.config == {"a": None, "b": 2}  # what a definition says underneath is removed as well


def test_what_a_module_runs_is_replaced_as_a_whole(plant: Plant) -> None:
    plant.write("modules: {web: {command: [web], oneshot: true, config: {a: 1}, ready: {log: up}}}\n")
    plant.write("modules: {web: {entry: 'plant:Web', config: {b: 2}}}\n", "modes/class.yaml")
    plant.write("modules: {web: {command: [other], ready: {tcp: 80}}}\n", "modes/other.yaml")
    web = plant.accepted("class").modules["web"]
    assert (web.command, web.entry, web.oneshot, web.config) == (None, "plant:Web", None, {"b": 2})
    assert [one.name for one in web.config_layers] == ["overlay"]
    web = plant.accepted("other").modules["web"]
    assert (web.command, web.ready, web.config) == (["other"], {"tcp": 80}, {"a": 1})
    assert web.oneshot is not None


def test_every_value_leads_to_the_file_that_wrote_it(plant: Plant) -> None:
    plant.write("modules:\n  web: {command: [web], config: {a: 1, list: [1], deep: {x: 1, y: 1}}}\n")
    plant.write("modules:\n  web:\n    config: {list: [2, 3], deep: {x: 2}}\n", "modes/prod.yaml")
    found = plant.accepted("prod")
    config = ("modules", "web", "config")
    assert plant.place(found, *config, "a") == "plant.yaml:2:37"
    assert plant.place(found, *config, "list", 1) == "modes/prod.yaml:3:24"
    assert plant.place(found, *config, "deep", "x") == "modes/prod.yaml:3:38"
    assert plant.place(found, *config, "deep", "y") == "plant.yaml:2:67"
    base, over = found.modules["web"].config_layers
    assert (base.name, over.name, over.values) == ("config", "overlay", {"list": [2, 3], "deep": {"x": 2}})
    for layer in (base, over):
        document = found.documents[layer.where.document]
        assert document.value_span((*layer.where.path, "list")).file == document.file


def test_a_path_of_an_overlay_is_relative_to_its_own_file(plant: Plant) -> None:
    plant.write("env_files: [a.env]\nmodules: {}\n")
    plant.write("env_files: [b.env]\nsecrets: {PW: {file: pw}}\nwatch: {trigger: now}\n", "modes/prod.yaml")
    found = plant.accepted("prod")
    assert [one.path for one in found.env_files] == [str(plant.folder / "modes/b.env")]
    assert found.secrets["PW"].argument == str(plant.folder / "modes/pw")
    assert found.watch == WatchPolicy(trigger=str(plant.folder / "modes/now"))


def test_a_mode_that_nobody_wrote_is_told(plant: Plant) -> None:
    plant.write("modules: {}\n")
    assert plant.told("prod", "../plant") == ["--mode:1:1 IGN133", "--mode:2:1 IGN133"]


def test_a_mistake_in_an_overlay_is_told_in_the_overlay(plant: Plant) -> None:
    plant.write("modules: {web: {command: [web]}}\n")
    plant.write("modules:\n  web: {lifecycle: {start_timeout: soon}, oneshot: 3}\n", "modes/prod.yaml")
    assert plant.told("prod") == ["prod.yaml:2:36 IGN206", "prod.yaml:2:43 IGN202"]


# --- extends and for_each ---------------------------------------------------------------------------------------------


def test_a_block_lies_over_what_it_extends(plant: Plant) -> None:
    plant.write("""
        x-base: {lifecycle: {start_timeout: 1s, stop_timeout: 2s}, labels: {a: x}}
        modules:
          x-sim: {extends: x-base, entry: "plant:Sim", config: {a: 1, b: {c: 2}}}
          one: {extends: x-sim, config: {b: {d: 3}}, lifecycle: {stop_timeout: null}}
          two: {extends: one, command: [two], labels: {a: null}, enabled: false}
    """)
    found = plant.accepted()
    one, two = found.modules["one"], found.modules["two"]
    assert (one.entry, one.config, one.labels) == ("plant:Sim", {"a": 1, "b": {"c": 2, "d": 3}}, {"a": "x"})
    assert (one.lifecycle.start_timeout, one.lifecycle.stop_timeout) == (1.0, 10.0)
    assert (two.entry, two.command, two.labels, two.enabled) == (None, ["two"], {}, False)
    assert (one.span.line, two.span.line) == (5, 6)
    assert plant.place(found, "modules", "two", "config", "b", "d") == "plant.yaml:5:41"
    assert [layer.values for layer in two.config_layers] == [{"a": 1, "b": {"c": 2}}, {"b": {"d": 3}}]


def test_an_overlay_changes_what_others_extend(plant: Plant) -> None:
    plant.write("x-sim: {command: [sim], config: {a: 1}}\nmodules: {sim: {extends: x-sim, config: {c: 3}}}\n")
    plant.write("x-sim: {config: {b: 2}}\nmodules: {sim: {config: {c: 4}}}\n", "modes/prod.yaml")
    sim = plant.accepted("prod").modules["sim"]
    assert sim.config == {"a": 1, "b": 2, "c": 4}
    assert [layer.values for layer in sim.config_layers] == [{"a": 1}, {"b": 2}, {"c": 3}, {"c": 4}]


def test_for_each_makes_a_module_for_each_element(plant: Plant) -> None:
    plant.write("""
        modules:
          first: {command: [a]}
          plc: {for_each: {filler: 10.4.1.11, capper: {host: h}}, command: ["${each:key}"]}
          line: {for_each: [a, 2], extends: first}
          last: {command: [b]}
    """)
    found = plant.accepted().modules
    assert [*found] == ["first", "plc-filler", "plc-capper", "line-a", "line-2", "last"]
    assert [one.each for one in found.values()] == [
        None, ("filler", "10.4.1.11"), ("capper", {"host": "h"}), ("a", "a"), ("2", 2), None,
    ]  # fmt: skip
    assert {found["plc-filler"].span, found["plc-capper"].span} == {found["plc-filler"].span}
    assert found["plc-filler"].command == ["${each:key}"]


def test_the_key_of_an_element_names_what_its_module_needs(plant: Plant) -> None:
    plant.write("""
        modules:
          plc: {for_each: [a, b], command: [a]}
          line:
            for_each: [a, b]
            command: [b]
            requires: {tags: ["plc-${each:key}", "plc-a@gateway"], db: {module: "plc-${each:key}@client", condition: started}}
            after: ["${each:key}"]
          a: {command: [a]}
          b: {command: [a]}
    """)
    line = plant.accepted().modules["line-b"]
    tags, db = line.requires
    assert (tags.targets, db.targets, line.after[0].targets) == (("plc-b", "plc-a@gateway"), ("plc-b@client",), ("b",))
    assert (tags.target_spans[0].line, db.span.line) == (7, 7)


def test_an_overlay_adds_an_element(plant: Plant) -> None:
    plant.write("modules: {plc: {for_each: {a: 1}, command: [a]}}\n")
    plant.write("modules: {plc: {for_each: {a: null, b: 2}}}\n", "modes/prod.yaml")
    assert [*plant.accepted("prod").modules] == ["plc-b"]


def test_a_long_row_of_extends_is_no_trouble(plant: Plant) -> None:
    rows = "".join(f"  m{number}: {{extends: m{number - 1}}}\n" for number in range(1, 3000))
    plant.write("modules:\n  m0: {command: [a]}\n" + rows)
    assert plant.accepted().modules["m2999"].command == ["a"]


# --- the rest ---------------------------------------------------------------------------------------------------------


def test_variables_of_the_command_line_are_typed_and_win(plant: Plant) -> None:
    plant.write("vars: {port: 1, name: a}\nmodules: {}\n")
    found = plant.accepted(vars={"port": "9000", "on": "no", "yes": "true", "empty": ""})
    assert found.vars == {"port": 9000, "name": "a", "on": "no", "yes": True, "empty": None}
    assert plant.told(vars={"a b": "1", "big": "9" * 30}) == ["--var:1:1 IGN206", "--var:2:1 IGN125"]


def test_what_later_versions_act_on_is_carried(plant: Plant) -> None:
    plant.write("""
        python: venv
        platform: {ignition: "8.3.1"}
        catalog: [{path: /srv/index}]
        moved: [{from: old, to: web}]
        apply: {runtime_config: deny}
        watch: {settle: 50ms, code: true}
        log: {to: both, level: debug}
        alerts: {big: {when: {modules: web, sample: memory, above: 400MiB}, for: 30s, then: [log, {webhook: "http://a"}]}}
        modules:
          web:
            command: [web]
            limits: {memory: 1MiB, cpu: 1.5}
            reload: {signal: SIGHUP}
            user: www
            umask: "027"
            irreversible: true
            log: {level: error}
            files: {"${dir:config}/a": {json: {a: null}, mode: "0640"}}
    """)
    (plant.folder / "venv/bin").mkdir(parents=True)
    (plant.folder / "venv/bin/python").touch()
    found = plant.accepted()
    web, (alert,) = found.modules["web"], found.alerts
    assert (found.python, found.platform.ignition) == (str(plant.folder / "venv"), "8.3.1")
    assert ([one.path for one in found.catalog], found.apply.runtime_config) == (["/srv/index"], "deny")
    assert found.moved == (Moved("old", "web", found.moved[0].span),)
    assert found.watch == WatchPolicy(0.05, True)
    assert (found.log.to, found.log.level, web.log and web.log.level) == ("both", "debug", "error")
    assert (alert.name, alert.lasting, alert.then) == ("big", 30.0, ("log", {"webhook": "http://a"}))
    assert alert.when == {"modules": "web", "sample": "memory", "above": "400MiB"}
    assert (web.limits, web.reload) == (Limits(1 << 20, 1.5), ReloadPolicy("HUP"))
    assert (web.user, web.umask, web.irreversible) == ("www", "027", True)
    assert web.files == {"${dir:config}/a": {"json": {"a": None}, "mode": "0640"}}


def test_a_woven_manifest_survives_a_round_trip(plant: Plant) -> None:
    plant.write("include: [a.yaml]\nmodules: {web: {command: [web], config: {a: [1]}}}\n")
    plant.write("modules: {plc: {for_each: [a, b], command: [plc]}}\n", "a.yaml")
    plant.write("modules: {web: {config: {b: 1}}}\n", "modes/prod.yaml")
    found = plant.accepted("prod")
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=Manifest)
    assert again == found
    assert plant.place(again, "modules", "web", "config", "b") == "modes/prod.yaml:1:29"


# --- laws of merging --------------------------------------------------------------------------------------------------

KEYS = st.sampled_from(["a", "b", "c"])
TREES = st.recursive(
    st.none() | st.integers(0, 3), lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3)
)
BLOCKS = st.dictionaries(KEYS, TREES, max_size=3)


def _texts(*trees: Any) -> Any:
    """Documents whose places tell which of them wrote a value."""
    return tuple(Document(f"{number}.yaml", "", tree, b"") for number, tree in enumerate(trees))


def _expected(weak: Any, strong: Any) -> Any:
    """Merge config: objects by key, all else replaced."""
    if not isinstance(weak, dict) or not isinstance(strong, dict):
        return strong
    return {**weak, **{key: _expected(weak[key], value) if key in weak else value for key, value in strong.items()}}


def _under(tree: Any) -> Any:
    return {"modules": {"m": {"config": tree}}}


@given(BLOCKS, BLOCKS)
def test_config_merges_by_key_and_every_leaf_is_where_it_says(weak: Any, strong: Any) -> None:
    made = laid_over(trunk(0, _under(weak)), trunk(1, _under(strong)))
    assert made.value == _under(_expected(weak, strong))
    _check(made, _texts(_under(weak), _under(strong)))


def _check(branch: Branch, sources: Any) -> None:
    value = branch.value
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            _check(branch.child(key), sources)
        return
    at = sources[branch.graft.source].tree
    for key in branch.graft.path:
        at = at[key]
    assert at == value


@given(BLOCKS)
def test_nothing_laid_over_changes_nothing(tree: Any) -> None:
    assert laid_over(trunk(0, _under(tree)), trunk(1, {})).value == _under(tree)
    assert laid_over(trunk(0, _under(tree)), trunk(1, _under(tree))).value == _under(tree)


def test_an_alert_that_calls_a_module_says_which_and_what(plant: Plant) -> None:
    plant.write("""
        alerts: {down: {when: {modules: "*", state: error}, then: [{call: {module: horn, method: alarm}}]}}
        modules:
          horn: {entry: "horn:Horn"}
          web: {command: [web]}
    """)
    (alert,) = plant.accepted().alerts
    assert alert.then == ({"call": {"module": "horn", "method": "alarm"}},)


def test_a_command_has_no_methods_that_an_alert_could_call(plant: Plant) -> None:
    plant.write("""
        alerts: {down: {when: {modules: "*", state: error}, then: [{call: {module: web, method: alarm}}]}}
        modules: {web: {command: [web]}}
    """)
    assert any("`web` is a command: it has no methods" in one.summary for one in plant.read().diagnostics)
