"""Owns BasicExampleModule, the smallest module that uses every part of the lifecycle, and the factory that makes one."""

import threading
from typing import Any

from ignrun import AbstractIgnitionModule, HealthResult, ModuleContext, degraded, healthy, provides


class BasicHook:
    """What a scope asks of the example: it greets when the scope starts and takes leave when it ends."""

    def __init__(self, greeting: str) -> None:
        self._greeting = greeting
        self.said: list[str] = []

    def setup(self, context: ModuleContext) -> None:
        """Learn which scope this is."""
        self._scope = context.scope.word

    def startup(self) -> None:
        """Greet."""
        self.said.append(f"{self._greeting}, {self._scope}")

    def shutdown(self) -> None:
        """Take leave."""
        self.said.append(f"goodbye, {self._scope}")


class BasicExampleModule(AbstractIgnitionModule):
    """Counts how often it was asked; its callbacks are plain functions, which run on a thread."""

    def initialize(self) -> None:
        """Begin at nothing."""
        self._counting = threading.Lock()
        self._asked = 0
        self._open = False

    def startup(self) -> None:
        """Open the door."""
        self._open = True
        self.log.info("%s from %s", self.config["greeting"], self.context.scope.word)

    def reconfigure(self, change: Any) -> None:
        """Greet in other words from now on."""
        self.log.info("%s from %s", change.new["greeting"], self.context.scope.word)

    @provides
    def greet(self, name: str) -> dict[str, Any]:
        """Greet somebody and say how often that has happened."""
        with self._counting:
            self._asked += 1
            return {"text": f"{self.config['greeting']}, {name}", "asked": self._asked}

    def check_health(self) -> HealthResult:
        """Say whether the door is open."""
        return healthy() if self._open else degraded("the door is closed")

    def shutdown(self) -> None:
        """Close the door."""
        self._open = False

    def create_gateway_hook(self) -> BasicHook:
        """Make what the gateway scope starts and stops with the module."""
        return BasicHook(self.config["greeting"])

    def create_designer_hook(self) -> BasicHook:
        """Make what the designer scope starts and stops with the module."""
        return BasicHook(self.config["greeting"])


def create_basic_example_module() -> BasicExampleModule:
    """Make a BasicExampleModule that runs nowhere yet: a manifest or `ignrun.testing` takes its class and makes its own."""
    return BasicExampleModule()
