"""Turns a manifest and what was selected for it into Configured: every active instance with its values settled."""

from collections.abc import Callable, Iterator
from pathlib import Path as FilePath
from typing import Any

import msgspec

from ignrun.manifest.inputs import InputFile, Inputs
from ignrun.manifest.model import Manifest, ModuleSpec
from ignrun.planner.catalog.model import Chosen, Selection
from ignrun.planner.config.claims import Claims
from ignrun.planner.config.commands import Around, settle_command
from ignrun.planner.config.environment import Variables, read_variables
from ignrun.planner.config.instances import folders_of, provider_finder, scopes_of
from ignrun.planner.config.layers import Layer, Merged, merged, with_defaults
from ignrun.planner.config.ledger import Ledger
from ignrun.planner.config.lookups import Scene
from ignrun.planner.config.model import Configured, Settled, Stack
from ignrun.planner.config.overrides import Override, is_secret, layer_of, read_overrides, trial_value, unknown_key
from ignrun.planner.config.resolve import Resolver
from ignrun.planner.config.run_time import RunTime, RunTimes
from ignrun.planner.config.schemas import SchemaOf, Schemas
from ignrun.planner.config.secrets import SecretLookup
from ignrun.planner.config.spots import Spot
from ignrun.planner.config.stacks import origins_of, stacks_of
from ignrun.planner.config.updates import updates_of_class
from ignrun.terms.diagnostics import Diagnostic, Note
from ignrun.terms.leaves import Path, Pending, Tree, filled
from ignrun.terms.names import Address, ModuleScope, address_of
from ignrun.terms.spans import Span
from ignrun.terms.verdict import Verdict, judge


def configure(
    manifest: Manifest, selection: Selection, inputs: Inputs, working_on: Callable[[Span], None] = lambda _: None
) -> Verdict[Configured]:
    """Settle the values of every active instance, layer over layer, references resolved, schemas asked.

    `working_on` hears the place of each module before it is looked at.
    """
    variables = read_variables(manifest, inputs)
    workshop = _Workshop(manifest, selection, inputs, variables)
    instances: dict[Address, Settled] = {}
    for spec in manifest.modules.values():
        if spec.enabled:
            working_on(spec.span)
            instances.update({one.address: one for one in workshop.instances_of(spec)})
    ledger = workshop.ledger
    ledger.diagnostics += workshop.lookup.flaws()
    configured = Configured(
        manifest,
        selection,
        instances,
        (*variables.files, *workshop.schemas.files, *workshop.run_time_files, *ledger.files.values()),
        dict(sorted(ledger.used.items())),
        tuple(sorted(ledger.names)),
        tuple(sorted(ledger.needed)),
        dict(sorted(ledger.secrets.items())) if inputs.for_apply else {},
        ledger.fingerprints(),
        workshop.stacks,
        workshop.tried,
    )
    return judge(configured, (*variables.diagnostics, *ledger.diagnostics, *workshop.claims.diagnostics))


class _Ready(msgspec.Struct, frozen=True):
    """One module as far as its scopes share it: its block, its schema, its values layer over layer, and its run-time values.

    `below` is what lies below the run-time values, None where there are none.
    """

    spec: ModuleSpec
    chosen: Chosen
    block: Spot
    found: SchemaOf
    layers: tuple[Layer, ...]
    base: Merged
    below: Merged | None
    run_time: RunTime


