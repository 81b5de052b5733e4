"""Turns this process into the runner of a plant: progress first, then what the modules write, until Ctrl-C."""

from collections import deque
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from ignrun.cli.converge import Prepared
from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.progress import Told, plain_lines, shown
from ignrun.cli.speech import paint_for, say
from ignrun.cli.unhurried import Unhurried
from ignrun.render.logs import log_text
from ignrun.render.names import GATEWAY, short_names
from ignrun.render.outcome import OutcomeReport, outcome_text
from ignrun.terms.events import ApplyEnded

if TYPE_CHECKING:
    from ignrun.control.wire import ApplyOptions
    from ignrun.runtime.observe.record import LogRecord
    from ignrun.terms.events import Event

_HELD_BACK: Final = 1000  # lines shown once the progress is over; the log files have the others


def become_runner(prepared: Prepared, *, options: "ApplyOptions", listen: str = "", until: str = "") -> int:
    """Run the plant until it goes down and give the exit code; raises LockHeld when somebody else runs it."""
    from ignrun.runner.foreground import RunOptions, run_plant

    with Unhurried() as output, ExitStack() as progress:
        stage = _Stage(prepared, progress, output)
        heard = RunOptions(
            options, listen, until=until, on_event=stage.told, on_outcome=stage.ended, on_log=stage.logged
        )
        code = run_plant(prepared.plant.name, prepared.inputs, heard)
    if code in _INTERRUPTED:
        say("Interrupted: the plant was taken down.")
    return code


_INTERRUPTED: Final = frozenset({ExitCode.INTERRUPTED, ExitCode.TERMINATED})


class _Stage:
    """What is shown when: progress and no logs until the outcome, afterwards logs and what happens to the modules."""

    def __init__(self, prepared: Prepared, progress: ExitStack, output: Unhurried) -> None:
        self._output = output
        names = [spec.module for spec in prepared.proposal.graph.instances.values()]
        self._short = short_names(prepared.proposal.graph.instances)
        self._width = max(map(len, names), default=0)
        self._progress = progress
        self._tell: Told = progress.enter_context(shown(prepared.proposal, output.say))
        self._waiting: deque[LogRecord] | None = deque(maxlen=_HELD_BACK)
        self._answered = 0
        self._paint = paint_for()

    def told(self, event: "Event") -> None:
        """Show an event; the end of the first apply has been shown as its outcome."""
        if not (isinstance(event.body, ApplyEnded) and event.body.transaction == self._answered):
            self._tell(event)

    def ended(self, outcome: OutcomeReport) -> None:
        """Show the outcome of the apply and let the logs through."""
        self._progress.close()
        self._answered = outcome.transaction
        self._tell = plain_lines(self._short, self._output.say)
        broken_off = outcome.result == "refused" and outcome.summary.endswith("the plant is going down")
        said = (
            "The apply was broken off: the plant is being taken down."
            if broken_off
            else outcome_text(outcome, self._short)
        )
        self._output.say(said.rstrip("\n"))
        held_back, self._waiting = self._waiting or (), None
        for record in held_back:
            self.logged(record)

    def logged(self, record: "LogRecord") -> None:
        """Show a line that a module wrote, or hold it back while progress is shown."""
        if self._waiting is not None:
            self._waiting.append(record)
            return
        name = record.address.removesuffix(GATEWAY) or record.host or "runner"
        self._output.result(log_text(record, name=name, width=self._width, paint=self._paint) + "\n")
