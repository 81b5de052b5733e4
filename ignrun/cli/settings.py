"""Turns a plant and the name of a config value into a reading of it, and a wish to change it into a run-time overlay that has been proven."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.inputs import inputs_of, read, show_diagnostics
from ignrun.cli.options import Aim
from ignrun.cli.options import Reading as Wish
from ignrun.cli.plant import DEFAULT_MANIFEST, Plant, find_plant, plant_to_read
from ignrun.cli.speech import say
from ignrun.manifest.inputs import Trial
from ignrun.terms.diagnostics import Severity
from ignrun.terms.failure import Failure, StateFolderFailure
from ignrun.terms.hints import did_you_mean

if TYPE_CHECKING:
    from ignrun.manifest.inputs import Inputs
    from ignrun.planner.graph.model import Graph, InstanceSpec
    from ignrun.planner.proposal import Reading
    from ignrun.runtime.journal.overlays import Overlays

Values = dict[str, Any]


class Target(msgspec.Struct, frozen=True):
    """What `MODULE[@SCOPE][.PATH]` names."""

    module: str
    scope: str
    path: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> "Target":
        """Read it; raises Failure where it names nothing."""
        name, *path = text.split(".")
        module, _, scope = name.partition("@")
        if not module or not all(path):
            raise Failure(f"`{text}` names no config value", "write `MODULE.PATH`")
        return cls(module, scope, tuple(path))

    @property
    def shown(self) -> str:
        """The value as people name it."""
        return ".".join((self.module, *self.path))


class Site(msgspec.Struct, frozen=True):
    """A plant whose config is looked at or changed, and how its manifest is read."""

    plant: Plant
    manifest: Path
    wish: Wish

    @property
    def overlays(self) -> "Overlays":
        """Its run-time values."""
        from ignrun.runtime.journal.overlays import Overlays

        return Overlays(self.plant.folder.config)

    def inputs(self, *, explain: str = "", trial: Trial | None = None) -> "Inputs":
        """Gather what a reading depends on."""
        from ignrun.cli.plan import known_key

        inputs = inputs_of(self.manifest, self.plant.folder.path, self.wish, key=known_key(self.plant))
        return msgspec.structs.replace(inputs, explain=explain, trial=trial)

    def reading(self, *, explain: str = "", trial: Trial | None = None) -> "Reading":
        """Read the manifest; compares with what is in force."""
        from ignrun.planner.proposal import Base
        from ignrun.runtime.journal.current import read_current

        base = read_current(self.plant.folder.path) or Base()
        return read(self.inputs(explain=explain, trial=trial), base)


def site_of(aim: Aim, wish: Wish, *, looking: bool) -> Site:
    """Find the plant: the one that is named, that of `./ignrun.yaml`, else the one that lies or runs here.

    Without a word on how to read its manifest, it is read as for the generation in force.
    """
    if aim.manifest or aim.name or Path(DEFAULT_MANIFEST).exists():
        plant, manifest = plant_to_read(aim)
    else:
        plant = find_plant(aim, looking=looking)
        if plant.manifest is None:
            raise Failure(f"the manifest of plant `{plant.name}` is not known", "name it with `-m MANIFEST`")
        manifest = plant.manifest
    return Site(plant, manifest, _remembered(plant, manifest) if wish == Wish() else wish)


def _remembered(plant: Plant, manifest: Path) -> Wish:
    """Give the modes, variables, settings and scopes of the generation in force, none where there is no such generation."""
    from ignrun.runtime.journal.generations import read_generation
    from ignrun.runtime.journal.schema import open_for_reading
    from ignrun.runtime.journal.store import pointer

    if not plant.folder.journal.exists():
        return Wish()
    try:
        with contextlib.closing(open_for_reading(plant.folder.journal)) as store:
            found = read_generation(store, pointer(store, "current"))
    except StateFolderFailure:
        return Wish()
    if found is None or found.content.call.manifest != str(manifest):
        return Wish()
    call = found.content.call
    return Wish(
        modes=call.modes, vars=call.vars, sets=call.sets, scopes=call.scopes, locked=call.locked, allowed=call.allowed
    )


def instance_of(graph: "Graph", target: Target) -> "InstanceSpec":
    """Find the instance that is meant, that of the gateway first; raises Failure."""
    own = [spec for spec in graph.instances.values() if spec.module == target.module]
    for spec in own:
        if not target.scope or spec.scope.word == target.scope:
            return spec
    if own:
        raise Failure(f"`{target.module}` has no active instance in scope `{target.scope}`")
    known = {spec.module for spec in graph.instances.values()}
    hint = did_you_mean(target.module, known) or "a disabled module has no config in effect"
    raise Failure(f"there is no active module `{target.module}`", hint)


# --- changes ----------------------------------------------------------------------------------------------------------


def set_value(site: Site, target: Target, text: str, by: str) -> ExitCode:
    """Try a new run-time value through the reader, and write it where nothing speaks against it."""
    said = f"config set {target.shown}"
    return _change(site, target, lambda now: Trial(target.module, now, said, target.path, text), by)


def unset_value(site: Site, target: Target, by: str) -> ExitCode:
    """Take away what `set` has set, at a path or all of it."""

    def without(now: Values) -> Trial:
        left = _without(now, target.path) if target.path else {}
        if left == now:
            raise Failure(
                f"no run-time value of `{target.shown}` is set", "`ignrun config explain` shows where it is from"
            )
        return Trial(target.module, left, f"config unset {target.shown}")

    return _change(site, target, without, by)


def roll_back(site: Site, target: Target) -> ExitCode:
    """Go back one change of a module's run-time values; twice goes back twice."""
    overlays = site.overlays
    with overlays.changing():
        before = overlays.previous(target.module)
        if before is None:
            raise Failure(
                f"there is nothing to go back to for `{target.module}`", "nothing was set, or all has been undone"
            )
        code = _refused(site, Trial(target.module, before, f"config rollback {target.module}"))
        if code is None:
            overlays.rollback(target.module)
    return ExitCode.DONE if code is None else code


