"""The corridor from inputs to proposal, and the child processes with limits in which it is walked; each part is loaded when it is asked for."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ignrun.planner.reader.bounded import propose_bounded as propose_bounded
    from ignrun.planner.reader.corridor import propose as propose
    from ignrun.planner.reader.resident import ResidentReader as ResidentReader
    from ignrun.planner.reader.surveyed import survey_bounded as survey_bounded

_OWNERS = {
    "propose_bounded": "bounded",
    "propose": "corridor",
    "ResidentReader": "resident",
    "survey_bounded": "surveyed",
}


def __getattr__(name: str) -> Any:
    if name not in _OWNERS:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_OWNERS[name]}"), name)
