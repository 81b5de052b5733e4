"""Owns `ignrun logs`: shows what modules wrote, from the log files, whether or not a runner lives."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import click

from ignrun.cli.completing import module_names
from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.options import Aim, aims_at_plant, output_option
from ignrun.cli.plant import Plant, find_plant
from ignrun.cli.since import SINCE
from ignrun.cli.speech import paint_for, result, say
from ignrun.cli.verb import verb
from ignrun.render.logs import log_text
from ignrun.render.names import GATEWAY
from ignrun.runtime.observe.reader import LogReader
from ignrun.runtime.observe.record import LEVELS, RUNNER, LogRecord, encode_record, log_name, rank
from ignrun.terms.failure import Failure
from ignrun.terms.hints import did_you_mean

if TYPE_CHECKING:
    from ignrun.planner.graph.model import Graph


class _Pattern(click.ParamType[re.Pattern[str]]):
    """A regular expression."""

    name = "regex"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> re.Pattern[str]:
        """Compile it; one that is none is a usage error."""
        try:
            return re.compile(str(value))
        except (re.error, RecursionError, OverflowError) as error:
            self.fail(f"`{value}` is not a regular expression: {error}", param, ctx)


PATTERN = _Pattern()


@verb("logs", "ignrun logs historian", "ignrun logs -f --level warning", "ignrun logs --since 10m --grep timeout")
@click.argument("modules", nargs=-1, metavar="[MODULE]...", shell_complete=module_names)
@aims_at_plant
@click.option("-f", "--follow", is_flag=True, help="Go on with lines as they come, until Ctrl-C.")
@click.option("--level", type=click.Choice(LEVELS), default="debug", help="Show this level and above.")
@click.option("--since", type=SINCE, help="Show what is younger: `10m`, `2h`, or a time of day or date.")
@click.option("--grep", type=PATTERN, help="Show lines in whose text this regular expression is found.")
@click.option("--lines", type=click.IntRange(min=0), help="How many of the last lines; 100, or all with --since.")
@output_option("text", "json")
def command(
    *,
    modules: tuple[str, ...],
    aim: Aim,
    follow: bool,
    level: str,
    since: datetime | None,
    grep: re.Pattern[str] | None,
    lines: int | None,
    output: str,
) -> ExitCode:
    """Show the last lines that modules wrote: all modules, or those named; `MODULE@SCOPE` is one instance.

    Reads the log files, so that it also works when nothing runs any more. What was printed in a process that several
    modules share has the name of that host (`gateway`); the runner's own lines are called `runner`.
    """
    plant = find_plant(aim, looking=True)
    folder = plant.folder.logs
    names = tuple(dict.fromkeys(log_name(one) for one in modules))
    unknown = [name for name in names if not (folder / f"{name}.log").exists()]
    if unknown:
        _check_named(unknown, plant, follow=follow)
    addresses = {one for one in modules if "@" in one}
    reader = LogReader(folder, names, _chooser(addresses, level, grep))
    write = _writer(output, [*names] or [path.stem for path in folder.glob("*.log") if "." not in path.stem])
    write(reader.tail(lines if lines is not None or since else 100, since))
    if follow:
        for record in reader.follow():
            write([record])
    return ExitCode.DONE


def _check_named(unknown: list[str], plant: Plant, *, follow: bool) -> None:
    """Refuse a name that no module has; of a module that has written nothing yet, only say so."""
    graph = _graph_in_force(plant)
    modules = {one.module for one in graph.instances.values()} if graph else set()
    spoke = {path.stem for path in plant.folder.logs.glob("*.log") if "." not in path.stem}
    known = ", ".join(f"`{one}`" for one in sorted(spoke))
    strangers = [one for one in unknown if modules and one not in modules | _hosts(graph) | {RUNNER}]
    if strangers:
        hint = did_you_mean(strangers[0], modules | spoke)
        raise Failure(
            f"there is no module `{strangers[0]}`",
            hint or f"there are {', '.join(f'`{one}`' for one in sorted(modules))}",
        )
    if follow:
        return
    if not modules:
        raise Failure(f"`{unknown[0]}` has written nothing", f"there are lines of {known}" if known else "")
    say(f"`{unknown[0]}` has written nothing")


def _hosts(graph: "Graph | None") -> set[str]:
    return {getattr(one.body, "host", RUNNER) for one in graph.instances.values()} if graph else set()


def _graph_in_force(plant: Plant) -> "Graph | None":
    from ignrun.runtime.journal.current import read_current
    from ignrun.terms.failure import StateFolderFailure

    try:
        current = read_current(plant.folder.path)
    except StateFolderFailure:
        return None
    return current.graph if current else None


def _chooser(addresses: set[str], level: str, grep: re.Pattern[str] | None) -> Callable[[LogRecord], bool]:
    least = rank(level)

    def accept(record: LogRecord) -> bool:
        return (
            rank(record.level) >= least
            and (not addresses or record.address in addresses)
            and (grep is None or grep.search(record.text) is not None)
        )

    return accept


def _writer(output: str, names: list[str]) -> Callable[[Iterable[LogRecord]], None]:
    paint, longest = paint_for(), max(map(len, names), default=0)

    def write(records: Iterable[LogRecord]) -> None:
        for record in records:
            if output == "json":
                result(encode_record(record))
            else:
                name = record.address.removesuffix(GATEWAY) or record.host or "runner"
                result(log_text(record, name=name, width=longest, paint=paint) + "\n")

    return write
