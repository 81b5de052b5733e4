"""Owns `ignrun apply`: converges a plant to its manifest and answers with the outcome."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import click

from ignrun.cli.background import apply_detached, standing_by, that_answers
from ignrun.cli.converge import Interrupted, Prepared, prepare, show_plan, through_runner
from ignrun.cli.converging import listen_option, says_how_to_apply
from ignrun.cli.exit_codes import ExitCode, code_of_result
from ignrun.cli.options import Aim, Reading, aims_at_plant, output_option, reads_manifest
from ignrun.cli.planning import says_what_to_plan
from ignrun.cli.plant import Plant, no_runner, plant_to_read
from ignrun.cli.speech import ask_to_go_on, result, say
from ignrun.cli.verb import verb
from ignrun.render.outcome import OutcomeReport, encode_outcome, outcome_text
from ignrun.terms.failure import Failure

if TYPE_CHECKING:
    from ignrun.control.wire import ApplyOptions


@verb("apply", "ignrun apply manifests/demo.yaml -d", "ignrun apply --dry-run --var web_port=9000")
@reads_manifest
@aims_at_plant
@click.option("-d", "--detach", is_flag=True, help="Start the runner in the background; return at the outcome.")
@click.option("--no-start", is_flag=True, help="End with 13 when no runner is alive, instead of starting one.")
@says_what_to_plan
@says_how_to_apply
@listen_option
@click.option("--dry-run", is_flag=True, help="Show the plan and stop.")
@click.option("--no-wait", is_flag=True, help="Return when the runner has begun.")
@click.option(
    "-y", "--yes", is_flag=True, help="Do not ask before something is deleted or replaced; asks only on a terminal."
)
@output_option("text", "json")
def command(
    *,
    aim: Aim,
    reading: Reading,
    detach: bool,
    no_start: bool,
    options: "ApplyOptions",
    listen: str,
    dry_run: bool,
    no_wait: bool,
    yes: bool,
    output: str,
) -> int:
    """Change a plant to what its manifest says: only what differs, in order, and answer with the outcome.

    A live runner is handed the manifest. Without one this command becomes the runner, or starts one with -d.
    """
    from ignrun.cli.written_plan import taken_up

    aim, reading = taken_up(aim, reading)
    plant, manifest = plant_to_read(aim)
    if no_start and not dry_run and plant.runner is None:
        raise no_runner(plant)
    _check_door(plant, listen)
    with ExitStack() as stack:
        standby = (
            stack.enter_context(standing_by(plant, manifest, listen)) if _will_detach(plant, detach, dry_run) else None
        )
        prepared = prepare(plant, manifest, reading, _as_json if output == "json" else lambda _: None)
        if not isinstance(prepared, Prepared):
            return prepared
        show_plan(prepared)
        if dry_run:
            _show_dry(prepared, output)
            return ExitCode.DONE
        if not yes:
            _ask(prepared)
        record = plant.runner
        if record is None and not detach:
            from ignrun.cli.foreground import become_runner

            say(f"no runner is alive for plant `{plant.name}`: this command becomes it, Ctrl-C takes it down")
            return become_runner(prepared, options=options, listen=listen)
        try:
            with _goes_on(plant):
                if record is None:
                    outcome = apply_detached(prepared, standby, options=options, wait=not no_wait)
                else:
                    record = that_answers(plant) or record
                    outcome = through_runner(record.socket, prepared, options=options, wait=not no_wait)
        except Interrupted as taken_back:
            _answered(taken_back.outcome, prepared, output)
            return ExitCode.INTERRUPTED
    return _answered(outcome, prepared, output)


def _show_dry(prepared: Prepared, output: str) -> None:
    """Give a program the plan that people have just been shown."""
    from ignrun.render.plan import encode_plan, plan_report

    if output == "json":
        result(encode_plan(plan_report(prepared.proposal.plan)))


def _check_door(plant: Plant, listen: str) -> None:
    """Refuse a door for a runner that lives already: it opens none later."""
    if listen and (record := plant.runner):
        hint = "leave `--listen` out, or `ignrun down` first"
        raise Failure(f"the runner of plant `{plant.name}` (pid {record.pid}) lives already and opens no door", hint)


def _as_json(outcome: OutcomeReport) -> None:
    result(encode_outcome(outcome))


@contextmanager
def _goes_on(plant: Plant) -> Iterator[None]:
    """Say, when the operator no longer waits, that the runner does not care."""
    try:
        yield
    except Interrupted:
        raise
    except KeyboardInterrupt:
        if record := plant.runner:
            say(f"the runner (pid {record.pid}) goes on: `ignrun status` shows how far it is, `ignrun down` ends it")
        raise


def _will_detach(plant: Plant, detach: bool, dry_run: bool) -> bool:
    return detach and not dry_run and plant.runner is None


def _ask(prepared: Prepared) -> None:
    """On a terminal, ask before something is deleted, replaced, or done that no rollback undoes."""
    steps = prepared.proposal.plan.steps
    hard = [step for step in steps if step.irreversible or step.action in {"delete", "replace"}]
    if hard:
        ask_to_go_on()


def _answered(outcome: OutcomeReport | None, prepared: Prepared, output: str) -> ExitCode:
    if outcome is None:
        say("the runner has begun; `ignrun status` shows how far it is")
        return ExitCode.DONE
    if output == "json":
        _as_json(outcome)
    else:
        from ignrun.render.names import short_names

        result(outcome_text(outcome, short_names(prepared.proposal.graph.instances)))
    return code_of_result(outcome.result)
