"""Config: layers, references, types, secrets, and every mistake at its place."""

import pytest

from ignrun.terms.diagnostics import Severity
from ignrun.terms.leaves import ExportNamed, Pending, SecretNamed
from tests.rooms.planner.reading import accepted, complaints, read, write

HISTORIAN = """\
modules:
  historian:
    command: [echo]
    config_schema:
      type: object
      additionalProperties: false
      required: [path]
      properties:
        path: {type: string}
        flush: {x-ignrun-type: duration, default: 1s}
        cache: {x-ignrun-type: size, default: 1MiB}
        port: {x-ignrun-type: port}
        ratio: {type: number}
        live: {type: boolean}
        password: {type: string, x-ignrun-secret: true}
        tags: {type: array, items: {type: string}}
        nested: {type: object, properties: {deep: {type: integer, default: 7}, flat: {type: string}}}
    config: CONFIG
"""


def config_of(folder, config, **more):
    return accepted(folder, HISTORIAN.replace("CONFIG", config), **more).graph.instances["historian@gateway"]


def test_defaults_are_filled_and_durations_and_sizes_arrive_as_numbers(tmp_path):
    plain = config_of(tmp_path, "{path: /x, nested: {}}").config.plain
    assert plain == {"path": "/x", "nested": {"deep": 7}, "flush": 1.0, "cache": 1024 * 1024}


def test_layers_go_default_config_environment_option_and_each_value_remembers_its_own(tmp_path):
    found = config_of(
        tmp_path,
        "{path: /x, ratio: 1, port: 1}",
        environment={"IGN_HISTORIAN__RATIO": "0.5", "IGN_HISTORIAN__PORT": "2", "IGN_OTHER__X": "1"},
        sets=("historian.port=3",),
    )
    assert found.config.plain == {"path": "/x", "ratio": 0.5, "port": 3, "flush": 1.0, "cache": 1048576}
    layers = {origin.path[0]: (origin.layer, str(origin.span)) for origin in found.origins}
    assert layers == {
        "path": ("config", f"{tmp_path}/plant.yaml:18:20"),
        "ratio": ("environment", "$IGN_HISTORIAN__RATIO:1:1"),
        "port": ("set", "--set:1:1"),
        "flush": ("default", f"{tmp_path}/plant.yaml:10:51"),
        "cache": ("default", f"{tmp_path}/plant.yaml:11:47"),
    }


def test_objects_merge_by_key_lists_replace_and_null_removes(tmp_path):
    found = config_of(
        tmp_path,
        "{path: /x, tags: [a, b], nested: {flat: y}, cache: null}",
        sets=('historian.tags=["c"]', "historian.nested.deep=9", "historian.flush=null"),
    )
    assert found.config.plain["tags"] == ["c"]
    assert found.config.plain["nested"] == {"flat": "y", "deep": 9}
    assert set(found.config.plain) == {"path", "tags", "nested"}


def test_an_override_of_an_unknown_key_or_module_is_an_error(tmp_path):
    text = HISTORIAN.replace("CONFIG", "{path: /x}")
    told = complaints(
        tmp_path, text, environment={"IGN_HISTORIAN__PORTT": "1"}, sets=("historan.port=1", "historian=3")
    )
    assert told == [
        "1:1 IGN204 unknown key `portt` in config of module `historian` (did you mean `port`?)",
        "1:1 IGN301 there is no module `historan` to set `port` of (did you mean `historian`?)",
        "2:1 IGN206 `--set historian` sets nothing (write `--set NAME.PATH=VALUE`)",
    ]


def test_references_take_the_type_that_the_schema_asks_for(tmp_path):
    environment = {"PORT": "8080", "RATIO": "0.25", "LIVE": "true", "FLUSH": "250ms", "N": "3"}
    found = config_of(
        tmp_path,
        '{path: "${dir:data}/h-${env:N}", port: "${env:PORT}", ratio: "${env:RATIO}", live: "${env:LIVE}",'
        ' flush: "${env:FLUSH}", tags: ["$${env:N}", "${env:NONE:-none}"]}',
        environment=environment,
    )
    assert found.config.plain == {
        "path": f"{tmp_path}/.state/data/historian@gateway/h-3",
        "port": 8080,
        "ratio": 0.25,
        "live": True,
        "flush": 0.25,
        "cache": 1048576,
        "tags": ["${env:N}", "none"],
    }


def test_a_value_is_never_parsed_again(tmp_path):
    environment = {"EVIL": "${secret:PW}", "IGN_HISTORIAN__RATIO": "1"}
    found = config_of(tmp_path, '{path: "${env:EVIL}"}', environment=environment)
    assert found.config.plain["path"] == "${secret:PW}"
    assert found.config.pending == ()


