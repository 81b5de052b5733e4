"""What a service manager hears of a runner."""

import os
import socket

from ignrun.runner.manager import ServiceManager


def test_it_hears_when_the_plant_is_up_and_when_it_goes_down(tmp_path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.bind(str(tmp_path / "notify"))
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "HOME": "/"}
        manager = ServiceManager(environment)
        assert environment == {"HOME": "/"}  # children do not speak in its name
        manager.ready("generation 3\nis in force")
        assert door.recv(1000).decode() == f"READY=1\nSTATUS=generation 3 is in force\nMAINPID={os.getpid()}"
        manager.stopping()
        assert door.recv(1000).decode().startswith("STOPPING=1\n")


def test_without_a_manager_nothing_is_said() -> None:
    ServiceManager({}).ready("up")


def test_a_manager_that_is_gone_is_none(tmp_path) -> None:
    ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).stopping()
