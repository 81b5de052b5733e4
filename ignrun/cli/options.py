"""Owns the options that several verbs share, and the values they turn into."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from ignrun.terms.planning import Planning

F = TypeVar("F", bound=Callable[..., Any])


class Aim(msgspec.Struct, frozen=True):
    """Which plant the operator named: every part may be missing."""

    manifest: str | None = None
    state_dir: str | None = None
    name: str | None = None


class Reading(msgspec.Struct, frozen=True):
    """How the operator wants a manifest to be read."""

    modes: tuple[str, ...] = ()
    vars: dict[str, str] = {}
    sets: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    strict_env: bool = False
    locked: bool = False
    allowed: tuple[str, ...] = ()
    planning: Planning = Planning()


def aims_at_plant(function: F) -> F:
    """Add the options that name a plant; they arrive as one value, `aim`."""

    def aimed(**given: Any) -> Any:
        parts = {key: given.pop(key) for key in ("state_dir", "name")}
        chosen = given.pop("manifest_option") or given.pop("manifest", None)
        given.pop("manifest", None)
        return function(aim=Aim(chosen, **parts), **given)

    return decorated(
        function,
        aimed,
        click.option("-m", "manifest_option", metavar="MANIFEST", help="The plant of this manifest."),
        click.option("-n", "name", metavar="NAME", help="The plant of this name."),
        click.option(
            "--state-dir",
            metavar="FOLDER",
            envvar="IGNRUN_STATE_DIR",
            show_envvar=True,
            help="The plant's state folder.",
        ),
    )


def reads_manifest(function: F) -> F:
    """Add the argument that names a manifest, and the options that say how it is read; they arrive as one value, `reading`."""
    named = click.argument("manifest", required=False, metavar="[MANIFEST]")
    return named(says_how_to_read(function))


def says_how_to_read(function: F) -> F:
    """Add the options that say how a manifest is read; they arrive as one value, `reading`."""

    def read(**given: Any) -> Any:
        reading = Reading(
            modes=_split(given.pop("mode")),
            vars=dict(given.pop("var")),
            sets=tuple("=".join(pair) for pair in given.pop("set_")),
            scopes=_scopes(_split(given.pop("scope"))),
            strict_env=given.pop("strict_env"),
            locked=given.pop("locked"),
            allowed=tuple(str(absolute(path)) for path in given.pop("allow_path")),
        )
        return function(reading=reading, **given)

    return decorated(
        function,
        read,
        click.option(
            "--mode",
            multiple=True,
            metavar="MODE",
            envvar="IGNRUN_MODE",
            show_envvar=True,
            help="Overlays to merge, in order.",
        ),
        click.option("--var", multiple=True, type=PAIR, metavar="NAME=VALUE", help="Set a variable of the manifest."),
        click.option(
            "--set", "set_", multiple=True, type=PAIR, metavar="MODULE.PATH=VALUE", help="Set a config value."
        ),
        click.option("--scope", multiple=True, metavar="SCOPE", help="Activate this scope only; may be repeated."),
        click.option("--strict-env", is_flag=True, help="Make unset variables and secrets errors."),
        click.option(
            "--allow-path",
            multiple=True,
            metavar="FOLDER",
            help="Let includes and `${file:}` lie below this folder, too; may be repeated.",
        ),
        click.option("--locked", is_flag=True, help="Refuse what `ignrun.lock` does not say."),
    )


def output_option(*formats: str) -> Callable[[F], F]:
    """Add `-o`, the form of the output; the first form is the one without `-o`."""
    choice = click.Choice(formats)
    return click.option(
        "-o", "--output", type=choice, default=formats[0], show_default=True, help="Form of the output."
    )


def decorated(function: F, wrapper: Callable[..., Any], *options: Callable[[Any], Any]) -> F:
    """Put `wrapper`, with these options in this order, in front of a verb that may have options already."""
    wrapper.__name__, wrapper.__doc__ = function.__name__, function.__doc__
    wrapper.__click_params__ = list(getattr(function, "__click_params__", []))  # type: ignore[attr-defined]
    for option in reversed(options):
        option(wrapper)
    return wrapper  # type: ignore[return-value]


class _Pair(click.ParamType[tuple[str, str]]):
    """`NAME=VALUE`: the name must not be empty, the value may be."""

    name = "name=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, found, text = str(value).partition("=")
        if not name or not found:
            self.fail(f"`{value}` is not of the form NAME=VALUE", param, ctx)
        return name, text


class _Duration(click.ParamType[float]):
    """`500ms`, `2s`, `1h30m` or a plain number of seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from ignrun.terms.duration import parse_duration

        try:
            return parse_duration(float(value) if str(value).replace(".", "", 1).isdigit() else value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _Loopback(click.ParamType[str]):
    """`HOST:PORT` on loopback."""

    name = "host:port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not value:
            return ""  # the default: nowhere
        from ignrun.control.token import listening_at
        from ignrun.terms.failure import Failure

        try:
            listening_at(str(value))
        except Failure as wrong:
            self.fail(f"{wrong.summary}; {wrong.hint}", param, ctx)
        return str(value)


PAIR = _Pair()
DURATION = _Duration()
LOOPBACK = _Loopback()


def _split(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part for value in values for part in value.split(",") if part)


def _scopes(words: tuple[str, ...]) -> tuple[str, ...]:
    from ignrun.terms.hints import did_you_mean
    from ignrun.terms.names import ModuleScope

    known = [scope.word for scope in ModuleScope]
    for word in words:
        if word not in known:
            hint = did_you_mean(word, known) or f"there are {', '.join(f'`{one}`' for one in known)}"
            raise click.UsageError(f"there is no scope `{word}`; {hint}")
    return words


def absolute(path: str) -> Path:
    """Make a path absolute without resolving links: places are shown as people wrote them."""
    whole = os.path.abspath(path)  # noqa: PTH100 - `resolve` would follow links
    try:
        whole.encode()
    except UnicodeEncodeError:
        shown = whole.encode("utf-8", "backslashreplace").decode()
        raise click.UsageError(f"the path `{shown}` is not UTF-8; no manifest or journal could name it") from None
    return Path(whole)


def shown_file(path: str) -> str:
    """Show a path below the working folder as relative to it."""
    folder = os.getcwd()  # noqa: PTH109 - a text is wanted
    return os.path.relpath(path, folder) if path.startswith(folder + os.sep) else path
