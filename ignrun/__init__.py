"""Hands the public names on, each imported only when somebody asks for it."""

from importlib import import_module

__version__ = "0.1.0"

# Public name -> the module that owns it. `import ignrun` must stay as quick as `import sys`.
_OWNERS: dict[str, str] = {}

__all__ = ["__version__", *_OWNERS]  # noqa: PLE0604 - the names are known only through the table


def __getattr__(name: str) -> object:
    if name in _OWNERS:
        return getattr(import_module(_OWNERS[name]), name)
    message = f"module `ignrun` has no attribute `{name}`"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted(__all__)