def test_variables_come_from_the_manifest_and_the_caller(tmp_path):
    text = "vars: {port: 1, name: x}\n" + HISTORIAN.replace("CONFIG", '{path: "${var:name}", port: "${var:port}"}')
    found = accepted(tmp_path, text, vars={"port": "2"}).graph.instances["historian@gateway"]
    assert (found.config.plain["path"], found.config.plain["port"]) == ("x", 2)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("{path: /x, intervall: 1}", "18:24 IGN204 unknown key `intervall` in config of module `historian`"),
        (
            "{path: /x, ratio: many}",
            "18:31 IGN220 `ratio` in config of module `historian` is to be a number, not a string",
        ),
        ("{path: /x, port: 70000}", "18:30 IGN222 `port` in config of module `historian` is refused: 70000 is greater"),
        ("{path: /x, flush: 5x}", "18:31 IGN220 `5x` is no duration"),
        ("{ratio: 1}", "18:5 IGN221 config of module `historian` lacks `path`"),
        ('{path: "${env:}"}', "18:20 IGN308 `${env:}` is not a reference"),
        ('{path: "${evn:X}"}', "18:20 IGN308 `${evn:X}` is not a reference (did you mean `env`?)"),
        ('{path: "${env:X"}', "18:20 IGN308 `${env:X` lacks its closing brace"),
        ('{path: "${dir:dta}"}', "18:20 IGN308 there is no folder `dta` (did you mean `data`?)"),
        ('{path: "${var:x}"}', "18:20 IGN317 there is no variable `x`"),
        ('{path: "${config:port}"}', "18:20 IGN308 `${config:port}` cannot stand in the config itself"),
        ('{path: "${module:historian.port}"}', "18:20 IGN308 `${module:historian.port}` names no export"),
        ('{path: /x, port: "${env:PATH}"}', "18:30 IGN220 `${env:PATH}` gives no integer"),
    ],
)
def test_a_mistake_in_config_is_told_at_its_place(tmp_path, config, told):
    [line] = complaints(tmp_path, HISTORIAN.replace("CONFIG", config))
    assert line.startswith(told)


def test_an_unset_variable_is_a_remark_until_it_is_needed(tmp_path):
    text = HISTORIAN.replace("CONFIG", '{path: "${env:WHERE}"}')
    assert complaints(tmp_path, text) == ["18:20 IGN506 the variable `WHERE` is not set: known at apply"]
    pending = accepted(tmp_path, text).graph.instances["historian@gateway"].config.pending
    assert [one.path for one in pending] == [("path",)]
    error = "18:20 IGN501 the variable `WHERE` is not set (set it, or write `${env:WHERE:-default}`)"
    assert complaints(tmp_path, text, strict_env=True) == [error]
    assert complaints(tmp_path, text, for_apply=True) == [error]
    message = HISTORIAN.replace("CONFIG", '{path: "${env:WHERE:?say where}"}')
    assert complaints(tmp_path, message, for_apply=True) == ["18:20 IGN501 the variable `WHERE` is not set (say where)"]


def test_env_files_feed_references_and_the_caller_wins(tmp_path):
    write(tmp_path, ".env", "WHERE=/file\nOTHER='$WHERE'\n")
    text = "env_files: [.env]\n" + HISTORIAN.replace("CONFIG", '{path: "${env:WHERE}${env:OTHER}"}')
    found = accepted(tmp_path, text)
    assert found.graph.instances["historian@gateway"].config.plain["path"] == "/file$WHERE"
    assert found.environment == {"WHERE": "/file", "OTHER": "$WHERE"}
    assert [file.role for file in found.files] == ["manifest", "env"]
    shell = accepted(tmp_path, text, environment={"WHERE": "/shell"})
    assert shell.graph.instances["historian@gateway"].config.plain["path"] == "/shell$WHERE"


def test_a_broken_line_of_an_env_file_is_told_with_its_number(tmp_path):
    write(tmp_path, ".env", "A=1\nB='open\nC=3\n")
    text = "env_files: [.env, gone.env, {path: maybe.env, optional: true}]\nmodules: {a: {command: [echo]}}\n"
    told = complaints(tmp_path, text)
    assert told[0].startswith("2:1 IGN505 a line of the env file cannot be read")
    assert told[1].startswith("1:19 IGN504 the env file")
    assert len(told) == 2


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_a_secret_stays_a_name_and_its_text_travels_beside_the_verdict_for_an_apply_only(tmp_path):
    text = HISTORIAN.replace("CONFIG", '{path: /x, password: "${secret:PW}"}')
    environment = {"PW": "hunter2"}
    reading = read(tmp_path, text, environment=environment, for_apply=True)
    graph = reading.verdict.value.graph
    spec = graph.instances["historian@gateway"]
    assert spec.config.pending == (Pending(("password",), (SecretNamed("PW"),), "string"),)
    assert spec.secrets == (("password",),)
    assert graph.secrets == ("PW",)
    assert reading.secrets == {"PW": "hunter2"}
    assert "PW" in reading.verdict.value.names
    assert "hunter2" not in repr(reading)
    assert read(tmp_path, text, environment=environment).secrets == {}


