"""Owns RunnerWorld, a world in which all is real but time and processes: the runner's loop, its performer, its journal on a disk."""

import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final

from ignrun.planner.graph.model import EMPTY, Graph, Hosted, InstanceSpec
from ignrun.protocol.code import CodeIndex
from ignrun.runner.assemble import first_state
from ignrun.runner.fill import fill_all
from ignrun.runner.loop import Loop
from ignrun.runner.perform import Performer
from ignrun.runner.secrets import SecretStore
from ignrun.runner.unsent import Unsent
from ignrun.runtime.apply.state import Good, State
from ignrun.runtime.journal.code import CodeStore
from ignrun.runtime.journal.folder import StateFolder
from ignrun.runtime.journal.overlays import Overlays
from ignrun.runtime.journal.recovery import happenings_of
from ignrun.runtime.journal.schema import open_for_reading
from ignrun.runtime.journal.store import last_event
from ignrun.runtime.journal.writer import Journal, events_of_store
from ignrun.runtime.supervise.effects import (
    AnswerApply,
    AnswerAsked,
    Effect,
    KeepIntent,
    KeepOutcome,
    LoadHost,
    PrepareHost,
    Record,
    ReloadCommand,
    Result,
    ReviseHost,
    SpawnCommand,
)
from ignrun.runtime.supervise.messages import Asked, HostSaid, Message
from ignrun.runtime.supervise.now import Now
from ignrun.terms.events import EventsLost, JournalStalled
from ignrun.terms.names import Address
from ignrun.terms.secret import Secret
from tests.doubles.disk import Disk, WitnessedJournal
from tests.doubles.event_loop import EARLY, StandingLoop
from tests.doubles.plants import DAWN, gateway
from tests.doubles.scripts import Scripts
from tests.doubles.world import World

VERSIONS: Final = ("1", "2")
"""The versions of code that a plant can be made of."""

NOT_TO_BE_HAD: Final = {
    "import": {"fatal", "hang", "not-ready"},
    "prepare": {"fatal", "hang"},
    "reconfigure": {"fatal", "hang"},
    "startup": {"fatal"},
    "reload": {"fatal"},
}
"""Outcomes, by the callback that is told to have them, that are here those of a secret which is not to be had for a description."""


