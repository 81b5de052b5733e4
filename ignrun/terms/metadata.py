"""Owns ModuleMetadata, what a module says of itself."""

import msgspec


class ModuleMetadata(msgspec.Struct, frozen=True):
    """Name, version and origin of a module; `id` is that of its definition, or the module's own name without one."""

    id: str
    name: str
    version: str = "0.0.0"
    vendor: str = ""
    description: str = ""
    documentation: str = ""
    license: str = ""