class _Workshop:
    """Settles one module after the other, with what all of them share at hand."""

    def __init__(self, manifest: Manifest, selection: Selection, inputs: Inputs, variables: Variables) -> None:
        self._manifest = manifest
        self._selection = selection
        self._inputs = inputs
        self.lookup = SecretLookup(manifest, inputs, variables.values)
        self.ledger = Ledger(inputs, variables.values, self.lookup)
        self.schemas = Schemas(manifest, (inputs.root, *inputs.allowed))
        self.claims = Claims()
        self.stacks: tuple[Stack, ...] = ()
        self.tried: dict[str, Any] | None = None
        self.run_time_files: list[InputFile] = []
        self._run_times = RunTimes(inputs, manifest.folder)
        overrides, misspelt = read_overrides(manifest, inputs)
        self.ledger.diagnostics += misspelt
        self._overrides: dict[str, list[Override]] = {}
        for one in overrides:
            self._overrides.setdefault(one.module, []).append(one)
        self._scopes = {name: scopes_of(manifest, selection, inputs, spec) for name, spec in manifest.modules.items()}
        self._variables = _variables(manifest, inputs)
        programs = str(FilePath(inputs.python).parent)
        self._roots = (inputs.root, *inputs.allowed)
        self._around = Around(manifest.folder, programs, inputs.environment.get("PATH", ""))

    def instances_of(self, spec: ModuleSpec) -> Iterator[Settled]:
        chosen = self._selection.chosen.get(spec.name, Chosen())
        block = Spot(self._manifest.documents[spec.where.document], spec.where.path)
        found = self.schemas.of(spec, chosen, block)
        self.ledger.diagnostics += found.diagnostics
        ready = self._ready(spec, chosen, block, found)
        if self._inputs.explain == spec.name:
            self.stacks = stacks_of(ready.layers, found.schema, found.spot, ready.run_time.stamps)
        self.ledger.diagnostics += _hidden_literals(ready)
        for scope in self._scopes[spec.name]:
            yield self._instance(ready, scope)

    def _ready(self, spec: ModuleSpec, chosen: Chosen, block: Spot, found: SchemaOf) -> _Ready:
        run_time = self._run_time(spec, found)
        weak = self._written(spec, chosen, block)
        strong = weak if run_time.layer is None else (*weak, run_time.layer)
        layers = self._overridden(spec, strong, block, found)
        root = block.below("config") if spec.config else block
        base = merged(layers, root)
        below = merged(weak, root) if run_time.layer else None
        if found.schema is not None:
            defaults = found.schema.defaults(base.tree)
            base = with_defaults(base, [(path, value, found.spot.below(*way)) for path, value, way in defaults])
        return _Ready(spec, chosen, block, found, layers, base, below, run_time)

    def _run_time(self, spec: ModuleSpec, found: SchemaOf) -> RunTime:
        """Read the run-time values of a module; what is being tried gets the type that the schema asks for."""
        run_time = self._run_times.of(spec.name)
        self.ledger.diagnostics += run_time.diagnostics
        if run_time.file:
            self.run_time_files.append(run_time.file)
        trial = self._inputs.trial
        if trial is None or trial.module != spec.name or run_time.layer is None:
            return run_time
        values = run_time.layer.values
        if trial.text is not None:
            values = _with_value(values, trial.path, trial_value(trial, found.schema))
        self.tried = values
        return msgspec.structs.replace(run_time, layer=msgspec.structs.replace(run_time.layer, values=values))

    def _written(self, spec: ModuleSpec, chosen: Chosen, block: Spot) -> tuple[Layer, ...]:
        """Give the layers that stand in files which people edit: the definition's, the module's own, those of overlays."""
        definition = chosen.definition
        layers: tuple[Layer, ...] = ()
        if definition is not None and definition.config:
            layers = (Layer("definition", definition.config, Spot(definition.document, ("config",))),)
        if not spec.config_layers:
            return (*layers, Layer("config", spec.config, block.below("config")))
        documents = self._manifest.documents
        own = [
            Layer(one.name, one.values, Spot(documents[one.where.document], one.where.path))
            for one in spec.config_layers
        ]
        return (*layers, *own)

    def _overridden(
        self, spec: ModuleSpec, layers: tuple[Layer, ...], block: Spot, found: SchemaOf
    ) -> tuple[Layer, ...]:
        """Lay over what variables and options say."""
        for override in self._overrides.get(spec.name, ()):
            weaker = merged(layers, block).tree
            unknown = unknown_key(override, found.schema, weaker)
            if unknown:
                self.ledger.diagnostics.append(unknown)
            else:
                layers = (*layers, layer_of(override, found.schema, weaker))
                self._note(override, found)
        return layers

    def _note(self, override: Override, found: SchemaOf) -> None:
        """Count an overriding variable among the inputs, its value only where it is no secret."""
        if override.layer == "environment":
            self.ledger.variable_used(override.name, override.text, secret=is_secret(override, found.schema))

    def _instance(self, ready: _Ready, scope: ModuleScope) -> Settled:
        spec, block, schema = ready.spec, ready.block, ready.found.schema
        address = address_of(spec.name, scope)
        folders = folders_of(self._manifest, self._inputs, address, ready.chosen)
        find = provider_finder(self._manifest, self._selection, self._scopes, scope)
        scene = Scene(self._variables, folders, find, self._manifest.folder, self._roots, spec.each)
        resolver = Resolver(scene, self.ledger)
        config = resolver.tree(ready.base.tree, ready.base.spot, schema.kind if schema else _any)
        secrets = self._judged(ready, config)
        inner = Resolver(msgspec.structs.replace(scene, config=config), self.ledger)
        command = settle_command(spec, block, self._around, inner, self.ledger)
        exports = inner.tree(spec.exports, lambda path: block.below("exports", *path), _any)
        self.ledger.diagnostics += [_shown_to_all(spec, block, one.path) for one in exports.pending if one.tainted]
        references = tuple(dict.fromkeys((*resolver.references, *inner.references)))
        origins = origins_of(ready.base, ready.below, schema, ready.run_time.stamps)
        claims = self._claims(ready, address, inner)
        updates = schema.updates if schema else updates_of_class(ready.chosen)
        measures = schema.measures if schema else ()
        return Settled(
            address, spec.name, scope, folders, config, secrets, origins, exports, command, references, claims,
            updates, measures,
        )  # fmt: skip

    def _claims(self, ready: _Ready, address: Address, resolver: Resolver) -> tuple[str, ...]:
        own = self.claims.take(address, ready.spec.claims, ready.block.below("claims"), resolver)
        definition = ready.chosen.definition
        if definition is None or not definition.claims:
            return own
        return (*own, *self.claims.take(address, definition.claims, Spot(definition.document, ("claims",)), resolver))

    def _judged(self, ready: _Ready, config: Tree) -> tuple[Path, ...]:
        """Hold a resolved config against its schema; gives the paths of its secrets."""
        secrets = {one.path for one in config.pending if one.tainted}
        schema, base = ready.found.schema, ready.base
        if schema is None:
            return tuple(sorted(secrets, key=str))
        pending = {one.path for one in config.pending}
        declared = {path for path in base.marks if path and schema.is_secret(path)}
        clear = {path for path in declared - pending if base.marks[path].layer != "default"}
        self.ledger.diagnostics += [_in_the_clear(ready.spec, base, path) for path in sorted(clear, key=str)]
        hidden = (*config.pending, *(Pending(path, ()) for path in clear))
        for problem in schema.judge(filled(Tree(config.plain, hidden), lambda _: None), hidden, ready.spec.name):
            spot = base.spot(problem.path)
            make = spot.mistake_at_key if problem.at_key or not problem.path else spot.mistake
            made = make(problem.code, problem.summary, hint=problem.hint, masked=bool(clear))
            self.ledger.diagnostics.append(_with_note(made, ready.found))
        return tuple(sorted(secrets | declared, key=str))