class RunnerWorld(World):
    """The same world, played on by the real runner: its parts are put together here as `assemble.py` does.

    The state folder `folder` outlives it, for the next one. Where a callback is scripted to end as NOT_TO_BE_HAD says, a secret is missing when
    its order is filled in (`startup`: that of a command).
    """

    def __init__(self, folder: Path, scripts: Scripts, seed: int) -> None:
        super().__init__(scripts, seed)
        self.folder = StateFolder(folder)
        self.disk = Disk()
        self.time = StandingLoop(lambda: self.mono)
        self.secrets = _Secrets()
        self.unsent = Unsent()
        self.code_store = CodeStore(self.folder.code)
        self.code_store.keep({version: _code(folder, version) for version in VERSIONS})
        self._before = _events_in(self.folder.journal)  # who looks later may see what was put right, or not yet
        self.real = Journal(
            self.folder.journal, lambda _: None, connect=self.disk.connect, code=self.code_store, clock=self
        )
        self._before += len(happenings_of(self.real.recovered()))
        self._is_closed = self.has_crashed = False
        self.journal = WitnessedJournal(self.real, self.folder.journal)
        self.calls: deque[Callable[[], None]] = deque()  # what the journal's thread wants called in the loop
        self.found: Good | None = None  # what was good when it began
        self._asked: dict[int, Address] = {}
        self._turn: tuple[Effect, ...] = ()
        self._bugs: list[Exception] = []
        self.loop = Loop(first_state(self.real), self, self._bugs.append)
        self.loop.perform_by(self._take_turn)
        self.performer = self._performer()
        self.state = self.loop.state

    def _performer(self) -> Performer:
        return Performer(
            hosts=self.engines,  # type: ignore[arg-type]
            commands=self.engines,  # type: ignore[arg-type]
            journal=self.journal,  # type: ignore[arg-type]
            secrets=self.secrets,
            code=self.code_store,
            overlays=Overlays(self.folder.config),
            unsent=self.unsent,
            author="ada",
            hear=self._hear_at_once,
            hear_from_thread=partial(self.engines.send, "journal"),
            answer=self._answer,
            end=self._end,
            call_in_loop=self.calls.append,
        )

    # --- the clock ----------------------------------------------------------------------------------------------------

    def utc(self) -> datetime:
        """Give the time of day."""
        return DAWN

    def monotonic(self) -> float:
        """Give the time that passes."""
        return self.mono

    def _wake_up(self) -> None:
        self.time.ring()
        self.tell()

    # --- the loop -----------------------------------------------------------------------------------------------------

    def tell(self, *inbox: Message) -> tuple[Effect, ...]:
        """Let the loop hear this inbox and take its turn."""
        assert self.code is None or not inbox, f"the runner has ended and still hears {inbox}"
        self._turn = ()
        self._asked |= {message.request: message.address for message in inbox if isinstance(message, Asked)}
        with self.time.running():
            for message in inbox:
                self.loop.hear(self.unsent.added_to(message))
        self.time.run()
        if self._bugs:
            raise self._bugs[0]
        self.turns += 1
        self.state, self.wake = self.loop.state, self.time.due()
        self._look_at_timer()
        self._look_at_code()
        return self._turn

    def happen(self) -> bool:
        """Let one thing happen, and sometimes what the journal's thread wants called."""
        if not self.calls or (self.choose.random() < 0.7 and super().happen()):
            return bool(self.calls) or super().happen()
        self.calls.popleft()()
        return True

    def _take_turn(self, state: State, effects: tuple[Effect, ...], now: Now) -> None:
        self._turn = effects
        self.effects += effects
        self.happenings += [effect.happening for effect in effects if isinstance(effect, Record)]
        self._fill_disk(full=self._is_full_for(effects))
        self.secrets.missing = frozenset(self._missing_for(effects))
        self.performer(state, effects, now)
        self.journal.wait()
        self.secrets.missing = frozenset()
        self._fill_disk(full=self._is_full_for(()))
        self.complaints += self.journal.taken_complaints()

    def _hear_at_once(self, message: Message) -> None:
        """Put what the performer answers by itself where it would have come from."""
        subject = f"host {message.host}" if isinstance(message, HostSaid) else f"command {message.address}"  # type: ignore[union-attr]
        self.engines.send(subject, message)

    def _answer(self, effect: AnswerApply | AnswerAsked) -> None:
        super()._answer(effect)
        if isinstance(effect, AnswerAsked) and not effect.refusal:
            address = self._asked[effect.request]
            promised, kept = self.loop.state.holds.get(address), self.real.holds().get(address)
            if promised != kept and self.loop.state.ending is None:
                self.complaints.append(f"{address} is held by {promised}, it was said, and kept is {kept}")

    def _end(self, code: int) -> None:
        super()._end(code)
        self.journal.wait()
        while self.calls:
            self.calls.popleft()()

    # --- what goes wrong ----------------------------------------------------------------------------------------------

    def _is_full_for(self, effects: tuple[Effect, ...]) -> bool:
        """Tell whether the disk is full: always where both are refused, else while the one is kept that is."""
        kinds = {"intent": KeepIntent, "outcome": KeepOutcome}
        wanted = {name for name, kind in kinds.items() if any(isinstance(effect, kind) for effect in effects)}
        return len(self.journal_refuses) == len(kinds) or bool(wanted & self.journal_refuses)

    def _fill_disk(self, *, full: bool) -> None:
        """Let the disk be full, or not any more: the journal notices when it is asked to keep what is kept already."""
        was, self.disk.full = self.disk.full, full
        if was and not full:
            self.journal.keep_holds(self.real.holds(), lambda _: None)
            self.journal.wait()

    def _missing_for(self, effects: tuple[Effect, ...]) -> Iterator[str]:
        for address, callback in _filled_in(effects):
            outcomes = self.scripts.outcomes.get((address, callback))
            if outcomes and outcomes[0] in NOT_TO_BE_HAD[callback]:
                outcomes.pop(0)
                yield key_of(address)

    # --- what only this world can see ---------------------------------------------------------------------------------

    def _look_at_timer(self) -> None:
        due, wanted = self.time.due(), self.state.wake
        if wanted is not None and (due is None or due > max(wanted, self.mono) + EARLY):
            self.complaints.append(f"the runner is to wake at {wanted}, and its timer is due at {due}")

    def _look_at_code(self) -> None:
        for host in self.hosts.values():
            for address, one in host.live.items():
                known = self.state.roster.instances.get(Address(address))
                if known is None or known.epoch != one.epoch or not isinstance(known.spec.body, Hosted):
                    continue
                index = str(self.code_store.index(known.spec.body.code))
                if known.next_spec is None and host.codes[address] != index:
                    self.complaints.append(f"{address} was imported from {host.codes[address]}, not from {index}")

    def config_of(self, spec: InstanceSpec) -> object:
        """Give the config that a host is to be told, its secret filled in."""
        return fill_all(spec.config, self.secrets.in_force(), {})

    # --- one runner after another -------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the journal; what was said to be kept is still there, and all that happened."""
        if self._is_closed:
            return
        self._is_closed = True
        self.real.close()
        self.complaints += self.journal.lost()
        own = EventsLost | JournalStalled
        events = events_of_store(self.folder.journal, self._before, limit=100_000)
        kept = [(one.subject, one.body) for one in events if not isinstance(one.body, own)]
        happened = [(one.subject, one.body) for one in self.happenings]
        if kept != (happened[: len(kept)] if self.disk.full else happened):
            self.complaints.append(f"of {len(happened)} happenings {len(kept)} are kept")

    def crash(self) -> None:
        """End the runner as signal 9 does, hosts and all: of its folder only is left what lay on the disk at that moment."""
        self.journal.keep_holds(self.real.holds(), lambda _: None)  # so that nothing is written while it is copied
        self.journal.wait()
        left = self.folder.path.with_name(f"{self.folder.path.name}.left")
        shutil.copytree(self.folder.path, left)
        self._is_closed = self.has_crashed = True
        self.real.close()
        shutil.rmtree(self.folder.path)
        left.rename(self.folder.path)

    def follow(self, before: World) -> Good | None:
        """Begin with what lies in the folder, which is to be what the runner before has said; gives what was good at last."""
        assert isinstance(before, RunnerWorld)
        was, complaints = before.state, [*before.complaints, *before.journal.lost()]
        assert not complaints, complaints
        assert self.state.holds == before.journal.kept_holds, "an operator's word is forgotten, or came from nowhere"
        assert self.state.last_generation <= was.last_generation, "a generation came from nowhere"
        assert self.state.last_transaction <= was.last_transaction, "a transaction came from nowhere"
        assert all(entry.result for entry in self.real.generations(1000)), "an apply has begun and not ended"
        found = self.real.generation(self.real.good())
        kept = Good(found.entry.number, found.content.graph, found.content.target) if found else None
        if not before.disk.full:
            may = [was.good or before.found, *_about_to_be_good(before)]
            said = f"{may[0] and may[0].generation} was good, and kept is {kept and kept.generation}"
            assert _of(kept) in [_of(one) for one in may], said
        self.found = kept
        return kept


