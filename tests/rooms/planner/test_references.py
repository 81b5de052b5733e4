"""References: what each form stands for, how it is typed, and where files may lie."""

import os

import pytest

from ignrun.terms.leaves import ExportNamed, Literal, SecretNamed
from tests.rooms.planner.reading import accepted, complaints, read, write


def config_of(folder, text, name="a", **more):
    return accepted(folder, text, **more).graph.instances[f"{name}@gateway"].config


def test_an_element_of_for_each_is_seen_by_key_value_and_what_is_in_it(tmp_path):
    text = """\
        modules:
          plc:
            for_each: {filler: {host: 10.4.1.11, port: 4840}, capper: {host: 10.4.1.12, port: 4841}}
            command: [sleep, "${each:key}"]
            config_schema: {type: object, properties: {port: {type: integer}}}
            config: {url: "opc.tcp://${each:value.host}:4840", port: "${each:value.port}", all: "${each:value}"}
        """
    graph = accepted(tmp_path, text).graph
    filler, capper = graph.instances["plc-filler@gateway"], graph.instances["plc-capper@gateway"]
    assert filler.config.plain == {
        "url": "opc.tcp://10.4.1.11:4840",
        "port": 4840,
        "all": {"host": "10.4.1.11", "port": 4840},
    }
    assert capper.config.plain["port"] == 4841
    assert capper.body.argv.plain == ["sleep", "capper"]


def test_a_variable_may_hold_references_and_what_the_caller_gives_may_not(tmp_path):
    text = """\
        vars: {host: "${env:HOST}", url: "http://${var:host}:${var:port}/", port: 80, list: ["${var:host}", 2]}
        modules:
          a: {command: [echo], config: {url: "${var:url}", list: "${var:list}"}}
        """
    config = config_of(tmp_path, text, environment={"HOST": "plc"}, vars={"port": "8080"})
    assert config.plain == {"url": "http://plc:8080/", "list": ["plc", 2]}
    given = config_of(tmp_path, text, environment={"HOST": "plc"}, vars={"host": "${env:HOST}"})
    assert given.plain["url"] == "http://${env:HOST}:80/"


def test_a_secret_in_a_variable_taints_what_uses_it(tmp_path):
    text = 'vars: {login: "user:${secret:PW}"}\nmodules: {a: {command: [echo], config: {url: "http://${var:login}@plc"}}}\n'
    [pending] = config_of(tmp_path, text).pending
    assert pending.tainted
    assert pending.parts == (Literal("http://"), Literal("user:"), SecretNamed("PW"), Literal("@plc"))


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ('{a: "${var:a}"}', "IGN308 `${var:a}` leads back to itself (remove one of these references)"),
        ('{a: "${var:b}", b: "x${var:a}"}', "IGN308 `${var:a}` leads back to itself (remove one of these references)"),
        ('{a: ["${secret:PW}"]}', "IGN308 `${var:a}` holds a value that is known only at apply"),
        ('{a: "${var:xyz}", b: 1}', "IGN317 there is no variable `xyz` (there is `a`, `b`)"),
    ],
)
def test_a_variable_that_leads_nowhere_is_told(tmp_path, variables, told):
    found = complaints(
        tmp_path, f'vars: {variables}\nmodules: {{a: {{command: [echo], config: {{x: "${{var:a}}"}}}}}}\n'
    )
    assert any(told in line for line in found), found


# --- files ------------------------------------------------------------------------------------------------------------


def test_the_text_of_a_file_is_taken_as_it_is_and_counts_as_an_input(tmp_path):
    write(tmp_path, "page.html", "<b>${env:X}</b>\n")
    write(tmp_path, "port.txt", "8099\n")
    text = """\
        modules:
          a:
            command: [echo]
            config_schema: {type: object, properties: {port: {type: integer}, page: {type: string}}}
            config: {page: "${file:page.html}", port: "${file:./port.txt}"}
        """
    first = accepted(tmp_path, text)
    assert first.graph.instances["a@gateway"].config.plain == {"page": "<b>${env:X}</b>\n", "port": 8099}
    assert [file.path for file in first.files if file.role == "file"] == [
        str(tmp_path / "page.html"),
        str(tmp_path / "port.txt"),
    ]
    write(tmp_path, "page.html", "other")
    assert accepted(tmp_path, text).target != first.target


def test_a_file_is_found_beside_the_text_that_names_it(tmp_path):
    write(tmp_path, "lines/one.txt", "one")
    write(tmp_path, "lines/more.yaml", 'modules: {b: {command: [echo], config: {x: "${file:one.txt}"}}}\n')
    text = "include: [lines/more.yaml]\nmodules: {a: {command: [echo]}}\n"
    assert config_of(tmp_path, text, "b").plain == {"x": "one"}


@pytest.mark.parametrize("name", ["../out.txt", "link.txt", "folder/out.txt", "/etc/hostname"])
def test_a_file_outside_of_the_root_is_refused_also_behind_a_link(tmp_path, name):
    write(tmp_path, "out.txt", "canary")
    plant = tmp_path / "plant"
    plant.mkdir()
    (plant / "link.txt").symlink_to(tmp_path / "out.txt")
    (plant / "folder").symlink_to(tmp_path)
    [told] = complaints(plant, f'modules: {{a: {{command: [echo], config: {{x: "${{file:{name}}}"}}}}}}\n')
    assert "IGN107" in told
    assert "canary" not in told


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda path: None, "IGN101"),
        (lambda path: path.mkdir(), "IGN102"),
        (os.mkfifo, "IGN102"),
        (lambda path: path.write_bytes(b"\xff\xfe"), "IGN105"),
        (lambda path: path.write_bytes(b"a\0b"), "IGN106"),
        (lambda path: path.write_bytes(b"a" * (4 * 2**20 + 1)), "IGN104"),
    ],
)
def test_a_file_that_is_no_text_is_told_where_it_is_named(tmp_path, make, code):
    make(tmp_path / "x.txt")
    [told] = complaints(tmp_path, 'modules:\n  a: {command: [echo], config: {x: "${file:x.txt}"}}\n')
    assert told.startswith(f"2:36 {code} ")


def test_every_form_together_in_one_value(tmp_path):
    write(tmp_path, "f.txt", "F")
    text = """\
        vars: {v: V}
        modules:
          up: {command: [echo], exports: {url: x}, ready: {log: up}}
          a:
            command: [echo]
            config:
              x: "${var:v}-${env:E:-D}-${file:f.txt}-${dir:log}-$${secret:PW}-$$-${secret:S}-${module:up.exports.url}"
        """
    [pending] = config_of(tmp_path, text).pending
    assert pending.parts == (
        Literal("V"),
        Literal("-"),
        Literal("D"),
        Literal("-"),
        Literal("F"),
        Literal("-"),
        Literal(f"{tmp_path}/.state/logs/a@gateway"),
        Literal("-${secret:PW}-$$-"),
        SecretNamed("S"),
        Literal("-"),
        ExportNamed("up@gateway", "url"),
    )


def test_what_is_known_at_apply_is_said_once_for_each_name(tmp_path):
    text = (
        'modules: {a: {command: [echo], config: {x: "${env:A}", y: "${env:A}", z: "${secret:B}", w: "${secret:B}"}}}\n'
    )
    assert [line.split(" ", 1)[1] for line in complaints(tmp_path, text)] == [
        "IGN506 the variable `A` is not set: known at apply",
        "IGN506 the secret `B` is not set: known at apply",
    ]
    assert read(tmp_path, text, environment={"A": "1"}).verdict.value.environment == {"A": "1"}
