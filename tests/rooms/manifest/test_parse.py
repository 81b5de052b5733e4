"""What a manifest says becomes typed values: short and long forms alike, defaults below, places kept."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from ignrun.manifest.inputs import Inputs
from ignrun.manifest.model import ApplyPolicy, EnvFile, HealthPolicy, Lifecycle, Manifest, Oneshot, StopPolicy
from ignrun.manifest.read import read_definition, read_manifest
from ignrun.terms.names import ModuleScope
from ignrun.terms.states import Condition
from ignrun.terms.verdict import Accepted, Rejected, examined


@pytest.fixture
def read(tmp_path: Path):
    def reader(text: str, name: str = "plant.yaml") -> Any:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return read_manifest(Inputs(str(tmp_path / name), "", str(tmp_path), ""))

    return reader


@pytest.fixture
def manifest(read):
    def reader(text: str, name: str = "plant.yaml") -> Manifest:
        verdict = read(text, name)
        assert isinstance(verdict, Accepted), verdict.diagnostics
        found: Manifest = verdict.value
        return found

    return reader


def test_a_plant_is_named_like_its_file_unless_it_says(manifest) -> None:
    assert manifest("modules: {}", "Line 4_north.yaml").name == "line-4-north"
    assert manifest("modules: {}", "4.yaml").name == "plant-4"
    assert manifest("modules: {}", "é.yaml").name == "plant"
    assert manifest("metadata: {name: north}\n").name == "north"


def test_modules_keep_their_order_and_the_place_of_their_names(manifest) -> None:
    found = manifest("modules:\n  b: {command: [b]}\n  a: {entry: 'x:A'}\n  c: {uses: com.acme.c}\n")
    assert [*found.modules] == ["b", "a", "c"]
    assert found.modules["a"].span.line == 3
    assert (found.modules["b"].command, found.modules["a"].entry, found.modules["c"].uses) == (
        ["b"],
        "x:A",
        "com.acme.c",
    )
    assert found.modules["c"].where.path == ("modules", "c")


def test_needs_are_bound_in_every_form(manifest) -> None:
    spec = manifest(
        "modules:\n"
        "  web:\n"
        "    command: [web]\n"
        "    requires:\n"
        "      tags: [plc-a, plc-b@client]\n"
        "      db: historian\n"
        "      schema: {module: migrate, condition: completed, on_change: restart, on_crash: restart}\n"
        "      many: {module: [x]}\n"
        "    wants: [alarms@gateway]\n"
        "    after: [warmup]\n"
    ).modules["web"]
    tags, db, schema, many = spec.requires
    assert (tags.slot, tags.targets, tags.many, tags.condition) == (
        "tags",
        ("plc-a", "plc-b@client"),
        True,
        Condition.HEALTHY,
    )
    assert [str(span)[-4:] for span in tags.target_spans] == ["5:14", "5:21"]
    assert (db.targets, db.many) == (("historian",), False)
    assert (schema.condition, schema.on_change, schema.on_crash) == (Condition.COMPLETED, "restart", "restart")
    assert schema.span.line == 7
    assert many.many
    assert (spec.wants[0].slot, spec.wants[0].targets) == ("alarms", ("alarms@gateway",))
    assert (spec.after[0].slot, spec.after[0].targets) == ("", ("warmup",))


def test_policies_lie_over_the_defaults(manifest) -> None:
    found = manifest(
        "defaults: {lifecycle: {start_timeout: 1m, restart: {backoff: 2s}}, health: {interval: 5s}}\n"
        "modules:\n"
        "  a: {command: [a]}\n"
        "  b: {command: [b], lifecycle: {stop_timeout: 500ms, restart: never}, health: {failures: 1, check: ready}}\n"
        "  c: {command: [c], lifecycle: {restart: {policy: on-failure, threshold: 2, half_life: 1h30m}}}\n"
    ).modules
    base = Lifecycle(start_timeout=60.0, backoff=2.0)
    assert found["a"].lifecycle == base
    assert found["a"].health == HealthPolicy(interval=5.0)
    assert found["b"].lifecycle == msgspec.structs.replace(base, stop_timeout=0.5, restart="never")
    assert found["b"].health == HealthPolicy(interval=5.0, failures=1, check="ready")
    assert found["c"].lifecycle == msgspec.structs.replace(base, restart="on-failure", threshold=2, half_life=5400.0)


def test_commands_know_how_they_end(manifest) -> None:
    found = manifest(
        "modules:\n"
        "  a: {command: [a], oneshot: true, stop: {signal: SIGINT}}\n"
        "  b: {command: [b], oneshot: {rerun: manual}}\n"
        "  c: {command: [c], oneshot: false, ready: {exec: [pg_isready]}}\n"
    ).modules
    assert [found[name].oneshot for name in "abc"] == [Oneshot(), Oneshot("manual"), None]
    assert found["a"].stop == StopPolicy("INT")
    assert found["c"].ready == {"exec": ["pg_isready"]}


def test_paths_become_absolute_beside_the_manifest(manifest, tmp_path: Path) -> None:
    found = manifest(
        "env_files: [.env, {path: ../b.env, optional: true}]\n"
        "sources: [{path: ./modules}]\n"
        "secrets: {A: {file: a.pw}, B: {env: B_PW}, C: {exec: [pass, c]}}\n"
        "modules: {}\n"
    )
    assert found.env_files == (
        EnvFile(str(tmp_path / ".env"), False, found.env_files[0].span),
        EnvFile(str(tmp_path.parent / "b.env"), True, found.env_files[1].span),
    )
    assert found.sources[0].path == str(tmp_path / "modules")
    assert [(one.provider, one.argument) for one in found.secrets.values()] == [
        ("file", str(tmp_path / "a.pw")), ("env", "B_PW"), ("exec", ["pass", "c"]),
    ]  # fmt: skip


def test_the_rest_is_taken_over(manifest, tmp_path: Path) -> None:
    found = manifest(
        "metadata: {description: North, labels: {site: a}}\n"
        "vars: {port: 1}\n"
        "activate: [gateway, client]\n"
        "apply: {soak: 0s, deadline: 1m, on_failure: hold}\n"
        "modules:\n"
        "  a: {entry: 'x:A', scopes: [designer], enabled: false, gate: none, isolation: process, config: {x: [null]}}\n"
    )
    assert (found.description, found.labels, found.vars) == ("North", {"site": "a"}, {"port": 1})
    assert found.activate == (ModuleScope.GATEWAY, ModuleScope.CLIENT)
    assert found.apply == ApplyPolicy(0.0, 60.0, "hold")
    assert found.files[0].path == str(tmp_path / "plant.yaml")
    spec = found.modules["a"]
    assert (spec.enabled, spec.gate, spec.isolation, spec.scopes) == (False, "none", "process", (ModuleScope.DESIGNER,))
    assert spec.config == {"x": [None]}


def test_a_refused_manifest_keeps_every_name_and_what_is_sound(read) -> None:
    verdict = read(
        "modules:\n"
        "  a: {command: [a], lifecycle: {start_timeout: never, stop_timeout: 5s}}\n"
        "  b: 5\n"
        "  c: {requires: [a]}\n"
        "  d: {uses: x, command: [d]}\n"
        "  e: {command: [e], requires: {a: a, b: [1]}}\n"
    )
    assert isinstance(verdict, Rejected)
    assert len(verdict.diagnostics) == 5
    found = verdict.sound.modules
    assert [*found] == ["a", "b", "c", "d", "e"]
    assert found["a"].lifecycle.stop_timeout == 5.0
    assert (found["b"].uses, found["b"].entry, found["b"].command) == (None, None, None)
    assert [need.slot for need in found["e"].requires] == ["a", "b"]


def test_a_definition_is_read(tmp_path: Path) -> None:
    file = tmp_path / "module.yaml"
    file.write_text(
        "metadata: {id: com.acme.tags, version: 1.2.0}\nentry: acme.tags:Tags\nscopes: [gateway, designer]\n"
        "requires: {plc: {uses: com.acme.plc, version: '>=1', many: true}}\nwants: {log: {}}\nconfig_schema: {type: object}\n"
    )
    found = examined(read_definition(str(file)))
    assert found is not None
    assert (found.metadata.id, found.metadata.name, found.metadata.version) == (
        "com.acme.tags",
        "com.acme.tags",
        "1.2.0",
    )
    assert (found.entry, found.folder, found.config_schema) == ("acme.tags:Tags", str(tmp_path), {"type": "object"})
    assert [(slot.slot, slot.uses, slot.many, slot.required) for slot in found.slots] == [
        ("plc", "com.acme.plc", True, True), ("log", "", False, False),
    ]  # fmt: skip


def test_a_definition_without_its_id_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "module.yaml"
    file.write_text("metadata: {name: Tags}\nentry: acme.tags:Tags\n")
    assert examined(read_definition(str(file))) is None


def test_a_manifest_survives_a_round_trip(manifest) -> None:
    found = manifest("modules:\n  a: {command: [a], requires: {b: b}}\n  b: {entry: 'x:B', config: {k: [1]}}\n")
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=Manifest) == found