def test_a_secret_that_is_not_to_be_had_is_an_error_of_an_apply(tmp_path):
    text = HISTORIAN.replace("CONFIG", '{path: /x, password: "${secret:PW}"}')
    assert complaints(tmp_path, text) == ["18:34 IGN506 the secret `PW` is not set: known at apply"]
    [told] = complaints(tmp_path, text, for_apply=True)
    assert told.startswith("18:34 IGN502 the secret `PW` is not to be had")


def test_secrets_come_from_where_the_manifest_says(tmp_path):
    write(tmp_path, "pw.txt", "from a file\n")
    write(tmp_path, "cred/C", "from the credentials folder\n")
    text = """\
        secrets:
          A: {env: OTHER_NAME}
          B: {file: pw.txt}
          D: {exec: [echo, from a program]}
        modules:
          m: {command: [echo], env: {A: "${secret:A}", B: "${secret:B}", C: "${secret:C}", D: "x-${secret:D}"}}
        """
    environment = {"OTHER_NAME": "from the environment", "CREDENTIALS_DIRECTORY": str(tmp_path / "cred")}
    reading = read(tmp_path, text, environment=environment, for_apply=True)
    assert reading.secrets == {
        "A": "from the environment",
        "B": "from a file",
        "C": "from the credentials folder",
        "D": "from a program",
    }


def test_a_literal_secret_is_refused_and_its_line_masked(tmp_path):
    reading = read(tmp_path, HISTORIAN.replace("CONFIG", "{path: /x, password: hunter2, ratio: no}"))
    diagnostics = reading.verdict.diagnostics
    assert [one.code for one in diagnostics] == ["IGN224", "IGN220"]
    assert diagnostics[0].hint == "write `${secret:HISTORIAN_PASSWORD}`"
    assert not any("hunter2" in repr(one) for one in diagnostics)


def test_a_variable_in_the_clear_does_not_fill_a_secret_but_an_overriding_one_does(tmp_path):
    text = HISTORIAN.replace("CONFIG", '{path: /x, password: "${env:PW}"}')
    assert "IGN224" in complaints(tmp_path, text, environment={"PW": "hunter2"})[0]
    reading = read(
        tmp_path,
        HISTORIAN.replace("CONFIG", "{path: /x}"),
        environment={"IGN_HISTORIAN__PASSWORD": "hunter2"},
        for_apply=True,
    )
    assert reading.secrets == {"IGN_HISTORIAN__PASSWORD": "hunter2"}
    assert "hunter2" not in repr(reading.verdict)


def test_a_secret_in_the_arguments_of_a_command_is_refused(tmp_path):
    text = 'modules:\n  a:\n    command: [echo, "--pw=${secret:PW}"]\n'
    [told] = complaints(tmp_path, text, environment={"PW": "x"})
    assert told.startswith("3:21 IGN503 a secret would stand in the arguments of `a`")


# --- commands ---------------------------------------------------------------------------------------------------------


def test_a_command_sees_its_own_resolved_config(tmp_path):
    text = """\
        modules:
          web:
            command: [echo, "${config:port}", "${config:deep.list.0}"]
            env: {PORT: "${config:port}", N: 5, ON: true}
            config: {port: 8099, deep: {list: [first]}, up: "${module:other.exports.url}"}
            ready: http://127.0.0.1:${config:port}/
            health: {check: "tcp:${config:port}"}
            exports: {url: "http://127.0.0.1:${config:port}/", port: "${config:port}"}
          other: {command: [echo], exports: {url: x}, ready: {log: up}}
        """
    graph = accepted(tmp_path, text).graph
    body, other = graph.instances["web@gateway"].body, graph.instances["other@gateway"].body
    assert body.argv.plain == ["echo", "8099", "first"]
    assert body.env.plain == {"PORT": "8099", "N": "5", "ON": "true"}
    assert body.ready.plain == {"http": "http://127.0.0.1:8099/"}
    assert body.check.plain == {"tcp": 8099}
    assert body.cwd == str(tmp_path)
    assert graph.instances["web@gateway"].exports.plain == {"url": "http://127.0.0.1:8099/", "port": 8099}
    assert graph.instances["web@gateway"].config.pending[0].parts == (ExportNamed("other@gateway", "url"),)
    assert other.ready.plain == {"log": "up"}
    assert other.check is None


