"""Turns a number into a game: a drawn plant and everything that is done to it; plays games, and makes those that fail small."""

import random
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from ignrun.runtime.apply.decide import decide as the_decide
from tests.doubles.plants import gateway
from tests.doubles.world import Decide
from tests.laws.machine import (
    CALLBACKS,
    EDITS,
    FAILURES,
    HOMES,
    KINDS,
    NAMES,
    ON_FAILURE,
    REFUSALS,
    SECONDS,
    SOAKS,
    VERBS,
    Plants,
    need,
)

WHAT: Final = (
    *("apply",) * 4,
    *("roll_back",) * 2,
    *("ask",) * 3,
    *("fail",) * 4,
    *("host_ends",) * 2,
    *("wait",) * 3,
    *("happen",) * 3,
    *("boot",) * 2,
    "cancel",
    "shut_down",
    "command_ends",
    "fill_the_disk",
)
MOST_MOVES: Final = 50


class Move(msgspec.Struct, frozen=True):
    """One thing that is done, with what it needs."""

    what: str
    given: dict[str, Any] = {}


class Game(msgspec.Struct, frozen=True):
    """A plant, by the homes of its five modules and the needs among them as (dependent, provider, kind), and what is done to it."""

    homes: tuple[str, ...]
    needs: tuple[tuple[str, str, str], ...]
    checked: tuple[str, ...]
    wanted: tuple[str, ...]
    seed: int
    moves: tuple[Move, ...]


class _Played(Plants):
    """Plants whose moves are given, not drawn."""

    def __init__(self) -> None:
        """Leave out all that drawing needs."""


def draw(number: int, also: tuple[str, ...] = ()) -> Game:
    """Draw a game, in which what is done is `also` one of these; the same number gives the same one."""
    chance = random.Random(number)
    needs = tuple(
        (name, provider, chance.choice(KINDS))
        for place, name in enumerate(NAMES)
        for provider in sorted(chance.sample(NAMES[:place], chance.randint(0, min(2, place))))
    )
    return Game(
        homes=tuple(chance.choice(HOMES) for _ in NAMES),
        needs=needs,
        checked=tuple(name for name in NAMES if chance.random() < 0.5),
        wanted=tuple(sorted(chance.sample(NAMES, chance.randint(2, len(NAMES))))),
        seed=chance.randint(0, 2**16),
        moves=tuple(_move(chance, also) for _ in range(chance.randint(5, MOST_MOVES))),
    )


def _move(chance: random.Random, also: tuple[str, ...]) -> Move:
    what, runs = chance.choice((*WHAT, *also)), chance.random() < 0.5
    return Move(what, _given(chance, what, runs=runs))


def _given(chance: random.Random, what: str, *, runs: bool) -> dict[str, Any]:
    match what:
        case "apply":
            return {
                "names": sorted(chance.sample(NAMES, chance.randint(1, 3))),
                "how": chance.choice(EDITS),
                "soak": chance.choice(SOAKS),
                "on_failure": chance.choice(ON_FAILURE),
                "retry": chance.random() < 0.5,
                "runs": runs,
            }
        case "roll_back":
            return {"back": chance.randint(1, 4), "runs": runs}
        case "ask":
            return {"verb": chance.choice(VERBS), "name": chance.choice(NAMES), "runs": runs}
        case "fail":
            outcomes = [chance.choice(FAILURES) for _ in range(chance.randint(1, 2))]
            return {"name": chance.choice(NAMES), "callback": chance.choice(CALLBACKS), "outcomes": outcomes}
        case "host_ends":
            return {"which": chance.randint(0, 9), "silent": chance.random() < 0.5, "runs": runs}
        case "command_ends":
            return {"which": chance.randint(0, 9), "runs": runs}
        case "fill_the_disk":
            return {"what": sorted(chance.choice(REFUSALS))}
        case "wait":
            return {"seconds": chance.choice(SECONDS)}
        case "happen":
            return {"steps": chance.randint(1, 6)}
        case "boot" | "crash_the_runner":
            return {"other": chance.random() < 0.5}
        case "shut_down":
            return {"twice": chance.random() < 0.5}
        case _:
            return {}


