"""Turns the blocks that say how a module is started, checked and stopped into policies, defaults below them."""

from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from ignrun.manifest.model import (
    Alert,
    ApplyPolicy,
    HealthPolicy,
    Lifecycle,
    Limits,
    LogPolicy,
    Oneshot,
    ReloadPolicy,
    StopPolicy,
    WatchPolicy,
)
from ignrun.manifest.shape import (
    AlertText,
    ApplyText,
    Block,
    CheckText,
    HealthText,
    LifecycleText,
    LimitsText,
    LogText,
    OneshotText,
    ProbeText,
    ReloadText,
    RestartText,
    StopText,
    WatchText,
)
from ignrun.terms.duration import parse_duration, parse_size
from ignrun.terms.spans import Span

_AS_WRITTEN: Final = frozenset({"threshold", "jitter", "failures", "on_unhealthy", "on_failure", "runtime_config", "cpu", "files", "to", "level", "code"})  # fmt: skip


def lifecycle(base: Lifecycle, text: LifecycleText | UnsetType) -> Lifecycle:
    """Put what a block says over `base`; `restart` is a policy or a block of its own."""
    if text is UNSET:
        return base
    changes = _written(text, "restart")
    match text.restart:
        case RestartText() as restart:
            changes |= _written(restart, "policy")
            if restart.policy is not UNSET:
                changes["restart"] = restart.policy
        case str() as policy:
            changes["restart"] = policy
    return replace(base, **changes)


def health(base: HealthPolicy, text: HealthText | UnsetType) -> HealthPolicy:
    """Put what a block says over `base`."""
    if text is UNSET:
        return base
    changes = _written(text, "check")
    if text.check is not UNSET:
        changes["check"] = probe(text.check)
    return replace(base, **changes)


def stop(text: StopText | UnsetType) -> StopPolicy:
    """Take over the signal, written with or without `SIG`."""
    if text is UNSET or text.signal is UNSET:
        return StopPolicy()
    return StopPolicy(text.signal.removeprefix("SIG"))


def oneshot(text: bool | OneshotText | UnsetType) -> Oneshot | None:  # noqa: FBT001 - `oneshot: true` is how it is written
    """Give None for what keeps running."""
    match text:
        case True:
            return Oneshot()
        case OneshotText():
            return Oneshot() if text.rerun is UNSET else Oneshot(text.rerun)
        case _:
            return None


def apply_policy(text: ApplyText | UnsetType) -> ApplyPolicy:
    """Give how an apply goes."""
    return ApplyPolicy() if text is UNSET else ApplyPolicy(**_written(text))


def limits(text: LimitsText | UnsetType) -> Limits | None:
    """Give the limits, memory in bytes."""
    if text is UNSET:
        return None
    changes = _written(text, "memory")
    return Limits(**changes, memory=None if text.memory is UNSET else parse_size(text.memory))


def reload(text: ReloadText | UnsetType) -> ReloadPolicy | None:
    """Take over the signal, written with or without `SIG`."""
    if text is UNSET:
        return None
    return ReloadPolicy(text.signal.removeprefix("SIG"), text.ack or "ready")


def log(text: LogText | UnsetType) -> LogPolicy:
    """Give where output goes."""
    return LogPolicy() if text is UNSET else LogPolicy(**_written(text))


def watch(text: WatchText) -> WatchPolicy:
    """Give how files are watched, without the trigger, whose folder is not known here."""
    return WatchPolicy(**_written(text, "trigger"))


def alert(name: str, text: AlertText, when: dict[str, Any], span: Span) -> Alert:
    """Give an alert; `when` is taken as it is written."""
    actions = tuple(one if isinstance(one, str) else msgspec.to_builtins(one) for one in text.then or ("log",))
    lasting = 0.0 if text.for_ is UNSET else parse_duration(text.for_)
    return Alert(name, when, span, lasting, text.severity or "warning", actions)


def probe(text: str | ProbeText | CheckText | UnsetType) -> Any:
    """Give a probe in its raw form: a text, or a mapping with one of `log`, `exec`, `tcp`, `http`; None without one."""
    if text is UNSET:
        return None
    return (
        text
        if isinstance(text, str)
        else {name: value for name in text.__struct_fields__ if (value := getattr(text, name)) is not UNSET}
    )


def _written(block: Block, *but: str) -> dict[str, Any]:
    """Collect what a block sets, durations in seconds."""
    return {
        name: value if name in _AS_WRITTEN else parse_duration(value)
        for name in block.__struct_fields__
        if name not in but and (value := getattr(block, name)) is not UNSET
    }
