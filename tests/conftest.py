"""Owns what every test runs under: hypothesis profiles and a clean environment."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# A laptop that is busy elsewhere must not fail a law: time limits are pytest-timeout's business.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("local"), print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


_OF_THE_CALLER = frozenset({"STATE_DIRECTORY", "FORCE_COLOR", "NO_COLOR", "COLUMNS", "LINES"})


@pytest.fixture(autouse=True, scope="session")
def _no_plant_of_the_caller() -> Iterator[None]:
    """Keep the caller's plant, colours and width out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("IGN_", "IGNRUN_")) or name in _OF_THE_CALLER:
                patch.delenv(name)
        yield
