"""What a service manager hears of a runner."""

import os
import socket

from ignrun.runner.notice import ServiceNotice


def test_it_hears_when_the_plant_is_up_and_when_it_goes_down(tmp_path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.bind(str(tmp_path / "notify"))
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "HOME": "/"}
        notice = ServiceNotice(environment)
        assert environment == {"HOME": "/"}  # children do not speak in its name
        notice.ready("generation 3\nis in force")
        assert door.recv(1000).decode() == f"READY=1\nSTATUS=generation 3 is in force\nMAINPID={os.getpid()}"
        notice.stopping()
        assert door.recv(1000).decode().startswith("STOPPING=1\n")


def test_without_a_manager_nothing_is_said() -> None:
    ServiceNotice({}).ready("up")


def test_a_manager_that_is_gone_is_none(tmp_path) -> None:
    ServiceNotice({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).stopping()
