"""Says which instances a manifest has, where their folders lie, and which of them a name in a reference means."""

import os
from collections.abc import Callable

from ignrun.manifest.inputs import Inputs
from ignrun.manifest.model import Manifest, ModuleSpec
from ignrun.planner.catalog.model import Chosen, Selection
from ignrun.planner.config.lookups import Refusal
from ignrun.planner.config.model import Folders
from ignrun.terms.hints import did_you_mean
from ignrun.terms.names import Address, ModuleScope, address_of

Scopes = dict[str, tuple[ModuleScope, ...]]
"""The active scopes of every declared module; none for a disabled one."""


def scopes_of(manifest: Manifest, selection: Selection, inputs: Inputs, spec: ModuleSpec) -> tuple[ModuleScope, ...]:
    """Give the scopes in which a module is active: those it declares, as far as the runner activates them."""
    if not spec.enabled:
        return ()
    definition = selection.chosen.get(spec.name, Chosen()).definition
    declared = spec.scopes or (definition.scopes if definition else (ModuleScope.GATEWAY,))
    asked = tuple(ModuleScope[word.upper()] for word in inputs.scopes if word.upper() in ModuleScope.__members__)
    active = asked or manifest.activate or tuple(ModuleScope)
    return tuple(scope for scope in dict.fromkeys(declared) if scope in active)


def folders_of(manifest: Manifest, inputs: Inputs, address: Address, chosen: Chosen) -> Folders:
    """Name the folders of an instance in the state folder, and that of its definition or code."""
    state = inputs.state_dir
    if chosen.definition is not None:
        own = chosen.definition.folder
    else:
        own = os.path.dirname(chosen.code.file) if chosen.code else manifest.folder  # noqa: PTH120 - once an instance: five times as fast
    return Folders(
        data=f"{state}/data/{_data_of(address, inputs.data_folders)}",
        config=f"{state}/rendered/{address}",
        log=f"{state}/logs/{address}",
        temp=f"{state}/temp/{address}",
        module=own,
    )


def _data_of(address: Address, kept: dict[str, str]) -> str:
    """Name the data folder of an instance: its own, or the one that it kept; never one that another kept."""
    name = kept.get(address, address)
    return f"{name}+1" if kept and address not in kept and name in kept.values() else name


def target_of(name: str, scopes: Scopes, scope: ModuleScope) -> Address | Refusal:
    """Find the instance that `NAME` or `NAME@scope` means to an instance in `scope`: the same scope, else the gateway."""
    module, at, word = name.partition("@")
    if module not in scopes:
        return Refusal("IGN301", f"there is no module `{module}`", did_you_mean(module, scopes))
    wanted = _wanted(word) if at else (scope, ModuleScope.GATEWAY)
    for one in wanted:
        if one in scopes[module]:
            return address_of(module, one)
    if not scopes[module]:
        return Refusal(
            "IGN403", f"the module `{module}` is not active", "it is disabled, or none of its scopes is activated"
        )
    active = ", ".join(f"`{one.word}`" for one in scopes[module])
    missing = word if at else " or ".join(dict.fromkeys(f"`{one.word}`" for one in wanted))
    return Refusal("IGN312", f"`{module}` has no active instance in scope {missing}", f"it has one in {active}")


def _wanted(word: str) -> tuple[ModuleScope, ...]:
    return (ModuleScope[word.upper()],) if word.upper() in ModuleScope.__members__ else ()


def provider_finder(
    manifest: Manifest, selection: Selection, scopes: Scopes, scope: ModuleScope
) -> Callable[[str, str], Address | Refusal]:
    """Make the look-up behind `${module:NAME.exports.KEY}` for the instances of one scope."""

    def find(name: str, key: str) -> Address | Refusal:
        target = target_of(name, scopes, scope)
        provider = manifest.modules.get(name.partition("@")[0])
        known = _exports_of(provider, selection) if provider else None
        if isinstance(target, Refusal) or known is None or key in known:
            return target
        hint = did_you_mean(key, known) or "declare it in the `exports` of that module"
        return Refusal("IGN308", f"`{name}` exports no `{key}`", hint)

    return find


def _exports_of(provider: ModuleSpec, selection: Selection) -> tuple[str, ...] | None:
    """Name what a provider exports: a command all that it declares, a definition what it lists; None where nobody says."""
    if provider.command is not None:
        return tuple(provider.exports)
    definition = selection.chosen.get(provider.name, Chosen()).definition
    listed = definition.exports.get("properties") if definition and isinstance(definition.exports, dict) else None
    return tuple(listed) if isinstance(listed, dict) else None
