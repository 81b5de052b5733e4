"""Turns a generation that was kept into a Reading: planned against what runs, its secrets fetched anew, no manifest read."""

import msgspec

from ignrun.manifest.inputs import Inputs
from ignrun.manifest.model import Manifest, SecretPlaces
from ignrun.planner.config.environment import read_variables
from ignrun.planner.config.ledger import fingerprints
from ignrun.planner.config.secrets import SecretLookup
from ignrun.planner.graph.model import Graph
from ignrun.planner.plan.build import plan_and_place
from ignrun.planner.proposal import Base, Proposal, Reading
from ignrun.terms.diagnostics import Diagnostic, diagnose
from ignrun.terms.planning import Planning
from ignrun.terms.spans import Span
from ignrun.terms.verdict import Accepted, Rejected


def revive(kept: Proposal, inputs: Inputs, base: Base) -> Reading:
    """Propose what was kept once more: same graph, same code, the texts that its secrets have now.

    Of `inputs` only the environment, the key of fingerprints and `for_apply` count. A secret that is not to be had is refused.
    """
    secrets, missing = _secrets(kept, inputs)
    if missing:
        return Reading(Rejected(None, missing))
    graph = msgspec.structs.replace(
        kept.graph, fingerprints={**kept.graph.fingerprints, **fingerprints(secrets, inputs.fingerprint_key)}
    )
    verdict = plan_and_place(base.graph, graph, base.generation, kept.target, _willing(graph))
    if not isinstance(verdict, Accepted):
        return Reading(Rejected(None, verdict.diagnostics))
    proposal = msgspec.structs.replace(kept, graph=verdict.value.graph, plan=verdict.value.plan)
    return Reading(Accepted(proposal, verdict.diagnostics), secrets)


def _willing(graph: Graph) -> Planning:
    """Allow whatever it takes: who goes back knows where to."""
    modules = dict.fromkeys(spec.module for spec in graph.instances.values())
    return Planning(allow_replace=tuple(modules), allow_mass_delete=True)


def _secrets(kept: Proposal, inputs: Inputs) -> tuple[dict[str, str], tuple[Diagnostic, ...]]:
    manifest = _of_secrets(kept.secret_places, inputs.manifest)
    lookup = SecretLookup(manifest, inputs, read_variables(manifest, inputs).values)
    found: dict[str, str] = {}
    missing: list[Diagnostic] = []
    for name in kept.graph.secrets:
        answer = lookup.find(name)
        if answer.text is not None:
            found[name] = answer.text
        else:
            place = manifest.secrets[name].span if name in manifest.secrets else manifest.span
            summary = f"the secret `{name}` is not to be had"
            missing.append(diagnose(place, "IGN502", summary, hint=answer.reason))
    return found, tuple(missing)


def _of_secrets(places: SecretPlaces, file: str) -> Manifest:
    """Make a manifest that holds nothing but where secrets come from; an env file that is gone by now is no mistake."""
    env_files = tuple(msgspec.structs.replace(one, optional=True) for one in places.env_files)
    span = Span.of_file(file)
    return Manifest("", span, places.folder, (), {}, (), env_files=env_files, secrets=places.declared)
