"""Owns the options that say how an apply goes, which `run` and `apply` share, and the value they turn into."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from ignrun.cli.options import DURATION, LOOPBACK, decorated

if TYPE_CHECKING:
    from ignrun.control.wire import ApplyOptions

F = TypeVar("F", bound=Callable[..., Any])

_NAMES: Final = ("soak", "on_failure", "retry", "watch", "dev", "lock_timeout")


def says_how_to_apply(function: F) -> F:
    """Add the options that say how an apply goes; they arrive as one value, `options`."""

    def converging(**given: Any) -> Any:
        chosen = {name: given.pop(name) for name in _NAMES}
        return function(options=_options(**chosen), **given)

    return decorated(
        function,
        converging,
        click.option("--soak", type=DURATION, help="How long a change must hold before it is committed."),
        click.option(
            "--on-failure",
            type=click.Choice(("rollback", "hold", "exit")),
            help="What a change that turns out bad leads to.",
        ),
        click.option("--retry", is_flag=True, help="Try once more what was rejected or rolled back before."),
        click.option("--watch", is_flag=True, help="Apply each later change of the files, too."),
        click.option("--dev", is_flag=True, help="Watch code as well; no soak, and hold what turns out bad."),
        click.option(
            "--lock-timeout",
            type=DURATION,
            help="How long to wait while another change is made; past it the exit code is 5. As long as it takes, unless given.",
        ),
    )


def listen_option(function: F) -> F:
    """Add `--listen`, where a runner that begins answers besides its socket; empty for nowhere."""
    words = "Serve the API on loopback too, for whoever shows the token of the state folder."
    return click.option("--listen", type=LOOPBACK, default="", metavar="HOST:PORT", help=words)(function)


def _options(
    *, soak: float | None, on_failure: str | None, retry: bool, watch: bool, dev: bool, lock_timeout: float | None
) -> "ApplyOptions":
    import msgspec

    from ignrun.control.wire import ApplyOptions

    said = {
        "soak": soak,
        "on_failure": on_failure,
        "retry": retry,
        "watch": watch or dev,
        "code": dev,
        "lock_timeout": lock_timeout,
    }
    if dev:
        said |= {"soak": 0.0 if soak is None else soak, "on_failure": on_failure or "hold"}
    return msgspec.convert(said, ApplyOptions)
