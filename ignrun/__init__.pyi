# Tells type checkers where the public names come from; `__init__.py` hands the same ones on lazily.

from ignrun.examples.basic.module import BasicExampleModule as BasicExampleModule
from ignrun.examples.basic.module import create_basic_example_module as create_basic_example_module
from ignrun.planner.config.providers import SecretProvider as SecretProvider
from ignrun.planner.config.providers import SecretUnavailable as SecretUnavailable
from ignrun.planner.config.providers import Surroundings as Surroundings
from ignrun.sdk import AbstractIgnitionModule as AbstractIgnitionModule
from ignrun.sdk import CallFailed as CallFailed
from ignrun.sdk import ConfigChange as ConfigChange
from ignrun.sdk import ConfigurationValidator as ConfigurationValidator
from ignrun.sdk import Duration as Duration
from ignrun.sdk import Fatal as Fatal
from ignrun.sdk import FunctionModule as FunctionModule
from ignrun.sdk import Health as Health
from ignrun.sdk import HealthResult as HealthResult
from ignrun.sdk import LifecycleEvent as LifecycleEvent
from ignrun.sdk import Module as Module
from ignrun.sdk import ModuleConfigurationManager as ModuleConfigurationManager
from ignrun.sdk import ModuleContext as ModuleContext
from ignrun.sdk import ModuleDiagnosticsManager as ModuleDiagnosticsManager
from ignrun.sdk import ModuleLifecycleManager as ModuleLifecycleManager
from ignrun.sdk import ModuleMetadata as ModuleMetadata
from ignrun.sdk import ModuleScope as ModuleScope
from ignrun.sdk import ModuleState as ModuleState
from ignrun.sdk import ModuleStatistics as ModuleStatistics
from ignrun.sdk import NotReady as NotReady
from ignrun.sdk import Path as Path
from ignrun.sdk import Peer as Peer
from ignrun.sdk import Port as Port
from ignrun.sdk import Refused as Refused
from ignrun.sdk import Reject as Reject
from ignrun.sdk import Secret as Secret
from ignrun.sdk import Size as Size
from ignrun.sdk import Stopping as Stopping
from ignrun.sdk import Unavailable as Unavailable
from ignrun.sdk import Url as Url
from ignrun.sdk import degraded as degraded
from ignrun.sdk import health_check as health_check
from ignrun.sdk import healthy as healthy
from ignrun.sdk import provides as provides
from ignrun.sdk import unhealthy as unhealthy
from ignrun.sdk import update as update

__version__: str
_OWNERS: dict[str, str]

def __getattr__(name: str) -> object: ...
