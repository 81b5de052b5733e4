"""What hosts and commands are given: secrets and exports filled in, and nothing that is not known yet."""

import pytest

from ignrun.runner.fill import MissingExportError, MissingSecretError, fill_all, fill_secrets
from ignrun.terms.leaves import ExportNamed, Literal, Pending, SecretNamed, Tree
from ignrun.terms.names import Address
from ignrun.terms.secret import Secret

DATABASE = Tree(
    {"url": None, "retries": 3, "path": None},
    (
        Pending(("url",), (Literal("db://admin:"), SecretNamed("PW"), Literal("@host")), "string"),
        Pending(("path",), (ExportNamed("schema@gateway", "path"),)),
    ),
)
SECRETS = {"PW": Secret("s3cret")}


def test_every_leaf_of_a_command_is_filled() -> None:
    exports = {Address("schema@gateway"): {"path": "/var/lib/x"}}
    filled = fill_all(DATABASE, SECRETS, exports)
    assert filled == {"url": "db://admin:s3cret@host", "retries": 3, "path": "/var/lib/x"}


def test_the_tree_itself_stays_as_it_was() -> None:
    fill_all(DATABASE, SECRETS, {Address("schema@gateway"): {"path": "/x"}})
    assert DATABASE.plain == {"url": None, "retries": 3, "path": None}


def test_a_host_gets_secrets_as_text_and_exports_as_what_they_are_called() -> None:
    plain, waiting = fill_secrets(DATABASE, SECRETS)
    assert plain["url"] == "db://admin:s3cret@host"
    assert [pending.path for pending in waiting] == [("path",)]


def test_a_leaf_of_both_keeps_its_export_open_and_has_its_secret_filled() -> None:
    both = Tree({"dsn": None}, (Pending(("dsn",), (SecretNamed("PW"), ExportNamed("a@gateway", "b"))),))
    _, (waiting,) = fill_secrets(both, SECRETS)
    assert waiting.parts == (Literal("s3cret"), ExportNamed("a@gateway", "b"))


def test_a_secret_takes_the_type_that_the_schema_asks_for() -> None:
    port = Tree({"port": None}, (Pending(("port",), (SecretNamed("PORT"),), "integer"),))
    assert fill_all(port, {"PORT": Secret("8080")}, {}) == {"port": 8080}


def test_a_missing_secret_is_named() -> None:
    with pytest.raises(MissingSecretError, match="secret `PW` is not to be had"):
        fill_all(DATABASE, {}, {})


def test_a_missing_export_is_named() -> None:
    with pytest.raises(MissingExportError, match="`schema@gateway` does not export `path`"):
        fill_all(DATABASE, SECRETS, {Address("schema@gateway"): {}})