def test_a_program_that_does_not_exist_is_told_before_anything_runs(tmp_path):
    write(tmp_path, "plain.txt", "x")
    text = """\
        modules:
          a: {command: [no-such-program]}
          b: {command: [./gone.sh]}
          c: {command: [./plain.txt]}
          d: {command: ["${env:PROGRAM}"]}
          e: {command: [python, -V]}
        """
    assert complaints(tmp_path, text, environment={"PROGRAM": "no-such-program"}) == [
        "2:17 IGN307 the command `no-such-program` does not exist (it is in no folder of PATH)",
        f"3:17 IGN307 the command `./gone.sh` does not exist (`{tmp_path}/gone.sh` does not exist)",
        f"4:17 IGN307 the command `./plain.txt` does not exist (`{tmp_path}/plain.txt` may not be executed)",
        "5:17 IGN307 the command `no-such-program` does not exist (it is in no folder of PATH)",
    ]


def test_an_export_that_a_command_does_not_declare_is_told(tmp_path):
    text = """\
        modules:
          a: {command: [echo], exports: {path: /x}}
          b: {command: [echo], config: {p: "${module:a.exports.pth}", q: "${module:c.exports.x}"}}
        """
    assert complaints(tmp_path, text) == [
        "3:36 IGN308 `a` exports no `pth` (did you mean `path`?)",
        "3:66 IGN301 there is no module `c`",
    ]


# --- schemas ----------------------------------------------------------------------------------------------------------


def test_a_schema_may_stand_in_a_file(tmp_path):
    write(tmp_path, "a.schema.json", '{"type": "object", "properties": {"n": {"type": "integer"}}}')
    text = "modules:\n  a: {command: [echo], config_schema: {$ref: a.schema.json}, config: {n: x}}\n"
    [told] = complaints(tmp_path, text)
    assert told.startswith("2:74 IGN220 `n` in config of module `a` is to be an integer")
    (tmp_path / "a.schema.json").unlink()
    [told] = complaints(tmp_path, text)
    assert told.startswith("2:46 IGN101")


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ('{$ref: "http://127.0.0.1:1/s.json"}', "the config schema refers to `http://127.0.0.1:1/s.json`"),
        ('{properties: {a: {$ref: "other.json"}}}', "the config schema refers to `other.json`"),
        ("{type: strnig}", "the config schema is not sound"),
        ("{properties: {a: {x-ignrun-type: durration}}}", "there is no x-ignrun-type `durration`"),
        ('{properties: {a: {$ref: "#/$defs/gone"}}}', "the config schema of module `a` refers to"),
        ('{$ref: "#"}', "the config schema of module `a` refers to itself without end"),
    ],
)
def test_a_schema_that_is_not_sound_is_told_and_nothing_is_fetched(tmp_path, schema, told):
    text = f"modules:\n  a:\n    command: [echo]\n    config_schema: {schema}\n    config: {{a: 1}}\n"
    [line] = complaints(tmp_path, text)
    assert "IGN223" in line
    assert told in line


def test_a_probe_whose_references_lead_to_nothing_that_could_be_asked_is_a_mistake(tmp_path):
    text = (
        "vars: {port: 99999999, url: ftp://x}\n"
        "modules:\n"
        "  a: {command: [echo], ready: 'tcp:${var:port}'}\n"
        "  b: {command: [echo], ready: {http: '${var:url}'}, health: {check: 'tcp:${config:port}'}, config: {port: no}}\n"
    )
    assert complaints(tmp_path, text) == [
        "3:31 IGN206 `99999999` is no tcp probe: a port is a number from 1 to 65535",
        "4:38 IGN206 `ftp://x` is no http probe: a URL of `http` or `https` is needed",
        "4:69 IGN206 `no` is no tcp probe: `no` is no port",
    ]


@pytest.mark.parametrize(
    ("ready", "why"),
    [("", "there is no `ready`"), ("ready: {log: up}, ", "`log` waits to be told, and cannot be asked again")],
)
def test_a_check_that_nobody_can_ask_gets_a_warning(tmp_path, ready, why):
    text = f"modules:\n  a: {{command: [echo], {ready}health: {{check: ready}}}}\n"
    (told,) = read(tmp_path, text).verdict.diagnostics
    assert (told.code, told.severity, told.summary) == (
        "IGN206",
        Severity.WARNING,
        f"nothing checks the health of `a`: {why}",
    )
