"""Owns `ignrun watch`: shows the watcher of a plant, holds it back and lets it go on."""

from datetime import UTC, datetime

from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.options import Aim, aims_at_plant, output_option, shown_file
from ignrun.cli.plant import find_plant, runner_of
from ignrun.cli.speech import paint_for, result, say
from ignrun.cli.verb import under, verb_group


@verb_group("watch", "ignrun watch status", "ignrun watch pause")
def command() -> None:
    """Show what watches the files of a plant, hold it back and let it go on.

    `--watch` with `apply` or `run`, or a `watch:` block in the manifest, has every settled edit applied.
    """


@under(command, "status", "ignrun watch status", "ignrun watch status -o json")
@aims_at_plant
@output_option("text", "json")
def status(aim: Aim, output: str) -> ExitCode:
    """Show what is watched, how the last edit ended, and what is held back and why."""
    from ignrun.control.client import Client
    from ignrun.render.watch import FORMAT_VERSION, WatchReport, encode_watch, watch_text

    runner = runner_of(find_plant(aim, looking=True))
    watch = Client(runner.socket).watch()
    if output == "json":
        result(encode_watch(WatchReport(FORMAT_VERSION, runner.plant, watch)))
    else:
        result(watch_text(watch, now=datetime.now(UTC), shown_file=shown_file, paint=paint_for()))
    return ExitCode.DONE


@under(command, "pause", "ignrun watch pause")
@aims_at_plant
def pause(aim: Aim) -> ExitCode:
    """Hold every edit back until `ignrun watch resume`, or until the runner ends."""
    return _steer(aim, "pause", "edits of the files are held back; `ignrun watch resume` lets them through")


@under(command, "resume", "ignrun watch resume")
@aims_at_plant
def resume(aim: Aim) -> ExitCode:
    """Let edits through again, what was suspended among them; what changed meanwhile is applied as one edit."""
    return _steer(aim, "resume", "edits of the files are applied again")


def _steer(aim: Aim, verb: str, done: str) -> ExitCode:
    from ignrun.cli.converge import operator
    from ignrun.control.client import Client

    client = Client(runner_of(find_plant(aim, looking=False)).socket)
    (client.pause_watch if verb == "pause" else client.resume_watch)(operator())
    say(done)
    return ExitCode.DONE
