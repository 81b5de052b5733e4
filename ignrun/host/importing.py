"""Turns the entries of assignments into classes, a distinct fault for each that cannot be had."""

import sys
from importlib import import_module, invalidate_caches
from typing import Final
from weakref import WeakKeyDictionary

from ignrun.host.committed import Committed
from ignrun.host.faults import import_fault
from ignrun.host.masking import Masker
from ignrun.protocol.orders import Assignment
from ignrun.protocol.reports import ImportFault, Traits
from ignrun.sdk.marks import health_checks, provided_names
from ignrun.sdk.module import AbstractIgnitionModule, module_class

_CALLBACKS = (
    "initialize", "startup", "run", "prepare_reconfigure", "reconfigure", "rebind", "check_health", "shutdown",
    "create_gateway_hook", "create_client_hook", "create_designer_hook",
)  # fmt: skip


class Importer:
    """Imports each Python module once, and remembers those that failed while one Load is answered."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._classes: dict[str, type[AbstractIgnitionModule]] = {}
        self._failed: dict[str, BaseException] = {}
        self._committed = Committed()

    def begin(self, assignments: tuple[Assignment, ...]) -> None:
        """Put the import paths of these assignments in front, in their order."""
        wanted = list(dict.fromkeys(folder for assignment in assignments for folder in assignment.path))
        sys.path[:] = wanted + [folder for folder in sys.path if folder not in wanted]
        invalidate_caches()
        self._failed.clear()

    def load(self, assignment: Assignment) -> type[AbstractIgnitionModule] | ImportFault:
        """Give the class that an assignment names, or why it cannot be had."""
        entry = assignment.entry
        try:
            if assignment.code:
                self._committed.learn(assignment.code)
            known = self._classes.get(entry)
            if known is not None:
                return known
            kind = self._classes[entry] = module_class(self._found(entry), entry)
        except BaseException as error:  # noqa: BLE001 - code of modules runs while it is imported
            return ImportFault(assignment.address, import_fault(error, entry, self._masker))
        return kind

    def end(self) -> None:
        """Leave the process as if nothing could be imported from committed bytes."""
        self._committed.withdraw()

    def _found(self, entry: str) -> object:
        name, _, path = entry.partition(":")
        if name in self._failed:
            raise self._failed[name]
        try:
            found: object = import_module(name)
        except BaseException as error:
            self._failed[name] = error
            raise
        for part in path.split("."):
            found = getattr(found, part)
        return found


def traits_of(address: str, kind: type[AbstractIgnitionModule]) -> Traits:
    """Describe what a class offers: the callbacks that it defines itself, and what it provides."""
    return Traits(address, _callbacks_of(kind), provided_names(kind))


def _callbacks_of(kind: type[AbstractIgnitionModule]) -> tuple[str, ...]:
    if kind not in _FOUND:
        callbacks = tuple(name for name in _CALLBACKS if implements(kind, name))
        _FOUND[kind] = callbacks + tuple(name for name, _ in health_checks(kind))
    return _FOUND[kind]


_FOUND: WeakKeyDictionary[type, tuple[str, ...]] = WeakKeyDictionary()


def implements(kind: type[AbstractIgnitionModule], callback: str) -> bool:
    """Tell whether a class defines a callback itself."""
    defined = _DEFINED.get(kind)
    if defined is None:
        defined = frozenset(name for name in _CALLBACKS if getattr(kind, name, None) is not _BASE.get(name))
        _DEFINED[kind] = defined
    return callback in defined


_BASE: Final = vars(AbstractIgnitionModule)
_DEFINED: Final[dict[type, frozenset[str]]] = {}
"""Asked many times in each start, so looked up by the class itself: one that was imported stays as long as the process."""
