"""Decides what an operator's word does to one instance, and answers when it holds."""

from typing import assert_never

from msgspec.structs import replace

from ignrun.runtime.apply.gate import judge
from ignrun.runtime.apply.turn import Turn
from ignrun.runtime.supervise import moves
from ignrun.runtime.supervise.conditions import at_rest
from ignrun.runtime.supervise.effects import AnswerAsked
from ignrun.runtime.supervise.health import is_checked, look_again
from ignrun.runtime.supervise.messages import Asked
from ignrun.runtime.supervise.roster import Goal, Instance
from ignrun.terms.events import OperatorAsked
from ignrun.terms.fault import Fault
from ignrun.terms.states import ModuleState, may_move

_S = ModuleState


def ask(turn: Turn, message: Asked) -> None:
    """Take an operator's word in, or refuse it."""
    turn.record(OperatorAsked(message.verb, message.by), message.address)
    instance = turn.draft.instances.get(message.address)
    if turn.state.ending is not None:
        turn.want(AnswerAsked(message.request, "the plant is going down"))
    elif instance is None:
        turn.want(AnswerAsked(message.request, f"there is no instance `{message.address}`"))
    elif refusal := _objection(instance, message):
        turn.want(AnswerAsked(message.request, refusal))
    else:
        _do(turn, instance, message)
        turn.change(pending_asks={**turn.state.pending_asks, message.request: message.address})


def _objection(instance: Instance, message: Asked) -> str:
    """Say what speaks against it as the instance is now; empty where nothing does."""
    address, state = instance.spec.address, instance.state
    if instance.goal is Goal.GONE:
        return f"`{address}` is being removed"
    if message.verb == "maintenance" and not may_move(state, _S.MAINTENANCE) and state is not _S.MAINTENANCE:
        return f"`{address}` is {state.value}: what runs or has failed can be taken out of supervision"
    if message.verb == "maintenance" and state is _S.ERROR and instance.ordered:
        return f"`{address}` is just being started: it can be taken out of supervision when it runs, or has failed"
    if message.verb == "maintenance" and instance.goal is Goal.DOWN:
        return f"`{address}` is being stopped: only what is meant to run can be taken out of supervision"
    if message.verb == "resume" and state is not _S.MAINTENANCE:
        return f"`{address}` is not in maintenance, it is {state.value}"
    return ""


def _do(turn: Turn, instance: Instance, message: Asked) -> None:
    cause = f"{message.verb} asked by {message.by}"
    if message.verb == "maintenance":
        kept = replace(instance, held_by=message.by)
        if instance.state is _S.MAINTENANCE:
            turn.draft.put(kept)
        else:
            moves.maintain(turn.draft, kept, cause)
        return
    if instance.state is _S.MAINTENANCE and message.verb != "stop":
        checked = is_checked(turn.draft, instance)
        instance = moves.resume(turn.draft, instance, cause, checked=checked)
        if checked and instance.state is _S.RUNNING:
            instance = look_again(turn.draft, instance)
    if message.verb == "stop" and instance.state is _S.ERROR and at_rest(instance):
        given_up = replace(instance.backoff, next_retry=None, parked=False)
        instance = moves.stop(turn.draft, replace(instance, backoff=given_up), cause)
    if message.verb != "resume":
        turn.draft.put(_told(instance, message))


def _told(instance: Instance, message: Asked) -> Instance:
    cause = f"{message.verb} asked by {message.by}"
    match message.verb:
        case "stop":
            return replace(instance, goal=Goal.DOWN, held_by=message.by, cause=cause)
        case "start" if not at_rest(instance):
            return replace(instance, goal=Goal.UP, held_by="")
        case "start" | "restart":
            at_once = replace(instance.backoff, next_retry=None, parked=False)
            return replace(instance, goal=Goal.UP, held_by="", bounce=True, cause=cause, backoff=at_once)
        case "maintenance" | "resume":
            return instance
        case _:
            assert_never(message.verb)


def answer(turn: Turn) -> None:
    """Answer every request that holds by now, or no longer can."""
    for request, address in turn.state.pending_asks.items():
        instance = turn.draft.instances.get(address)
        refusal = _refusal(turn, instance)
        if refusal is not None:
            turn.want(AnswerAsked(request, refusal, address))
            pending = {r: a for r, a in turn.state.pending_asks.items() if r != request}
            turn.change(pending_asks=pending)


def _ended_badly(instance: Instance) -> str:
    """Say what went wrong when one that was told to stop ended; empty when nothing did."""
    fault = instance.fault if instance.state is _S.ERROR else None
    return f"`{instance.spec.address}` has ended, but in error: {fault.summary}" if fault else ""


def _refusal(turn: Turn, instance: Instance | None) -> str | None:
    """Say why a request cannot hold; empty when it holds, None while it may yet."""
    if turn.state.ending is not None:
        return "the plant is going down"
    if instance is None:
        return "it was removed"
    if instance.goal is not Goal.UP:
        return _ended_badly(instance) if at_rest(instance) else None
    found = judge(replace(instance, spec=replace(instance.spec, gate="healthy")))
    if isinstance(found, Fault):
        return found.summary
    if found:
        return ""
    waits_to_be_ready = instance.state is _S.ERROR and instance.fault is not None and not instance.bounce
    return instance.fault.summary if waits_to_be_ready and instance.fault else None
