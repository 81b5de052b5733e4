"""Turns the verbs into the page docs/reference/cli.md, and the exit codes into docs/reference/exit-codes.md: `python -m tests.rooms.cli.reference`."""

import sys
from collections.abc import Iterator

import click

from ignrun.cli.exit_codes import MEANINGS
from ignrun.cli.group import ignrun
from ignrun.cli.verb import DAILY, MORE, Verb, VerbGroup
from tests.house.tree import ROOT

CLI_PAGE = ROOT / "docs" / "reference" / "cli.md"
CODES_PAGE = ROOT / "docs" / "reference" / "exit-codes.md"

_WRITTEN = "<!-- written by `python -m tests.rooms.cli.reference`; a test compares it with the code -->"


def top() -> click.Context:
    return click.Context(ignrun, info_name="ignrun", **ignrun.context_settings)


def verb_named(name: str) -> Verb:
    command = ignrun.get_command(top(), name)
    assert isinstance(command, Verb)
    return command


def cli_page() -> str:
    lines = ["# Commands", "", _WRITTEN, ""]
    lines += ["`ignrun VERB --help` shows the same. Every verb ends with one of the [exit codes](exit-codes.md).", ""]
    for title, table in (("Daily", DAILY), ("More", MORE)):
        lines += [f"## {title}", "", "| verb | does |", "| --- | --- |"]
        lines += [f"| [{name}](#ignrun-{name}) | {line} |" for name, line in table.items()]
        lines.append("")
    for name in (*DAILY, *MORE):
        lines += _verb_lines(name)
    return "\n".join(lines)


def _verb_lines(name: str) -> Iterator[str]:
    command = verb_named(name)
    context = click.Context(command, info_name=name, parent=top())
    yield from (f"## ignrun {name}", "")
    yield from _command_lines(command, context)
    if isinstance(command, VerbGroup):
        for word, inner in command.commands.items():
            assert isinstance(inner, Verb)
            yield from (f"### ignrun {name} {word}", "")
            yield from _command_lines(inner, click.Context(inner, info_name=word, parent=context))


def _command_lines(command: Verb, context: click.Context) -> Iterator[str]:
    yield from ("```", f"{context.command_path} {' '.join(command.collect_usage_pieces(context))}", "```", "")
    yield from (*_paragraphs(command.help or ""), "")
    options = [
        record
        for one in command.get_params(context)
        if isinstance(one, click.Option) and (record := one.get_help_record(context))
    ]
    yield from ("| option | |", "| --- | --- |")
    yield from (f"| `{option}` | {text} |" for option, text in map(_escaped, options))
    yield from ("", "```", *command.examples, "```", "")


def _escaped(record: tuple[str, str]) -> tuple[str, str]:
    option, text = record
    return option.replace("|", "\\|"), text.replace("|", "\\|")


def _paragraphs(text: str) -> list[str]:
    return "\n".join(line.strip() for line in text.strip().splitlines()).splitlines()


def codes_page() -> str:
    lines = ["# Exit codes", "", _WRITTEN, "", "| code | means |", "| --- | --- |"]
    lines += [f"| {int(code)} | {meaning} |" for code, meaning in MEANINGS.items()]
    return "\n".join([*lines, ""])


def main() -> int:
    CLI_PAGE.write_text(cli_page(), encoding="utf-8")
    CODES_PAGE.write_text(codes_page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
