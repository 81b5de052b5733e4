"""Owns `ignrun logs`: shows what modules wrote, from the log files, whether or not a runner lives."""

from collections.abc import Callable, Iterable

import click

from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.options import Aim, aims_at_plant, output_option
from ignrun.cli.plant import find_plant
from ignrun.cli.speech import paint_for, result
from ignrun.cli.verb import verb
from ignrun.render.logs import LEVELS, at_least, log_text
from ignrun.render.names import GATEWAY
from ignrun.runtime.observe.reader import LogReader
from ignrun.runtime.observe.record import LogRecord, encode_record, log_name
from ignrun.terms.failure import Failure


@verb("logs", "ignrun logs historian", "ignrun logs -f --level warning")
@click.argument("modules", nargs=-1, metavar="[MODULE]...")
@aims_at_plant
@click.option("-f", "--follow", is_flag=True, help="Go on with lines as they come, until Ctrl-C.")
@click.option("--level", type=click.Choice(LEVELS), default="debug", help="Show this level and above.")
@click.option("--lines", type=click.IntRange(min=0), default=100, show_default=True, help="How many of the last lines.")
@output_option("text", "json")
def command(*, modules: tuple[str, ...], aim: Aim, follow: bool, level: str, lines: int, output: str) -> ExitCode:
    """Show the last lines that modules wrote: all modules, or those named; `MODULE@SCOPE` is one instance.

    Reads the log files, so that it also works when nothing runs any more. The runner's own lines are called `runner`.
    """
    plant = find_plant(aim, looking=True)
    folder = plant.folder.logs
    names = tuple(dict.fromkeys(log_name(one) for one in modules))
    unknown = [name for name in names if not (folder / f"{name}.log").exists()]
    if unknown and not follow:
        known = ", ".join(f"`{path.stem}`" for path in sorted(folder.glob("*.log")) if "." not in path.stem)
        raise Failure(f"`{unknown[0]}` has written nothing", f"there are lines of {known}" if known else "")
    addresses = {one for one in modules if "@" in one}
    reader = LogReader(folder, names, _chooser(addresses, level))
    write = _writer(output, [*names] or [path.stem for path in folder.glob("*.log") if "." not in path.stem])
    write(reader.tail(lines))
    if follow:
        for record in reader.follow():
            write([record])
    return ExitCode.DONE


def _chooser(addresses: set[str], level: str) -> Callable[[LogRecord], bool]:
    def accept(record: LogRecord) -> bool:
        return at_least(record.level, level) and (not addresses or record.address in addresses)

    return accept


def _writer(output: str, names: list[str]) -> Callable[[Iterable[LogRecord]], None]:
    paint, longest = paint_for(), max(map(len, names), default=0)

    def write(records: Iterable[LogRecord]) -> None:
        for record in records:
            if output == "json":
                result(encode_record(record))
            else:
                name = record.address.removesuffix(GATEWAY) or "runner"
                result(log_text(record, name=name, width=longest, paint=paint) + "\n")

    return write
