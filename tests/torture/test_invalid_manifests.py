"""Spoilt manifests are saved into a folder that is watched: each is refused with its place, and nobody who runs is disturbed."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from ignrun.control.client import Client
from ignrun.terms.events import EditRefused
from tests.stories.plant import Plant, identity, new_plant, until

pytestmark = [pytest.mark.story, pytest.mark.timeout(1200)]

CODE = """
from ignrun import Module

class Part(Module):
    async def startup(self):
        self.export(object=id(self))

    async def reconfigure(self, change):
        pass
"""
SOUND = """\
metadata: {name: spoilt}
sources: [{path: .}]
apply: {soak: 0s}
watch: {settle: 30ms}
modules:
  part:
    entry: "parts:Part"
    config: {level: 1, names: [a, b]}
  other:
    entry: "parts:Part"
    isolation: process
    requires: [part]
  idle:
    command: [sleep, "1000"]
    after: [other]
"""

Spoil = Callable[[str, random.Random], str]


def cut(text: str, chance: random.Random) -> str:
    return text[: chance.randrange(1, len(text) - 1)].rstrip() + "\n  - {"


def flip(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text))
    return text[:at] + chr(ord(text[at]) ^ (1 << chance.randrange(5))) + text[at + 1 :] + "\nodd_key: 1\n"


def misspell(text: str, chance: random.Random) -> str:
    key = chance.choice(["entry", "config", "isolation", "requires", "command", "after", "modules", "sources"])
    return text.replace(f"{key}:", f"{key[:-1]}x:", 1)


def lose_a_provider(text: str, chance: random.Random) -> str:
    return text.replace("[part]", f"[part{chance.randrange(9)}]")


def turn_round(text: str, _: random.Random) -> str:
    return text.replace(
        '    entry: "parts:Part"\n    config', '    entry: "parts:Part"\n    requires: [other]\n    config', 1
    )


def mistype(text: str, chance: random.Random) -> str:
    bad = chance.choice(["12", "[x]", "{a: b}", "null", "true"])
    return text.replace("isolation: process", f"isolation: {bad}")


def junk(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text))
    return (
        text[:at]
        + chance.choice(["\t", "\x00", "\x1b[31m", "{{", "]]", "&a *a", "!!python/object:os.system x"]) * 3
        + text[at:]
    )


def empty(_text: str, chance: random.Random) -> str:
    return chance.choice(["", "\n", "# nothing\n", "null\n", "[]\n", "42\n"])


def lose_code(text: str, _: random.Random) -> str:
    return text.replace("parts:Part", "parts:Pert", 1)


def bomb(text: str, _: random.Random) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    return "\n".join(lines) + "\n" + text


SPOILS: tuple[Spoil, ...] = (
    cut, flip, misspell, lose_a_provider, turn_round, mistype, junk, empty, lose_code, bomb,
)  # fmt: skip


def ordeal(folder: Path, count: int, spoils: tuple[Spoil, ...] = SPOILS) -> list[str]:
    """Save so many spoilt manifests, one after the other, and name every one that was not refused, or that disturbed somebody."""
    failures: list[str] = []
    with new_plant(folder) as plant:
        plant.write(CODE, "parts.py")
        plant.write(SOUND)
        plant.ignrun("apply", "-d")
        client = Client(plant.status()["plant"]["socket"])
        until(lambda: client.watch().state == "watching")
        before = plant.instances()
        for seed in range(count):
            spoil = spoils[seed % len(spoils)]
            text = spoil(SOUND, random.Random(seed))
            if failure := _saved(plant, client, text, before):
                failures.append(f"{spoil.__name__}, seed {seed}: {failure}")
    return failures


def _saved(plant: Plant, client: Client, text: str, before: dict) -> str:
    seen = client.watch().outcome
    plant.manifest.write_text(text, newline="")
    until(lambda: client.watch().outcome != seen)
    outcome = client.watch().outcome
    assert outcome is not None
    now = plant.instances()
    if {address: identity(one) for address, one in now.items()} != {a: identity(one) for a, one in before.items()}:
        return "somebody was disturbed"
    if outcome.result == "unchanged":
        return ""  # the spoilt text says the same: a tab at the end of a line
    if outcome.result != "invalid":
        return f"it was {outcome.result}: {outcome.summary}"
    told = [event.body for event in client.events() if isinstance(event.body, EditRefused)][-1]
    return "" if f"{plant.manifest}" in told.reason else f"no place was given: {told.reason}"


def test_a_sound_edit_is_caught_as_none_of_these(tmp_path) -> None:
    """Show that the ordeal has power: an edit that restarts a module is no spoilt manifest."""
    assert ordeal(tmp_path, 1, (lambda text, _: text.replace('"1000"', '"1001"'),)) == [
        "<lambda>, seed 0: somebody was disturbed"
    ]


def test_sixty_spoilt_manifests_disturb_nobody(tmp_path) -> None:
    assert ordeal(tmp_path, 60) == []


@pytest.mark.torture
def test_three_hundred_spoilt_manifests_disturb_nobody(tmp_path) -> None:
    assert ordeal(tmp_path, 300) == []
