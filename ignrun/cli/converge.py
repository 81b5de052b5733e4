"""Turns a manifest into an accepted reading, and that, through a live runner, into the outcome of an apply."""

import getpass
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from ignrun.cli.exit_codes import ExitCode, code_of_rejection
from ignrun.cli.inputs import inputs_of, read, show_diagnostics
from ignrun.cli.options import Reading as Wish
from ignrun.cli.options import shown_file
from ignrun.cli.plant import Plant, tell_of_former_name
from ignrun.cli.speech import paint_for, say
from ignrun.cli.taking_back import taking_back
from ignrun.manifest.inputs import Inputs
from ignrun.planner.proposal import Base, Proposal, Reading
from ignrun.render.outcome import OutcomeReport, invalid_report

if TYPE_CHECKING:
    from ignrun.control.wire import ApplyOptions, ApplyRequest
    from ignrun.planner.reader.handed import HandedReading
    from ignrun.terms.events import Event

_ALWAYS: Final = ("PATH", "HOME", "LANG", "TZ", "TMPDIR")
"""What children get of the environment whatever the manifest says."""


class Prepared(msgspec.Struct, frozen=True):
    """A manifest that was read for an apply and accepted: nothing else may be handed to a runner."""

    plant: Plant
    manifest: Path
    inputs: Inputs
    proposal: Proposal
    base: Base = Base()
    reading: Reading | None = None

    def handed(self) -> "HandedReading | None":
        """Give the reading for a runner that is started for it: as the answer to what `request_of` will ask; None where it was not made here."""
        from ignrun.planner.reader.handed import HandedReading

        if self.reading is None:
            return None
        inputs = msgspec.structs.replace(self.inputs, environment=_environment_of(self))
        return HandedReading(inputs, self.base, self.reading)


def prepare(
    plant: Plant, manifest: Path, wish: Wish, on_rejected: Callable[[OutcomeReport], None] = lambda _: None
) -> Prepared | ExitCode:
    """Read a manifest for an apply and tell its diagnostics; a code when it is refused, and nothing has been touched."""
    from ignrun.terms.verdict import Accepted

    tell_of_former_name(plant)
    base = _base_of(plant)
    inputs = inputs_for_apply(plant, manifest, wish)
    reading = read(inputs, base)
    verdict = reading.verdict
    show_diagnostics(verdict.diagnostics)
    if not isinstance(verdict, Accepted):
        say("nothing was touched")
        on_rejected(invalid_report(base.generation, verdict.diagnostics))
        return code_of_rejection(verdict.diagnostics)
    return Prepared(plant, manifest, inputs, verdict.value, base, reading)


def inputs_for_apply(plant: Plant, manifest: Path, wish: Wish) -> Inputs:
    """Say what a reading for an apply is given."""
    from ignrun.runtime.journal.folder import fingerprint_key

    key = fingerprint_key(plant.folder) if plant.folder.key.exists() else b""
    return inputs_of(manifest, plant.folder.path, wish, for_apply=True, key=key)


def _base_of(plant: Plant) -> Base:
    """Give what is in force; where nothing runs, what was, as far as that can be read."""
    from ignrun.runtime.journal.current import read_current
    from ignrun.terms.failure import StateFolderFailure

    try:
        current = read_current(plant.folder.path) or Base()
    except StateFolderFailure:
        if plant.runner:
            raise
        return Base()
    return current if plant.runner else Base(last=current.graph)


def show_plan(prepared: Prepared) -> None:
    """Tell what is about to change: every step where something runs already, only the count where everything is new."""
    from ignrun.render.plan import footer, plan_report, plan_text

    plan = prepared.proposal.plan
    report = plan_report(plan)
    if plan.base and not plan.is_empty:
        addresses = prepared.proposal.graph.instances
        say(plan_text(report, addresses=addresses, shown_file=shown_file, paint=paint_for(err=True)).rstrip("\n"))
    else:
        say(footer(report))


class _Begun(BaseException):
    """The apply has begun, and the client does not wait for more."""


def through_runner(
    socket: str, prepared: Prepared, *, options: "ApplyOptions | None" = None, wait: bool
) -> OutcomeReport | None:
    """Have a live runner apply and show its progress; None when the client does not wait for the outcome."""
    from ignrun.cli.progress import shown
    from ignrun.control.client import Client
    from ignrun.terms.events import ApplyBegan

    client = Client(socket)
    interruption = taking_back(prepared.proposal.target, lambda: client.cancel(operator()))
    with shown(prepared.proposal) as tell, interruption as taken:

        def heard(event: "Event") -> None:
            taken.heard(event)
            tell(event)
            if not wait and isinstance(event.body, ApplyBegan):
                raise _Begun

        try:
            outcome = client.apply(request_of(prepared, options), heard)
        except _Begun:
            return None
    if taken.asked and outcome.result != "committed":
        raise Interrupted(outcome)
    return outcome


class Interrupted(KeyboardInterrupt):
    """The operator had the apply taken back; `outcome` says how that went."""

    def __init__(self, outcome: OutcomeReport) -> None:
        """Keep the outcome for who shows it."""
        super().__init__()
        self.outcome = outcome


def request_of(prepared: Prepared, options: "ApplyOptions | None") -> "ApplyRequest":
    """Say what a runner is asked for: of the environment only what the manifest names, and what every child gets."""
    from ignrun.control.wire import ApplyOptions, ApplyRequest

    inputs = prepared.inputs
    return ApplyRequest(
        manifest=inputs.manifest,
        root=inputs.root,
        python=inputs.python,
        modes=inputs.modes,
        vars=inputs.vars,
        sets=inputs.sets,
        scopes=inputs.scopes,
        environment=_environment_of(prepared),
        strict_env=inputs.strict_env,
        locked=inputs.locked,
        allowed=inputs.allowed,
        planning=inputs.planning,
        options=options or ApplyOptions(),
        by=operator(),
    )


def _environment_of(prepared: Prepared) -> dict[str, str]:
    wanted, environment = (*_ALWAYS, *prepared.proposal.names), prepared.inputs.environment
    return {name: environment[name] for name in wanted if name in environment}


def operator() -> str:
    """Name who asks, for the journal."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"
