"""Where the texts of secrets come from: one open table, the providers that ship in it, and those that others bring."""

from ignrun.planner.config.providers.provider import SecretProvider as SecretProvider
from ignrun.planner.config.providers.provider import SecretUnavailable as SecretUnavailable
from ignrun.planner.config.providers.provider import Surroundings as Surroundings
from ignrun.planner.config.providers.table import Providers as Providers
