"""Turns inputs and a base into a Reading: the five stages of the corridor, one after the other."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from ignrun.manifest.cache import ParseCache, use
from ignrun.manifest.inputs import InputFile, Inputs
from ignrun.manifest.model import Manifest, SecretPlaces
from ignrun.manifest.read import read_manifest
from ignrun.planner.catalog.model import Selection
from ignrun.planner.catalog.select import select
from ignrun.planner.config.configure import configure
from ignrun.planner.config.model import Configured
from ignrun.planner.graph.aimed import aimed
from ignrun.planner.graph.facets import digest_of_graph
from ignrun.planner.graph.relate import relate
from ignrun.planner.graph.renamed import data_folders
from ignrun.planner.plan.build import plan_and_place
from ignrun.planner.plan.model import Planned
from ignrun.planner.plan.recoded import with_files
from ignrun.planner.plan.shadows import shadowed
from ignrun.planner.proposal import Base, Call, Proposal, Reading
from ignrun.terms.diagnostics import Diagnostic, has_errors, in_order
from ignrun.terms.spans import Span
from ignrun.terms.verdict import Accepted, Rejected, Verdict, examined

T = TypeVar("T")
WorkingOn = Callable[[Span], None]


def propose(
    inputs: Inputs, base: Base, working_on: WorkingOn = lambda _: None, sized: Callable[[int], None] = lambda _: None
) -> Reading:
    """Walk the corridor: read, select, configure, relate, plan.

    A stage that refuses hands its sound part on, so that one reading names the mistakes of every stage; only what all
    accepted is planned. `working_on` hears the place that is being looked at, `sized` the length of all texts together
    once they have been read.
    """
    working_on(Span.of_file(inputs.manifest))
    use(ParseCache(f"{inputs.state_dir}/cache", keeps=inputs.for_apply))
    gathered = _Gathered()
    manifest = gathered.take(read_manifest(inputs))
    if manifest is None:
        return Reading(Rejected(None, in_order(gathered.diagnostics)))
    sized(sum(len(line) + 1 for document in manifest.documents for line in document.lines))
    selection = gathered.take(select(manifest, locked=inputs.locked, relock=inputs.relock))
    inputs = msgspec.structs.replace(inputs, data_folders=data_folders(base.known, manifest.moved))
    configured = gathered.take(configure(manifest, selection, inputs, working_on))
    working_on(manifest.span)
    related = gathered.take(relate(configured, inputs))
    desired = gathered.take(aimed(related, base.graph, inputs.planning.targets))
    target = digest_of_graph(desired)
    gathered.take(shadowed(base.known, desired, manifest.apply.runtime_config))
    planned = gathered.planned(lambda: plan_and_place(base.graph, desired, base.generation, target, inputs.planning))
    if planned is None or has_errors(gathered.diagnostics):
        refused: Rejected[Proposal | None] = Rejected(None, in_order(gathered.diagnostics))
        return Reading(refused, stacks=configured.stacks, tried=configured.tried)
    planned = with_files(planned, base.graph, selection.code, Path(inputs.state_dir, "code"))
    proposal = _proposal(manifest, selection, configured, planned)
    called = msgspec.structs.replace(proposal, call=Call.of(inputs))
    accepted = Accepted(called, in_order(gathered.diagnostics))
    return Reading(accepted, configured.secrets, configured.stacks, configured.tried)


class _Gathered:
    """Collects what every stage complains about on the way to its value."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []

    def take(self, verdict: Verdict[T]) -> T:
        self.diagnostics += verdict.diagnostics
        return examined(verdict)

    def planned(self, plan: Callable[[], Verdict[Planned]]) -> Planned | None:
        """Plan what all stages accepted; None for what one of them refused."""
        return None if has_errors(self.diagnostics) else self.take(plan())


def _proposal(manifest: Manifest, selection: Selection, configured: Configured, planned: Planned) -> Proposal:
    read: dict[str, InputFile] = {}
    for file in (*manifest.files, *selection.files, *configured.files):
        read.setdefault(file.path, file)
    return Proposal(
        plant=manifest.name,
        graph=planned.graph,
        plan=planned.plan,
        target=planned.plan.target,
        files=tuple(read.values()),
        environment=configured.environment,
        names=configured.names,
        apply=manifest.apply,
        pins=selection.pins,
        code=selection.code,
        secret_places=SecretPlaces(manifest.folder, manifest.secrets, manifest.env_files),
    )
