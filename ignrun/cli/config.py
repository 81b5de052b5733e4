"""Owns `ignrun config`: shows where config values come from, and sets them while a plant runs."""

from typing import TYPE_CHECKING

import click

from ignrun.cli.completing import module_names
from ignrun.cli.exit_codes import ExitCode, code_of_result
from ignrun.cli.inputs import show_diagnostics
from ignrun.cli.options import Aim, Reading, aims_at_plant, output_option, says_how_to_read, shown_file
from ignrun.cli.settings import Site, Target, instance_of, roll_back, set_value, site_of, unset_value
from ignrun.cli.speech import paint_for, result, say
from ignrun.cli.verb import under, verb_group
from ignrun.terms.failure import Failure, NoRunner
from ignrun.terms.hints import did_you_mean

if TYPE_CHECKING:
    from ignrun.planner.graph.model import InstanceSpec
    from ignrun.planner.proposal import Reading as Read

_APPLY = click.option("--apply", "applies", is_flag=True, help="Hand the manifest to the live runner afterwards.")
_VALUE = click.argument("target", metavar="MODULE[.PATH]", shell_complete=module_names)


@verb_group("config", "ignrun config explain historian.flush", "ignrun config set historian.flush 2s --apply")
def command() -> None:
    """Show config values, where each comes from, and set them while a plant runs.

    What is set here is a layer over the manifest, kept in the state folder with backups: it outlives the runner and takes
    effect with the next apply.
    """


@under(command, "show", "ignrun config show historian", "ignrun config show historian -o json")
@_VALUE
@says_how_to_read
@aims_at_plant
@output_option("text", "json")
def show(aim: Aim, reading: Reading, target: str, output: str) -> ExitCode:
    """Show the values of a module, each with its layer and place.

    While the plant runs those in force; with -m MANIFEST, or without a runner, those that an apply would bring.
    """
    from ignrun.render.config import config_report, config_text, encode

    asked = Target.of(target)
    spec = _in_force(aim, reading, asked) or _instance(site_of(aim, reading, looking=True).reading(), asked)
    if spec is None:
        return ExitCode.INVALID
    report = config_report(spec, asked.path)
    if asked.path and not report.values:
        raise _no_value(spec, asked)
    result(encode(report) if output == "json" else config_text(report, shown_file))
    return ExitCode.DONE


@under(command, "explain", "ignrun config explain historian.flush", "ignrun config explain historian -o json")
@_VALUE
@says_how_to_read
@aims_at_plant
@output_option("text", "json")
def explain(aim: Aim, reading: Reading, target: str, output: str) -> ExitCode:
    """Show what every layer says of a value, weakest first, and which one wins.

    Layers: default, definition, config, overlay, run-time, environment, set.
    """
    from ignrun.render.config import encode, explain_report, explain_text
    from ignrun.terms.verdict import Accepted

    site, asked = site_of(aim, reading, looking=True), Target.of(target)
    found = site.reading(explain=asked.module)
    if not isinstance(found.verdict, Accepted):
        show_diagnostics(found.verdict.diagnostics)
        if not found.stacks:
            return ExitCode.INVALID
    spec = instance_of(found.verdict.value.graph, asked) if isinstance(found.verdict, Accepted) else None
    report = explain_report(asked.module, found.stacks, spec, asked.path)
    if asked.path and not report.values:
        if spec:
            raise _no_value(spec, asked)
        raise Failure(f"nothing says anything of `{asked.shown}`")
    result(encode(report) if output == "json" else explain_text(report, shown_file, paint_for()))
    return ExitCode.DONE if spec else ExitCode.INVALID


@under(command, "get", "ignrun config get historian.flush")
@_VALUE
@says_how_to_read
@aims_at_plant
@output_option("text", "json")
def get(aim: Aim, reading: Reading, target: str, output: str) -> ExitCode:
    """Show one value alone: text as it is, anything else as JSON; a secret is masked. Of a running plant the one in force."""
    import msgspec

    from ignrun.render.config import value_at
    from ignrun.render.terminal import neutral

    asked = Target.of(target)
    spec = _in_force(aim, reading, asked) or _instance(site_of(aim, reading, looking=True).reading(), asked)
    if spec is None:
        return ExitCode.INVALID
    try:
        value = value_at(spec, asked.path)
    except (LookupError, ValueError):
        raise _no_value(spec, asked) from None
    bare = isinstance(value, str) and output == "text"
    result(f"{neutral(value) if bare else msgspec.json.encode(value).decode()}\n")
    return ExitCode.DONE


