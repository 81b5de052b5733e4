"""Compares the page about the contract of a module with the SDK: every name, attribute, callback and timeout stands there."""

import inspect
import re

import msgspec
import pytest

import ignrun
import ignrun.testing
from ignrun.host.stage import Stage
from ignrun.manifest.model import HealthPolicy, Lifecycle
from ignrun.sdk.metrics import Counter, Gauge, Metrics, Timer
from ignrun.terms.metadata import ModuleMetadata
from tests.house.tree import ROOT

PAGE = (ROOT / "docs" / "reference" / "module.md").read_text()
WORDS = set(re.findall(r"\w+", " ".join(re.findall(r"`[^`]+`", PAGE))))

OF_THE_SDK = sorted(name for name, owner in ignrun._OWNERS.items() if owner == "ignrun.sdk")
CLASSES = [
    ignrun.AbstractIgnitionModule, ignrun.ConfigChange, ignrun.ConfigurationValidator, ignrun.ModuleConfigurationManager,
    ignrun.ModuleContext, ignrun.ModuleDiagnosticsManager, ignrun.ModuleLifecycleManager, ignrun.ModuleStatistics, ignrun.Peer,
    ignrun.Stopping, ModuleMetadata, Counter, Gauge, Timer,
]  # fmt: skip
OF_THE_KIT = [ignrun.testing.Driver, ignrun.testing.FakePeer, ignrun.testing.PlantUnderTest]
HOW_TO = set(re.findall(r"\w+", (ROOT / "docs" / "how-to" / "test-a-module.md").read_text()))
OF_THE_STAGE = {name for name, value in vars(Stage).items() if callable(value)} | {"exports_of", "bind"}
"""What a driver has because incarnations play on it, and nothing for a test."""
UNTOLD = {"set", "Config", "data_path", "temp_path", "reading", "readings"}
"""What the host calls, or what is told in other words."""


def public(kind: type) -> set[str]:
    fields = {one.name for one in msgspec.structs.fields(kind)} if issubclass(kind, msgspec.Struct) else set()
    named = {name for name, value in vars(kind).items() if callable(value) or isinstance(value, property)}
    cached = {name for name, value in vars(kind).items() if type(value).__name__ == "cached_property"}
    return {name for name in fields | named | cached if not name.startswith("_")} - UNTOLD


@pytest.mark.parametrize("name", OF_THE_SDK)
def test_each_public_name_stands_on_the_page(name) -> None:
    assert name in WORDS


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_each_attribute_of_what_a_module_is_given_stands_on_the_page(kind) -> None:
    assert public(kind) - WORDS == set()


@pytest.mark.parametrize("kind", OF_THE_KIT, ids=lambda kind: kind.__name__)
def test_each_method_of_the_test_kit_stands_in_the_how_to(kind) -> None:
    assert public(kind) - HOW_TO - OF_THE_STAGE == set()


def test_the_makers_of_metrics_and_the_callbacks_that_are_not_inherited_stand_on_the_page() -> None:
    makers = {"counter", "gauge", "timer"}
    assert makers <= {name for name, _ in inspect.getmembers(Metrics, callable)}
    assert makers | {"run", "prepare_reconfigure", "reconfigure", "rebind", "setup"} <= WORDS


@pytest.mark.parametrize(
    ("key", "seconds"),
    [
        *((f"lifecycle.{one}_timeout", getattr(Lifecycle(), f"{one}_timeout")) for one in ("initialize", "start", "reconfigure", "stop")),
        ("health.timeout", HealthPolicy().timeout),
        ("health.interval", HealthPolicy().interval),
    ],
)  # fmt: skip
def test_each_timeout_stands_there_with_its_default(key, seconds) -> None:
    assert f"`{key}` ({seconds:g} s)" in PAGE
