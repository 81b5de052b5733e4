"""Holds the help to the tables, to the reference page and to the files of the verbs."""

import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

import ignrun.cli as room
from ignrun.cli.group import ignrun as group
from ignrun.cli.verb import DAILY, MORE, Verb, VerbGroup
from tests.rooms.cli.reference import CLI_PAGE, cli_page, top, verb_named

VERBS = (*DAILY, *MORE)


def test_help_shows_a_dozen_daily_verbs_first(ignrun) -> None:
    shown = ignrun("--help").out
    assert len(DAILY) == 12
    assert shown.index("Daily:") < shown.index("  apply ") < shown.index("More:") < shown.index("  ps ")


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_says_in_help_what_its_table_says_and_shows_an_example_that_parses(name) -> None:
    command = verb_named(name)
    assert command.name == name
    assert command.help
    assert command.examples
    for example in command.examples:
        words = example.partition(" > ")[0].split()
        assert words[:2] == ["ignrun", name]
        command.make_context(name, words[2:], parent=top())


@pytest.mark.parametrize("name", VERBS)
def test_help_of_a_verb_ends_with_its_examples(ignrun, name) -> None:
    ended = ignrun(name, "--help")
    assert ended.code == 0
    assert ended.out.rstrip().endswith(verb_named(name).examples[-1])


@pytest.mark.parametrize("name", [name for name in VERBS if isinstance(verb_named(name), VerbGroup)])
def test_the_verbs_of_a_verb_have_help_and_examples_that_parse(name) -> None:
    group = verb_named(name)
    assert isinstance(group, VerbGroup)
    for word, inner in group.commands.items():
        assert isinstance(inner, Verb)
        assert inner.help
        assert inner.examples
        for example in inner.examples:
            words = shlex.split(example)
            assert words[:3] == ["ignrun", name, word]
            inner.make_context(word, words[3:], parent=top())


def test_the_reference_page_and_help_agree() -> None:
    assert CLI_PAGE.read_text(encoding="utf-8") == cli_page()


def test_an_unknown_verb_is_a_usage_error_that_names_the_nearest(ignrun) -> None:
    ended = ignrun("valdate")
    assert ended.code == 2
    assert "there is no verb `valdate`; did you mean `validate`?" in ended.err


def test_a_wrong_option_is_a_usage_error(ignrun) -> None:
    assert ignrun("plan", "--nonsense").code == 2
    assert "`web_port` is not of the form NAME=VALUE" in ignrun("plan", "--var", "web_port").err


def test_the_version_is_one_line(ignrun) -> None:
    assert ignrun("--version").out == "ignrun 0.1.0\n"


def test_the_group_can_be_mounted_in_another_program() -> None:
    assert room.ignrun is group
    other = click.Group("other", {"module": room.ignrun})
    from click.testing import CliRunner

    done = CliRunner().invoke(other, ["module", "explain", "IGN204"])
    assert (done.exit_code, done.output.splitlines()[0]) == (0, "IGN204: unknown key")
    assert CliRunner().invoke(other, ["module", "restart", "web"]).exit_code == 13


def test_python_m_ignrun_is_the_same_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ignrun", "--version"], check=False, capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stdout) == (0, "ignrun 0.1.0\n")


def test_the_reference_names_no_folder_of_this_machine() -> None:
    assert str(Path.cwd()) not in cli_page()
