"""Owns the words for where a thing stands: scopes, module names and instance addresses."""

import enum
import re
from typing import Final, NewType

Address = NewType("Address", str)
"""`module@scope`, the full name of one instance, e.g. `historian@gateway`."""

HostId = NewType("HostId", str)
"""Name of one host of a plant, e.g. `gateway`, `gateway+1` (a fresh shared host) or `historian@gateway` (an own host)."""

MODULE_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,62}\Z")
"""What a plant, a module or a slot may be called."""


class ModuleScope(enum.Enum):
    """Where a module runs, as in Inductive Automation's Ignition."""

    GATEWAY = "G"
    CLIENT = "C"
    DESIGNER = "D"

    @property
    def word(self) -> str:
        """The scope as manifests spell it: `gateway`, `client` or `designer`."""
        return self.name.lower()

    @classmethod
    def from_word(cls, word: str) -> "ModuleScope":
        """Turn `gateway` into `GATEWAY`; raises KeyError for any other word."""
        return cls[word.upper()]


def address_of(module: str, scope: ModuleScope) -> Address:
    """Join a module's name and a scope into the address of their instance."""
    return Address(f"{module}@{scope.word}")


def split_address(address: str) -> tuple[str, ModuleScope]:
    """Split `historian@gateway` into its module name and scope; raises KeyError or ValueError for anything else."""
    module, scope = address.split("@")
    return module, ModuleScope.from_word(scope)