def play(game: Game, decide: Decide = the_decide, over: type[Plants] = Plants) -> Plants:
    """Play a game to its end; AssertionError, or whatever the decisions raise, where a law is broken."""
    own = {"decide": staticmethod(decide), "phases": set(), "states": set()}
    plants: Plants = type("Played", (_Played, over) if over is not Plants else (_Played,), own)()
    try:
        _play(plants, game)
    finally:
        plants.close()
    return plants


def _play(plants: Plants, game: Game) -> None:
    homes = dict(zip(NAMES, game.homes, strict=True))
    edges = tuple(need(dependent, provider, kind, homes) for dependent, provider, kind in game.needs)
    plants.open(homes, edges, {gateway(name) for name in game.checked}, set(game.wanted), game.seed)
    plants.nothing_is_wrong()
    for move in game.moves:
        _do(plants, move)
        plants.nothing_is_wrong()
    plants.teardown()


def _do(plants: Plants, move: Move) -> None:
    """Do what can be done now; what cannot is left out."""
    world, given = plants.world, move.given
    match move.what:
        case "fail":
            plants.fail(**given)
        case "fill_the_disk":
            plants.fill_the_disk(frozenset(given["what"]))
        case "boot":
            if not plants.alive:
                plants.boot(**given)
        case _ if not plants.alive:
            pass
        case "host_ends":
            if hosts := sorted(world.hosts):
                plants.end_a_host(hosts[given["which"] % len(hosts)], silent=given["silent"], runs=given["runs"])
        case "command_ends":
            if commands := sorted(world.commands):
                plants.end_a_command(commands[given["which"] % len(commands)], runs=given["runs"])
        case "cancel":
            if world.state.transaction is not None:
                plants.cancel()
        case "shut_down":
            if world.turns > 40:
                plants.shut_down(**given)
        case "apply":
            plants.apply(**{**given, "names": set(given["names"])})
        case _:
            getattr(plants, move.what)(**given)


def complaint_of(game: Game, decide: Decide = the_decide, over: type[Plants] = Plants) -> str:
    """Say what is wrong with how a game goes, without names and numbers; empty where nothing is."""
    try:
        play(game, decide, over)
    except Exception as error:
        first = f"{type(error).__name__}: {error}".partition("\n")[0]
        return re.sub(r"[\d.]+", "0", re.sub(r"\b[a-e]@gateway\b", "X", first))[:60]
    return ""


def smallest(game: Game, complaint: Callable[[Game], str] = complaint_of) -> Game:
    """Leave out of a game whatever can be left out while it fails in the same way."""
    wanted = complaint(game)
    length = max(1, len(game.moves) // 2)
    while True:
        found = next((less for less in _smaller(game, length) if complaint(less) == wanted), None)
        if found is not None:
            game = found
        elif length > 1:
            length //= 2
        else:
            return game


def _smaller(game: Game, length: int) -> Iterator[Game]:
    moves = game.moves
    yield from (replace(game, moves=moves[:i] + moves[i + length :]) for i in range(len(moves)))
    if length > 1:
        return
    yield from (replace(game, needs=game.needs[:i] + game.needs[i + 1 :]) for i in range(len(game.needs)))
    yield from (replace(game, checked=tuple(c for c in game.checked if c != one)) for one in game.checked)
    yield from (replace(game, wanted=tuple(w for w in game.wanted if w != one)) for one in game.wanted)
    for i, move in enumerate(moves):
        for key in ("names", "outcomes"):
            kept = move.given.get(key, [])
            if len(kept) > 1:
                for place in range(len(kept)):
                    less = Move(move.what, {**move.given, key: kept[:place] + kept[place + 1 :]})
                    yield replace(game, moves=(*moves[:i], less, *moves[i + 1 :]))


def _print_failing(numbers: range, over: type[Plants], also: tuple[str, ...]) -> None:
    for number in numbers:
        if found := complaint_of(draw(number, also), over=over):
            game = smallest(draw(number, also), lambda one: complaint_of(one, over=over))
            shown = msgspec.json.format(msgspec.json.encode(game), indent=1)
            sys.stdout.write(f"{number}: {found}\n{shown.decode()}\n")


if __name__ == "__main__":
    numbers, real = range(int(sys.argv[1]), int(sys.argv[2])), sys.argv[3:] == ["runner"]
    if real:
        from tests.laws.machine_over_runner import ALSO, RunnerPlants

        _print_failing(numbers, RunnerPlants, ALSO)
    else:
        _print_failing(numbers, Plants, ())