def _in_the_clear(spec: ModuleSpec, base: Merged, path: Path) -> Diagnostic:
    shown = ".".join(map(str, path))
    name = f"{spec.name}_{shown}".replace("-", "_").replace(".", "_").upper()
    summary = f"`{shown}` of module `{spec.name}` is secret and stands here in the clear"
    return base.marks[path].spot.mistake("IGN224", summary, hint=f"write `${{secret:{name}}}`", masked=True)


def _shown_to_all(spec: ModuleSpec, block: Spot, path: Path) -> Diagnostic:
    summary = f"a secret would be exported by `{spec.name}`"
    return block.below("exports", *path).mistake("IGN503", summary, hint="exports are shown to everybody")


def _any(_: Path) -> str:
    return "any"


def _variables(manifest: Manifest, inputs: Inputs) -> dict[str, Any]:
    """Give the variables; what the caller gives holds no references, whatever it looks like."""
    given = {name: manifest.vars.get(name, text) for name, text in inputs.vars.items()}
    plain = {name: one.replace("${", "$${") if isinstance(one, str) else one for name, one in given.items()}
    return {**manifest.vars, **plain}


def _with_value(values: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """Copy an overlay with one value set in it."""
    key, *rest = path
    if not rest:
        return {**values, key: value}
    inner = values.get(key)
    return {**values, key: _with_value(inner if isinstance(inner, dict) else {}, tuple(rest), value)}


def _hidden_literals(ready: _Ready) -> Iterator[Diagnostic]:
    """Refuse the text of a secret also where a stronger layer hides it; what is in effect is judged with the config."""
    schema = ready.found.schema
    if schema is None or len(ready.layers) == 1:
        return
    for layer in ready.layers:
        alone = merged((layer,), layer.spot)
        for path, mark in alone.marks.items():
            shown = ready.base.marks.get(path)
            if path and schema.is_secret(path) and (shown is None or shown != mark) and _is_text(layer.values, path):
                yield _in_the_clear(ready.spec, alone, path)


def _is_text(at: Any, path: Path) -> bool:
    for key in path:
        at = at[key]
    return at is not None and not (isinstance(at, str) and "${" in at)


def _with_note(found: Diagnostic, schema: SchemaOf) -> Diagnostic:
    note = Note(schema.declared_by, schema.spot.span)
    return msgspec.structs.replace(found, notes=(*found.notes, note))
