"""Owns a plant whose parts fail on demand: where, how and in which of their lives a file says."""

import json

PARTS = """
import asyncio, os, signal, socket, subprocess, time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from ignrun import Module, update

TRAP = Path(__file__).with_name("trap.txt")


class Part(Module):
    @dataclass
    class Config:
        name: str
        level: Annotated[int, update("restart")]
        pace: int = 0
        patient: bool = True

    async def startup(self):
        await self.fails("ready", self.config.level)
        self.export(level=self.config.level, pace=self.config.pace, object=id(self))

    async def initialize(self):
        await self.fails("start", self.config.level)

    async def run(self):
        await self.fails("soak", self.config.level, "hang")
        await asyncio.Event().wait()

    async def prepare_reconfigure(self, change):
        await self.fails("prepare", change.new.pace)

    async def reconfigure(self, change):
        self.export(level=change.new.level, pace=change.new.pace, object=id(self))

    async def check_health(self):
        if self.says("soak", self.config.level) == "hang":
            await asyncio.sleep(1000)

    async def shutdown(self):
        await self.fails("stop-old", self.config.level)

    def says(self, stage, value):
        who, when, which, how = TRAP.read_text().strip().split(maxsplit=3)
        return how if (who, when, which) == (self.config.name, stage, str(value)) else ""

    async def fails(self, stage, value, other=""):
        how = self.says(stage, value)
        if how == other:
            return
        if how == "raise":
            raise RuntimeError("it was to be")
        if how == "exit":
            os._exit(3)
        if how == "hang" and self.config.patient:
            await asyncio.sleep(1000)
        if how == "hang":
            time.sleep(1000)
        if how == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if how == "missing binary":
            subprocess.Popen(["/no/such/binary"])
        if how.startswith("port busy"):
            socket.create_server(("127.0.0.1", int(how.split()[-1])))
"""
"""A module that fails as the file `trap.txt` beside it says: `NAME STAGE VALUE HOW`; a busy port stands at the end of HOW."""

COMMAND = """
how() { read -r who when which how < trap.txt; [ "$who $when $which" = "$1 $2 $3" ] && echo "$how"; }
ending() {
    case $(how "$1" stop-old "$2") in
        exit) exit 3 ;;
        hang) trap '' TERM; sleep 1000 ;;
        crash) kill -SEGV $$ ;;
    esac
    kill "$child"
    exit 0
}
case $(how "$1" start "$2") in
    exit) exit 3 ;;
    crash) kill -SEGV $$ ;;
    "missing binary") exec /no/such/binary ;;
esac
case $(how "$1" ready "$2") in
    exit) sleep 0.1; exit 3 ;;
    hang) exec sleep 1000 ;;
    "port busy") echo "address already in use" >&2; exit 1 ;;
esac
trap 'ending "$1" "$2"' TERM
echo ready
case $(how "$1" soak "$2") in
    raise) sleep 0.1; exit 1 ;;
    exit) sleep 0.1; exit 0 ;;
    crash) sleep 0.1; kill -SEGV $$ ;;
esac
sleep 1000 &
child=$!
wait
"""
"""A command that fails as `trap.txt` says; told its name and its level."""

TRIOS = {"own": "abc", "shared": "def", "command": "ghi"}
"""Kinds of parts, three of each, the second needing the first and the third the second."""

_HEAD = """\
metadata: {name: trapped}
sources: [{path: .}]
apply: {soak: 0s}
defaults:
  lifecycle: {initialize_timeout: 800ms, start_timeout: 800ms, reconfigure_timeout: 800ms, stop_timeout: 800ms}
  health: {interval: 1s, timeout: 300ms}
modules:
  idle: {command: [sleep, "1000"]}
"""


def manifest(levels: dict[str, int], paces: dict[str, int], odd: dict[str, str] | None = None) -> str:
    """Write the plant, its trios at these levels and paces; `odd` replaces what is written of one part."""
    lines = [_HEAD.rstrip("\n")]
    for kind, names in TRIOS.items():
        for place, name in enumerate(names):
            needs = f", requires: [{names[place - 1]}]" if place else ""
            said = (odd or {}).get(name) or _part(kind, name, levels[kind], paces[kind])
            lines.append(f"  {name}: {{{said}{needs}}}")
    return "\n".join(lines) + "\n"


def _part(kind: str, name: str, level: int, pace: int) -> str:
    if kind == "command":
        return f"command: [sh, part.sh, {name}, {json.dumps(str(level))}], ready: {{log: ready}}"
    isolation = ", isolation: process" if kind == "own" else ""
    patient = json.dumps(kind != "own")
    return f'entry: "parts:Part"{isolation}, config: {{name: {name}, level: {level}, pace: {pace}, patient: {patient}}}'
