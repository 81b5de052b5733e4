"""Binds the slots of an instance to the instances that fill them, as the manifest says or as there is only one way."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from ignrun.manifest.model import Definition, Manifest, ModuleSpec, Need, SlotSpec
from ignrun.manifest.places import at_key, at_span
from ignrun.planner.catalog.model import Chosen
from ignrun.planner.catalog.platform import canonical, provided
from ignrun.planner.catalog.versions import satisfies
from ignrun.planner.config.instances import Scopes, target_of
from ignrun.planner.config.lookups import Refusal
from ignrun.planner.config.model import Configured, Settled
from ignrun.planner.graph.model import Edge
from ignrun.terms.diagnostics import Diagnostic, Note, Severity
from ignrun.terms.hints import did_you_mean
from ignrun.terms.names import Address, ModuleScope, address_of
from ignrun.terms.spans import Span
from ignrun.terms.states import Condition

Kind = Literal["requires", "wants", "after"]


class Bindings(msgspec.Struct, frozen=True):
    """The edges of some instances and what is wrong with how they were asked for."""

    edges: tuple[Edge, ...]
    diagnostics: tuple[Diagnostic, ...]


def bind(configured: Configured) -> Bindings:
    """Bind every slot of every instance; an edge that cannot be bound is left out and explained."""
    scopes: Scopes = dict.fromkeys(configured.manifest.modules, ())
    for one in configured.instances.values():
        scopes[one.module] = (*scopes[one.module], one.scope)
    binder = _Binder(configured, scopes)
    edges = tuple(edge for one in configured.instances.values() for edge in binder.edges_of(one))
    return Bindings(edges, tuple(dict.fromkeys(binder.diagnostics)))


class _Binder:
    """Binds instance after instance against the same manifest."""

    def __init__(self, configured: Configured, scopes: Scopes) -> None:
        self._manifest: Manifest = configured.manifest
        self._chosen = configured.selection.chosen
        self._scopes = scopes
        self._of_definition: dict[str, list[str]] = {}
        for name, spec in configured.manifest.modules.items():
            if spec.enabled:
                self._of_definition.setdefault(canonical(self._id(name)), []).append(name)
        self._misread: set[str] = set()
        self.diagnostics: list[Diagnostic] = []

    def edges_of(self, one: Settled) -> Iterator[Edge]:
        spec = self._manifest.modules[one.module]
        definition = self._chosen.get(one.module, Chosen()).definition
        slots = {slot.slot: slot for slot in definition.slots} if definition else {}
        kinds: tuple[tuple[Kind, tuple[Need, ...]], ...] = (
            ("requires", spec.requires),
            ("wants", spec.wants),
            ("after", spec.after),
        )
        for kind, needs in kinds:
            for need in needs:
                yield from self._explicit(one, spec, kind, need, slots)
        if definition:
            bound = {need.slot for need in (*spec.requires, *spec.wants)}
            for slot in definition.slots:
                if slot.slot not in bound and spec.name not in self._misread:
                    yield from self._implicit(one, spec, slot, definition)
        yield from self._of_references(one, {name for need in spec.requires for name in need.targets})
        gateway = address_of(one.module, ModuleScope.GATEWAY)
        if one.scope is not ModuleScope.GATEWAY and ModuleScope.GATEWAY in self._scopes[one.module]:
            yield Edge(one.address, "", gateway, Condition.STARTED, "after", spec.span)

    def _explicit(
        self, one: Settled, spec: ModuleSpec, kind: Kind, need: Need, slots: dict[str, SlotSpec]
    ) -> Iterator[Edge]:
        slot = None if kind == "after" else slots.get(need.slot)
        if slot is None and kind != "after" and self._misspelt(spec, need, slots):
            return
        if slot is not None and not slot.many and len(need.targets) > 1:
            refusal = Refusal(
                "IGN311", f"the slot `{need.slot}` takes one module", f"it is bound to {_named(need.targets)}"
            )
            self._complain(spec, need.span, refusal)
            return
        for name in need.targets:
            provider = self._provider(one, spec, kind, need, name)
            if provider is not None and (slot is None or self._fits(spec, need, slot, name)):
                many = slot.many if slot else need.many
                label = "" if kind == "after" else need.slot
                yield Edge(
                    one.address, label, provider, need.condition, kind, need.span, many, need.on_change, need.on_crash
                )

    def _misspelt(self, spec: ModuleSpec, need: Need, slots: dict[str, SlotSpec]) -> bool:
        """Tell whether a slot that the definition does not name is near to one that is left unbound."""
        if not slots or any(name.partition("@")[0] not in self._scopes for name in need.targets):
            return False
        bound = {other.slot for other in (*spec.requires, *spec.wants)}
        hint = did_you_mean(need.slot, [name for name in slots if name not in bound])
        if hint:
            self._misread.add(spec.name)  # what it meant to bind is not missing as well
            refusal = Refusal("IGN309", f"the definition of `{spec.name}` has no slot `{need.slot}`", hint)
            self._complain(spec, need.span, refusal)
        return bool(hint)

    def _provider(self, one: Settled, spec: ModuleSpec, kind: Kind, need: Need, name: str) -> Address | None:
        target = target_of(name, self._scopes, one.scope)
        module = self._manifest.modules.get(name.partition("@")[0])
        if isinstance(target, Refusal):
            strange = "@" in name and name.partition("@")[2].upper() not in ModuleScope.__members__
            if module is None or strange or (kind == "requires" and module.enabled):
                self._complain(spec, _place_of(need, name), target)
            elif kind == "requires":
                summary = f"`{spec.name}` requires `{name}`, which is disabled: it starts without it"
                self._complain(spec, _place_of(need, name), Refusal("IGN403", summary), Severity.WARNING)
            return None
        if target == one.address:
            refusal = Refusal("IGN402", f"`{spec.name}` needs itself: a cycle of one", "remove it")
            self._complain(spec, _place_of(need, name), refusal)
            return None
        if need.condition is Condition.COMPLETED and module and module.command is not None and module.oneshot is None:
            hint = f"give `{name}` `oneshot: true`, or wait for `healthy`"
            refusal = Refusal("IGN404", f"`{name}` is no oneshot and never completes", hint)
            self._complain(spec, _place_of(need, name), refusal)
        return target

    def _fits(self, spec: ModuleSpec, need: Need, slot: SlotSpec, name: str) -> bool:
        module = name.partition("@")[0]
        why = self._unfit(module, slot)
        if why:
            refusal = Refusal("IGN319", f"`{module}` does not fit the slot `{slot.slot}`", why)
            self._complain(spec, _place_of(need, name), refusal)
        return not why

    def _unfit(self, module: str, slot: SlotSpec) -> str:
        if module not in self._chosen:
            return ""
        if slot.uses and canonical(self._id(module)) != canonical(slot.uses):
            return f"the slot asks for `{slot.uses}`, this is `{self._id(module)}`"
        definition = self._chosen[module].definition
        if definition and slot.version and not _meets(definition, slot):
            return f"the slot asks for version {slot.version}, this is {definition.metadata.version}"
        return ""

    def _implicit(self, one: Settled, spec: ModuleSpec, slot: SlotSpec, definition: Definition) -> Iterator[Edge]:
        """Bind a slot nobody bound: to the module of its name, else to the only one of its definition."""
        others = [name for name in self._of_definition.get(canonical(slot.uses), ()) if name != spec.name]
        named = self._manifest.modules.get(slot.slot)
        if named and named.enabled and named.name != spec.name and not self._unfit(slot.slot, slot):
            others = [slot.slot]
        if not slot.many and len(others) > 1:
            hint = f"bind one of {_named(tuple(others))}"
            refusal = Refusal("IGN318", f"the slot `{slot.slot}` of `{spec.name}` is ambiguous", hint)
            self._complain_of_slot(spec, slot, definition, refusal)
            return
        kind: Kind = "requires" if slot.required else "wants"
        targets = [target_of(name, self._scopes, one.scope) for name in others]
        found = [target for target in targets if not isinstance(target, Refusal)]
        if slot.required and not found and not (provided(slot.uses) and not others):
            hint = f"declare a module that uses `{slot.uses}`, or bind one in `requires`"
            refusal = Refusal("IGN310", f"the slot `{slot.slot}` of `{spec.name}` is missing", hint)
            self._complain_of_slot(spec, slot, definition, refusal)
        for target in found:
            yield Edge(one.address, slot.slot, target, Condition.HEALTHY, kind, spec.span, slot.many)

    def _of_references(self, one: Settled, required: set[str]) -> Iterator[Edge]:
        named = {self._resolved(name, one.scope) for name in required}
        for provider, span in {reference.provider: reference.span for reference in reversed(one.references)}.items():
            if provider not in named:
                yield Edge(one.address, "", provider, Condition.HEALTHY, "requires", span)

    def _resolved(self, name: str, scope: ModuleScope) -> Address | None:
        target = target_of(name, self._scopes, scope)
        return None if isinstance(target, Refusal) else target

    def _id(self, module: str) -> str:
        definition = self._chosen.get(module, Chosen()).definition
        spec = self._manifest.modules[module]
        return definition.metadata.id if definition else spec.uses or str((spec.metadata or {}).get("id", module))

    def _complain(self, spec: ModuleSpec, span: Span, refusal: Refusal, severity: Severity = Severity.ERROR) -> None:
        document = self._manifest.documents[spec.where.document]
        found = at_span(document, span, refusal.code, refusal.summary, hint=refusal.hint, severity=severity)
        self.diagnostics.append(found)

    def _complain_of_slot(self, spec: ModuleSpec, slot: SlotSpec, definition: Definition, refusal: Refusal) -> None:
        document = self._manifest.documents[spec.where.document]
        note = Note(f"the slot is declared by {definition.metadata.id} {definition.metadata.version}", slot.span)
        found = at_key(document, spec.where.path, refusal.code, refusal.summary, hint=refusal.hint, notes=(note,))
        self.diagnostics.append(found)


def _place_of(need: Need, name: str) -> Span:
    """Give the place where a need names one of its targets."""
    return dict(zip(need.targets, need.target_spans, strict=False)).get(name, need.span)


def _named(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _meets(definition: Definition, slot: SlotSpec) -> bool:
    try:
        return satisfies(definition.metadata.version, slot.version)
    except ValueError:
        return False