def _of(good: Good | None) -> tuple[int, Graph]:
    """Give what a good generation is known by; one in which nothing runs is as good as none."""
    return (good.generation, good.graph) if good and good.graph.instances else (0, EMPTY)


def _about_to_be_good(crashed: RunnerWorld) -> Iterator[Good]:
    """Give what the runner knew to be good, and had not heard yet that it is kept."""
    closing = crashed.state.transaction
    if crashed.has_crashed and closing and closing.outcome and closing.outcome.result is Result.COMMITTED:
        yield Good(closing.generation, closing.proposal.graph, closing.proposal.target)


class _Secrets(SecretStore):
    """Secrets of which some are not to be had for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.missing: frozenset[str] = frozenset()
        self.offer(0, {key_of(gateway(name)): f"text of {name}" for name in "abcde"})
        self.accept(0)

    def _with(self, numbers: Iterable[int]) -> dict[str, Secret]:
        return {name: text for name, text in super()._with(numbers).items() if name not in self.missing}

    def in_force(self) -> dict[str, Secret]:
        """Give those in force that are to be had."""
        return {name: text for name, text in super().in_force().items() if name not in self.missing}


def key_of(address: str) -> str:
    """Name the secret that stands in the config of an instance."""
    return f"KEY_OF_{address}"


def _events_in(journal: Path) -> int:
    if not journal.exists():
        return 0
    with closing(open_for_reading(journal)) as connection:
        return last_event(connection)


def _code(folder: Path, version: str) -> CodeIndex:
    file = folder / f"version{version}.py"
    file.write_text(version)
    return CodeIndex({str(file): sha256(version.encode()).hexdigest()})


def _filled_in(effects: tuple[Effect, ...]) -> Iterator[tuple[Address, str]]:
    """Name who is described in these effects, and by the outcomes of which callback that can fail."""
    for effect in effects:
        match effect:
            case LoadHost(specs=specs):
                yield from ((spec.address, "import") for spec in specs)
            case PrepareHost(revisings=revisings):
                yield from ((one.spec.address, "prepare") for one in revisings)
            case ReviseHost(revisings=revisings):
                yield from ((one.spec.address, "reconfigure") for one in revisings)
            case SpawnCommand(spec=spec):
                yield spec.address, "startup"
            case ReloadCommand(spec=spec):
                yield spec.address, "reload"
            case _:
                pass