@under(
    command,
    "set",
    "ignrun config set historian.flush 2s",
    "ignrun config set tags.names '[\"cpu\"]' --apply",
    takes_dashes=True,
)
@_VALUE
@click.argument("value")
@_APPLY
@says_how_to_read
@aims_at_plant
def set_(aim: Aim, reading: Reading, target: str, value: str, applies: bool) -> int:
    """Set a run-time value, once the manifest with it has been found valid.

    VALUE is read as the type that the schema asks for; lists and objects are JSON. A secret is set as a reference: `${secret:NAME}`.
    """
    from ignrun.cli.converge import operator

    site, asked = _to_change(aim, reading, applies), Target.of(target)
    if not asked.path:
        raise Failure(f"`{target}` names a module, not a value", f"write `{target}.PATH`")
    code = set_value(site, asked, value, operator())
    return _then(site, code, f"`{asked.shown}` is set", asked.module, applies)


@under(command, "unset", "ignrun config unset historian.flush", "ignrun config unset historian")
@_VALUE
@_APPLY
@says_how_to_read
@aims_at_plant
def unset(aim: Aim, reading: Reading, target: str, applies: bool) -> int:
    """Take a run-time value away, or all of a module's."""
    from ignrun.cli.converge import operator

    site, asked = _to_change(aim, reading, applies), Target.of(target)
    code = unset_value(site, asked, operator())
    return _then(site, code, f"the run-time value of `{asked.shown}` is gone", asked.module, applies)


@under(command, "backups", "ignrun config backups historian")
@click.argument("module", shell_complete=module_names)
@says_how_to_read
@aims_at_plant
@output_option("text", "json")
def backups(aim: Aim, reading: Reading, module: str, output: str) -> ExitCode:
    """List what a module's run-time values were before each change, newest last."""
    from ignrun.cli.overlay_history import backups_of
    from ignrun.render.config import backups_text, encode

    report = backups_of(site_of(aim, reading, looking=True), Target.of(module).module)
    if output == "json":
        result(encode(report))
    elif report.backups:
        result(backups_text(report))
    else:
        say(f"the run-time values of `{report.module}` have never been changed")
    return ExitCode.DONE


@under(command, "rollback", "ignrun config rollback historian")
@click.argument("module", shell_complete=module_names)
@_APPLY
@says_how_to_read
@aims_at_plant
def rollback(aim: Aim, reading: Reading, module: str, applies: bool) -> int:
    """Take the last change of a module's run-time values back; twice goes back twice."""
    site, asked = _to_change(aim, reading, applies), Target.of(module)
    code = roll_back(site, asked)
    return _then(
        site, code, f"the run-time values of `{asked.module}` are what they were before", asked.module, applies
    )


def _in_force(aim: Aim, reading: Reading, asked: Target) -> "InstanceSpec | None":
    """Give what a live runner has in force, unless a manifest, or a way to read it, is named: then that is looked at."""
    from ignrun.runtime.journal.current import read_current

    if aim.manifest or reading != Reading():
        return None
    plant = site_of(aim, reading, looking=True).plant
    current = read_current(plant.folder.path) if plant.runner else None
    if current is None:
        return None
    say(f"in force: generation {current.generation}")
    return instance_of(current.graph, asked)


def _instance(reading: "Read", asked: Target) -> "InstanceSpec | None":
    from ignrun.terms.verdict import Accepted

    if not isinstance(reading.verdict, Accepted):
        show_diagnostics(reading.verdict.diagnostics)
        return None
    return instance_of(reading.verdict.value.graph, asked)


def _no_value(spec: "InstanceSpec", asked: Target) -> Failure:
    known = [".".join(map(str, origin.path)) for origin in spec.origins]
    return Failure(f"`{spec.module}` has no value `{'.'.join(asked.path)}`", did_you_mean(".".join(asked.path), known))


def _to_change(aim: Aim, reading: Reading, applies: bool) -> Site:
    site = site_of(aim, reading, looking=False)
    if applies and site.plant.runner is None:
        raise NoRunner("no runner is alive to apply it", "without `--apply` it takes effect with the next apply")
    return site


def _then(site: Site, code: ExitCode, done: str, module: str, applies: bool) -> int:
    """Say what has been written and when it takes effect, or see to that."""
    if code is not ExitCode.DONE:
        return code
    record = site.plant.runner
    if not applies or record is None:
        say(f"{done}, in effect with the next apply")
        return code
    from ignrun.cli.converge import Prepared, prepare, show_plan, through_runner
    from ignrun.render.names import short_names
    from ignrun.render.outcome import outcome_text

    say(done)
    prepared = prepare(site.plant, site.manifest, site.wish)
    if not isinstance(prepared, Prepared):
        return prepared
    show_plan(prepared)
    outcome = through_runner(record.socket, prepared, wait=True)
    assert outcome is not None
    result(outcome_text(outcome, short_names(prepared.proposal.graph.instances)))
    if outcome.result not in {"committed", "unchanged"}:
        say(f"{done} all the same, and counts in the next apply; `ignrun config rollback {module}` takes that back")
    return code_of_result(outcome.result)
