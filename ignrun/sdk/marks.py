"""Owns the marks that authors put on methods and config fields: `provides`, `update`, `health_check` and the written types."""

import inspect
import math
import pathlib
from collections.abc import Callable
from typing import Annotated, Any, Final, Literal, TypeVar, overload
from weakref import WeakKeyDictionary

import msgspec

F = TypeVar("F", bound=Callable[..., Any])

_PROVIDES: Final = "__ignrun_provides__"
_HEALTH_CHECK: Final = "__ignrun_health_check__"

Disposition = Literal["reconfigure", "restart", "never"]
"""What happens when a config field changes: applied in place, by a restart, or not at all."""


class Update(msgspec.Struct, frozen=True):
    """Mark on a config field: `x-ignrun-update` of its schema."""

    disposition: Disposition


class Written(msgspec.Struct, frozen=True):
    """Mark on a config field: `x-ignrun-type` of its schema, the form in which people write it."""

    kind: str


Duration = Annotated[float, Written("duration"), msgspec.Meta(ge=0)]
"""Written `2s`, `500ms`, `1h30m`; arrives as float seconds."""

Size = Annotated[int, Written("size"), msgspec.Meta(ge=0)]
"""Written `64MiB`, `10kB`; arrives as int bytes."""

Port = Annotated[int, Written("port"), msgspec.Meta(ge=0, le=65535)]
"""A TCP or UDP port number; 0 lets the system choose."""

Path = Annotated[pathlib.Path, Written("path")]
"""A path of the file system; arrives as `pathlib.Path`."""

Url = Annotated[str, Written("url")]
"""A URL, as text."""


def update(disposition: Disposition) -> Update:
    """Mark a config field, inside `Annotated`, with what its change asks for; raises ValueError."""
    if disposition not in {"reconfigure", "restart", "never"}:
        message = f"update() takes `reconfigure`, `restart` or `never`, not `{disposition}`"
        raise ValueError(message)
    return Update(disposition)


def provides(method: F) -> F:
    """Let dependents call this method wherever they run; an async generator is a stream. Values are of msgpack's types."""
    if inspect.isgeneratorfunction(method):
        message = f"`{method.__name__}` is a plain generator; a stream is an async generator (`async def` with `yield`)"
        raise TypeError(message)
    setattr(method, _PROVIDES, True)
    return method


@overload
def health_check(method: F, /) -> F: ...
@overload
def health_check(*, interval: float | None = None) -> Callable[[F], F]: ...
def health_check(method: Any = None, /, *, interval: float | None = None) -> Any:
    """Make a method one more health check, asked every `interval` seconds (default: the module's health interval).

    Raises ValueError for an interval that is no number of seconds above 0.
    """
    is_number = isinstance(interval, int | float) and not isinstance(interval, bool)
    if interval is not None and not (is_number and 0 < interval < math.inf):
        message = f"the interval of a health check is a number of seconds above 0, not {interval!r}"
        raise ValueError(message)

    def mark(function: F) -> F:
        setattr(function, _HEALTH_CHECK, interval)
        return function

    return mark if method is None else mark(method)


def provided_names(kind: type) -> tuple[str, ...]:
    """Give the names of the methods of a class that are marked `@provides`, sorted."""
    if kind not in _PROVIDED:
        _PROVIDED[kind] = tuple(sorted(name for name in dir(kind) if is_provided(kind, name)))
    return _PROVIDED[kind]


def is_provided(kind: type, name: str) -> bool:
    """Tell whether dependents may call this method of a class."""
    return getattr(getattr(kind, name, None), _PROVIDES, False) is True


def health_checks(kind: type) -> tuple[tuple[str, float | None], ...]:
    """Give name and interval of each method of a class that is marked `@health_check()`, sorted by name."""
    if kind not in _CHECKS:
        found = ((name, getattr(kind, name, None)) for name in dir(kind))
        marked = ((name, getattr(method, _HEALTH_CHECK)) for name, method in found if hasattr(method, _HEALTH_CHECK))
        _CHECKS[kind] = tuple(marked)
    return _CHECKS[kind]


_PROVIDED: WeakKeyDictionary[type, tuple[str, ...]] = WeakKeyDictionary()
_CHECKS: WeakKeyDictionary[type, tuple[tuple[str, float | None], ...]] = WeakKeyDictionary()
