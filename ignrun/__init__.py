"""Hands the public names on, each imported only when somebody asks for it."""

from importlib import import_module

__version__ = "0.1.0"

# Public name -> the module that owns it. `import ignrun` must stay as quick as `import sys`.
_OWNERS: dict[str, str] = {
    "AbstractIgnitionModule": "ignrun.sdk",
    "BasicExampleModule": "ignrun.examples.basic.module",
    "CallFailed": "ignrun.sdk",
    "ConfigChange": "ignrun.sdk",
    "ConfigurationValidator": "ignrun.sdk",
    "Duration": "ignrun.sdk",
    "Fatal": "ignrun.sdk",
    "FunctionModule": "ignrun.sdk",
    "Health": "ignrun.sdk",
    "HealthResult": "ignrun.sdk",
    "LifecycleEvent": "ignrun.sdk",
    "Module": "ignrun.sdk",
    "ModuleConfigurationManager": "ignrun.sdk",
    "ModuleContext": "ignrun.sdk",
    "ModuleDiagnosticsManager": "ignrun.sdk",
    "ModuleLifecycleManager": "ignrun.sdk",
    "ModuleMetadata": "ignrun.sdk",
    "ModuleScope": "ignrun.sdk",
    "ModuleState": "ignrun.sdk",
    "ModuleStatistics": "ignrun.sdk",
    "NotReady": "ignrun.sdk",
    "Path": "ignrun.sdk",
    "Peer": "ignrun.sdk",
    "Port": "ignrun.sdk",
    "Refused": "ignrun.sdk",
    "Reject": "ignrun.sdk",
    "Secret": "ignrun.sdk",
    "SecretProvider": "ignrun.planner.config.providers",
    "SecretUnavailable": "ignrun.planner.config.providers",
    "Size": "ignrun.sdk",
    "Stopping": "ignrun.sdk",
    "Surroundings": "ignrun.planner.config.providers",
    "Unavailable": "ignrun.sdk",
    "Url": "ignrun.sdk",
    "create_basic_example_module": "ignrun.examples.basic.module",
    "degraded": "ignrun.sdk",
    "health_check": "ignrun.sdk",
    "healthy": "ignrun.sdk",
    "provides": "ignrun.sdk",
    "unhealthy": "ignrun.sdk",
    "update": "ignrun.sdk",
}

__all__ = ["__version__", *_OWNERS]  # noqa: PLE0604 - the names are known only through the table


def __getattr__(name: str) -> object:
    if name in _OWNERS:
        return getattr(import_module(_OWNERS[name]), name)
    message = f"module `ignrun` has no attribute `{name}`"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted(__all__)
