"""Owns `ignrun policy`: lets rules that somebody wrote in Python judge a plan."""

from pathlib import Path

import click

from ignrun.cli.exit_codes import ExitCode, code_of_rejection
from ignrun.cli.inputs import inputs_of, read, show_diagnostics
from ignrun.cli.options import Aim, Reading, absolute, aims_at_plant, output_option, says_how_to_read
from ignrun.cli.plan import known_key
from ignrun.cli.planning import says_what_to_plan
from ignrun.cli.plant import plant_to_read
from ignrun.cli.speech import paint_for, result
from ignrun.cli.verb import verb


@verb("policy", "ignrun policy rules.py", "ignrun policy rules.py plan.json")
@click.argument("rules", type=click.Path(path_type=Path))
@click.argument("plan", required=False, type=click.Path(path_type=Path))
@says_how_to_read
@says_what_to_plan
@aims_at_plant
@output_option("text", "json")
def command(*, rules: Path, plan: Path | None, aim: Aim, reading: Reading, output: str) -> ExitCode:
    """Judge a plan by rules: a JSON plan that was written down, or the one that an apply would carry out now.

    A rule is a function of the file RULES that takes the plan as a dict and returns what it has against it: a text, several, or nothing.
    One whose name begins with `deny` is mandatory: what it finds ends the command with 9. One that begins with `warn` is
    advisory. Rules run in a process with limits of time and memory, never in a runner.
    """
    from ignrun.planner.reader.ruled import rule_bounded
    from ignrun.render.policy import encode_policy, policy_report, policy_text
    from ignrun.terms.verdict import Rejected

    for file in filter(None, (rules, plan)):
        if not file.is_file():
            raise click.UsageError(f"there is no file `{file}`")
    judged = plan.read_bytes() if plan else _planned(aim, reading)
    if isinstance(judged, ExitCode):
        return judged
    verdict = rule_bounded(absolute(str(rules)), judged)
    if isinstance(verdict, Rejected):
        show_diagnostics(verdict.diagnostics)
        return ExitCode.POLICY
    report = policy_report(verdict.value)
    result(encode_policy(report) if output == "json" else policy_text(report, paint_for()))
    return ExitCode.POLICY if report.refused else ExitCode.DONE


def _planned(aim: Aim, reading: Reading) -> bytes | ExitCode:
    """Make the plan that is to be judged; a code where there is none."""
    from ignrun.planner.proposal import Base
    from ignrun.render.plan import encode_plan, plan_report
    from ignrun.runtime.journal.current import read_current
    from ignrun.terms.verdict import Rejected

    plant, manifest = plant_to_read(aim)
    base = read_current(plant.folder.path) or Base()
    verdict = read(inputs_of(manifest, plant.folder.path, reading, key=known_key(plant)), base).verdict
    show_diagnostics(verdict.diagnostics)
    if isinstance(verdict, Rejected):
        return code_of_rejection(verdict.diagnostics)
    return encode_plan(plan_report(verdict.value.plan, verdict.diagnostics))
