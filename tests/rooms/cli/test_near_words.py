"""Holds every word that people write to a question for the near one that may be meant: in manifests and on the command line."""

import os

import pytest

DEFINITION = """\
kind: Module
metadata: {id: com.acme.tags, version: 1.0.0, name: Tags}
entry: job:Tags
wants: {source: {uses: com.acme.tags}}
config_schema:
  type: object
  additionalProperties: false
  properties: {interval: {x-ignrun-type: duration}, mode: {enum: [fast, careful]}}
"""
PLANT = """\
vars: {web_port: 8099}
secrets: {DB_PASSWORD: {env: DB}}
sources: [{path: defs}]
modules:
  poller: {entry: "job:poll"}
"""
WORDS = {
    "key of a document": ("modul: {}\n", "modules"),
    "key of a module": ("  a: {command: [sleep], isolaton: process}\n", "isolation"),
    "key of a config": ("  a: {uses: com.acme.tags, config: {intervall: 2s}}\n", "interval"),
    "word of a key": ("  a: {command: [sleep], gate: healty}\n", "healthy"),
    "word of a config": ("  a: {uses: com.acme.tags, config: {mode: carefull}}\n", "careful"),
    "module": ("  a: {command: [sleep], requires: [poler]}\n", "poller"),
    "module in `wants`": ("  a: {command: [sleep], wants: [poler]}\n", "poller"),
    "module in `after`": ("  a: {command: [sleep], after: [poler]}\n", "poller"),
    "scope of a need": ("  a: {command: [sleep], requires: [poller@gatway]}\n", "gateway"),
    "scope of a module": ("  a: {command: [sleep], scopes: [desinger]}\n", "designer"),
    "id": ("  a: {uses: com.acme.tag}\n", "com.acme.tags"),
    "slot": ("  a: {uses: com.acme.tags, wants: {sorce: poller}}\n", "source"),
    "class or function": ("  a: {entry: 'job:pol'}\n", "poll"),
    "class in other case": ("  a: {entry: 'job:TAGS'}\n", "Tags"),
    "module of Python": ("  a: {entry: 'jobs:poll'}\n", "job"),
    "variable": ("  a: {command: [sleep, '${var:web_prot}']}\n", "web_port"),
    "secret": ("  a: {command: [sleep], env: {A: '${secret:DB_PASWORD}'}}\n", "DB_PASSWORD"),
    "reference": ("  a: {command: [sleep, '${conifg:x}']}\n", "config"),
    "folder": ("  a: {command: [sleep, '${dir:dta}']}\n", "data"),
    "value of the config": ("  a: {command: [sleep, '${config:prt}'], config: {port: 1}}\n", "port"),
    "export": (
        "  a: {command: [sleep], exports: {url: x}}\n  b: {command: [sleep, '${module:a.exports.ulr}']}\n",
        "url",
    ),
    "name of a module": ("  Web: {command: [sleep]}\n", "web"),
}


@pytest.fixture(autouse=True)
def folder(place):
    (place / "defs").mkdir()
    (place / "defs" / "module.yaml").write_text(DEFINITION)
    (place / "job.py").write_text("async def poll(): ...\nclass Tags: ...\n")
    (place / "ignrun.yaml").write_text(PLANT)
    return place


@pytest.mark.parametrize(("text", "meant"), WORDS.values(), ids=[*WORDS])
def test_a_misspelt_word_of_a_manifest_is_asked_about(ignrun, folder, text, meant) -> None:
    (folder / "ignrun.yaml").write_text(PLANT + text if text[0] == " " else text + PLANT)
    assert f"did you mean `{meant}`?" in ignrun("validate").out


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("validte",), "validate"),
        (("explain", "IGN2004"), "IGN204"),
        (("validate", "--scope", "gatway"), "gateway"),
        (("validate", "--set", "poler.x=1"), "poller"),
        (("validate", "--frmat", "json"), "--format"),
    ],
)
def test_a_misspelt_word_of_a_command_line_is_asked_about(ignrun, arguments, meant) -> None:
    ended = ignrun(*arguments)
    assert ended.code in {2, 3}
    assert meant in ended.out + ended.err
    assert "did you mean" in (ended.out + ended.err).lower()


def test_a_misspelt_environment_override_is_asked_about(ignrun, folder, monkeypatch) -> None:
    (folder / "ignrun.yaml").write_text(PLANT + "  a: {uses: com.acme.tags}\n")
    monkeypatch.setenv("IGN_A__INTERVALL", "2s")
    assert "did you mean `interval`?" in ignrun("validate").out


def test_a_path_that_is_not_utf8_is_a_usage_error(ignrun) -> None:
    ended = ignrun("validate", os.fsdecode(b"plant\xff.yaml"))
    assert ended.code == 2
    assert "is not UTF-8" in ended.err