def _change(site: Site, target: Target, wanted: Callable[[Values], Trial], by: str) -> ExitCode:
    from ignrun.planner.config.run_time import STAMPS
    from ignrun.runtime.journal.folder import make_state_folder
    from ignrun.runtime.journal.overlays import stamped

    overlays = site.overlays
    with overlays.changing():
        now = overlays.read(target.module)
        stamps = now.pop(STAMPS, {})
        trial = wanted(now)
        reading = site.reading(trial=trial)
        code = _refused(site, trial, reading)
        if code is not None:
            return code
        values = trial.values if reading.tried is None else reading.tried
        if values == now:
            say(f"`{target.shown}` is so already")
            return ExitCode.DONE
        make_state_folder(site.plant.folder)
        signed = stamped(stamps, target.path, by, is_set=trial.text is not None)
        overlays.write(target.module, {**values, **({STAMPS: signed} if signed else {})})
    return ExitCode.DONE


def _refused(site: Site, trial: Trial, reading: "Reading | None" = None) -> ExitCode | None:
    """Tell what speaks against a change; what was wrong before it does not speak against taking a value away."""
    from ignrun.terms.verdict import Accepted

    found = (reading or site.reading(trial=trial)).verdict
    mistakes = _mistakes(found.diagnostics)
    if isinstance(found, Accepted):
        return None
    if trial.text is None and mistakes <= _mistakes(site.reading().verdict.diagnostics):
        return None
    show_diagnostics(tuple(one for one in found.diagnostics if one.severity is Severity.ERROR))
    say("nothing was written")
    return ExitCode.INVALID


def _mistakes(diagnostics: Any) -> frozenset[tuple[str, str]]:
    return frozenset((one.code, one.summary) for one in diagnostics if one.severity is Severity.ERROR)


def _without(values: Values, path: tuple[str, ...]) -> Values:
    """Copy an overlay without the value at `path`, and without objects that have nothing in them then."""
    key, *rest = path
    if key not in values:
        return values
    left = {name: value for name, value in values.items() if name != key}
    if not rest:
        return left
    inner = values[key]
    kept = _without(inner, tuple(rest)) if isinstance(inner, dict) else inner
    if kept is inner:
        return values
    return {**values, key: kept} if kept else left
