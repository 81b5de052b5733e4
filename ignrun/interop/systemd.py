"""Turns a plant into the unit of a systemd service that runs it."""

from collections.abc import Iterable
from typing import Final

import msgspec

from ignrun.terms.failure import Failure

FRUITLESS: Final = (2, 3, 4, 9)
"""Exit codes after which the same start would end the same way: usage, an invalid manifest, versions, a policy."""

_ASKED_TO_END: Final = 143
"""The exit code of a runner that was sent TERM; the command line's enum holds the same number."""

_SIGNS: Final = {"\\": "\\\\", '"': '\\"', "%": "%%", "$": "$$"}


class Service(msgspec.Struct, frozen=True):
    """What a unit says: `program` is the argv in front of the verb, `arguments` follow the manifest; paths are absolute.

    `stop` is how long the plant may take to go down, in seconds; `user` is empty for a unit of the user's own manager.
    """

    plant: str
    manifest: str
    folder: str
    program: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    stop: float = 90.0
    user: str = ""
    of_system: bool = False


def unit_text(service: Service) -> str:
    """Write the unit; raises Failure where a path cannot stand in one."""
    start = _words((*service.program, "run", service.manifest, *service.arguments))
    network = "network-online.target" if service.of_system else ""
    lines = [
        "[Unit]",
        f"Description=ignrun plant {_checked(service.plant).replace('%', '%%')}",
        *([f"Wants={network}", f"After={network}"] if network else []),
        "",
        "[Service]",
        "Type=notify",
        "NotifyAccess=main",
        f"ExecStart={start}",
        f"WorkingDirectory={_path(service.folder)}",
        *([f"User={_checked(service.user)}"] if service.user else []),
        "Restart=on-failure",
        "RestartSec=1s",
        f"RestartPreventExitStatus={' '.join(map(str, FRUITLESS))}",
        f"SuccessExitStatus={_ASKED_TO_END}",
        "# Modules are stopped by the runner, in reverse order; what is left after that is ended by systemd.",
        "KillMode=mixed",
        "# Each command gets a group of its own below this one, by which all that it forks is found.",
        "Delegate=yes",
        f"TimeoutStopSec={service.stop:g}s",
        "# A first start may take as long as its modules do.",
        "TimeoutStartSec=infinity",
        "",
        "[Install]",
        f"WantedBy={'multi-user' if service.of_system else 'default'}.target",
    ]
    return "\n".join(lines) + "\n"


def _words(words: Iterable[str]) -> str:
    return " ".join(_word(one) for one in words)


def _word(word: str) -> str:
    """Quote one argument as `ExecStart=` reads it: no specifier, no variable, one word."""
    escaped = "".join(_SIGNS.get(letter, letter) for letter in _checked(word))
    return (
        escaped if escaped.replace("$$", "").replace("%%", "").isidentifier() or _is_plain(escaped) else f'"{escaped}"'
    )


def _is_plain(word: str) -> bool:
    return bool(word) and all(letter.isalnum() or letter in "/._-=:@,+%$" for letter in word)


def _path(path: str) -> str:
    return _checked(path).replace("%", "%%")


def _checked(text: str) -> str:
    """Refuse what no quoting brings into a unit."""
    if any(letter < " " or letter == "\x7f" for letter in text):
        raise Failure(f"{text!r} holds a control character: no unit can name it", "move or rename it")
    return text
