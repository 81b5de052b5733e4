"""Decides everything that a runner does next: turns its state and what it heard into its next state and what is to be done."""

from typing import assert_never

from ignrun.protocol.reports import Prepared
from ignrun.runtime.apply import holds, prepare, transaction
from ignrun.runtime.apply.ask import answer, ask
from ignrun.runtime.apply.cancel import cancel
from ignrun.runtime.apply.propose import propose
from ignrun.runtime.apply.shutdown import finish, shut_down
from ignrun.runtime.apply.state import Phase, State
from ignrun.runtime.apply.turn import Turn
from ignrun.runtime.supervise import decide as supervise
from ignrun.runtime.supervise import timers
from ignrun.runtime.supervise.absorb import absorb
from ignrun.runtime.supervise.dispatch import dispatch
from ignrun.runtime.supervise.effects import Effect, WakeAt
from ignrun.runtime.supervise.messages import (
    ApplyProposed,
    Asked,
    CancelAsked,
    CommandEnded,
    CommandFailed,
    CommandReady,
    CommandReloaded,
    CommandStarted,
    HostEnded,
    HostLaunched,
    HostSaid,
    IntentDurable,
    JournalRefused,
    Message,
    OutcomeDurable,
    Probed,
    ShutdownAsked,
    Woke,
)
from ignrun.runtime.supervise.now import Now


def decide(state: State, inbox: tuple[Message, ...], now: Now) -> tuple[State, tuple[Effect, ...]]:
    """Take in the whole inbox at the moment `now`; give the next state and the effects to perform, in their order.

    Nothing that is handed in is written into. An empty inbox, with no timer due, changes nothing and asks for nothing.
    """
    turn = Turn(state, now)
    for message in inbox:
        _hear(turn, message)
    timers.fire(turn.draft)
    _settle(turn)
    holds.keep(turn)
    answer(turn)
    dispatch(turn.draft)
    finish(turn)
    _wake(turn)
    return turn.result(), tuple(turn.draft.effects)


def _hear(turn: Turn, message: Message) -> None:  # noqa: C901 - one case for each message
    match message:
        case ApplyProposed():
            propose(turn, message)
        case CancelAsked():
            cancel(turn, message)
        case IntentDurable():
            transaction.intent_durable(turn, message)
        case OutcomeDurable():
            transaction.outcome_durable(turn, message)
        case JournalRefused():
            transaction.journal_refused(turn, message)
        case HostEnded():
            _hear_end(turn, message)
        case HostSaid():
            _hear_host(turn, message)
        case (
            HostLaunched()
            | CommandStarted()
            | CommandReady()
            | CommandFailed()
            | CommandEnded()
            | CommandReloaded()
            | Probed()
        ):
            absorb(turn.draft, message)
        case Asked():
            ask(turn, message)
        case ShutdownAsked():
            shut_down(turn, message)
        case Woke():
            turn.change(wake=None)
        case _:
            assert_never(message)


def _hear_host(turn: Turn, message: HostSaid) -> None:
    open_one = turn.state.transaction
    if isinstance(message.report, Prepared) and open_one is not None and open_one.phase is Phase.PREPARING:
        prepare.note_answer(turn, message, message.report)
    absorb(turn.draft, message)


def _hear_end(turn: Turn, message: HostEnded) -> None:
    open_one = turn.state.transaction
    if open_one is not None and open_one.phase is Phase.PREPARING:
        prepare.note_end(turn, message)
    absorb(turn.draft, message)


def _settle(turn: Turn) -> None:
    """Let supervision and the transaction take turns until both have nothing left to do."""
    supervise.decide(turn.draft)
    while transaction.advance(turn) or turn.draft.dirty or turn.draft.dirty_hosts:
        supervise.decide(turn.draft)


def _wake(turn: Turn) -> None:
    times = [time for time in (timers.earliest(turn.draft), transaction.wakes(turn)) if time is not None]
    at = min(times, default=None)
    if at is not None and at != turn.state.wake:
        turn.want(WakeAt(at))
        turn.change(wake=at)
