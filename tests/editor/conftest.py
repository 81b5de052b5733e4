"""Gives the tests of this folder a real language server, installed from the npm registry."""

import pytest

from tests.editor.install import MISSING, install, must_be_there
from tests.editor.language_server import language_server


@pytest.fixture(scope="session")
def node_modules():
    try:
        return install()
    except FileNotFoundError:
        if must_be_there():
            pytest.fail(MISSING)
        pytest.skip(MISSING)


@pytest.fixture(scope="module")
def server(node_modules, tmp_path_factory):
    with language_server(node_modules, tmp_path_factory.mktemp("workspace")) as one:
        yield one
