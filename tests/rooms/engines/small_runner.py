"""Turns a list of hosts and commands into a runner that does nothing but hold them, until it is killed."""

import asyncio
import json
import sys
from pathlib import Path

from ignrun.protocol.reports import Hello
from ignrun.runtime.supervise.messages import CommandReady, HostSaid
from ignrun.terms.names import HostId
from tests.rooms.engines.conftest import STUB, Bench, until


async def main(folder: str, wanted: str) -> None:
    plan = json.loads(wanted)
    bench = Bench(Path(folder), serve="tests.rooms.engines.slow_host:main" if plan["slow_template"] else STUB)
    for host in plan["hosts"]:
        bench.hosts.launch(HostId(host), 1, plan["python"])
    for number, code in enumerate(plan["commands"]):
        argv = (sys.executable, "-c", code)
        bench.spawn(*argv, address=f"c{number}@gateway", ready={"log": "up"}, stop_grace=plan["grace"])
    await until(lambda: len(bench.said(CommandReady)) == len(plan["commands"]), 30)
    await until(lambda: _hellos(bench) == len(plan["hosts"]), 30)
    sys.stdout.write("up\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def _hellos(bench: Bench) -> int:
    return sum(isinstance(said.report, Hello) for said in bench.said(HostSaid))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
