"""Secrets in the runner's memory: what an apply brings holds while it is under way, and the mask never forgets."""

from ignrun.runner.secrets import SecretStore, masked_tree
from ignrun.terms.secret import MASK


def test_an_offered_secret_comes_before_the_one_in_force() -> None:
    store = SecretStore()
    store.offer(1, {"PW": "old-one"})
    store.accept(1)
    store.offer(2, {"PW": "new-one"})
    assert store.current()["PW"].reveal() == "new-one"


def test_a_withdrawn_secret_leaves_the_old_one_in_force() -> None:
    store = SecretStore()
    store.offer(1, {"PW": "old-one"})
    store.accept(1)
    store.offer(2, {"PW": "new-one"})
    store.withdraw(2)
    assert store.current()["PW"].reveal() == "old-one"


def test_who_is_not_touched_yet_has_what_was_offered_before() -> None:
    store = SecretStore()
    store.offer(1, {"PW": "watched"})
    store.offer(2, {"PW": "prepared"})
    assert store.before(2)["PW"].reveal() == "watched"


def test_what_is_held_is_not_what_a_rollback_goes_back_to() -> None:
    store = SecretStore()
    store.offer(1, {"PW": "good"})
    store.accept(1)
    store.offer(2, {"PW": "held"})
    store.offer(3, {"PW": "failed"})
    assert store.in_force()["PW"].reveal() == "good"
    store.go_back(3)
    assert store.current()["PW"].reveal() == "good"


def test_every_text_ever_known_is_masked() -> None:
    store = SecretStore()
    store.offer(1, {"PW": "first-pw"})
    store.accept(1)
    store.offer(2, {"PW": "second-pw"})
    store.withdraw(2)
    assert store.mask("first-pw and second-pw") == f"{MASK} and {MASK}"


def test_a_secret_that_contains_another_is_masked_whole() -> None:
    store = SecretStore()
    store.offer(1, {"SHORT": "token", "LONG": "token-of-the-plant"})
    assert store.mask("it is token-of-the-plant") == f"it is {MASK}"


def test_each_line_of_a_secret_is_masked() -> None:
    store = SecretStore()
    store.offer(1, {"KEY": "-----BEGIN\nabcdef\n-----END"})
    assert "abcdef" not in store.mask("line: abcdef")


def test_a_text_too_short_to_be_told_apart_is_left_alone() -> None:
    store = SecretStore()
    store.offer(1, {"PIN": "1"})
    assert store.mask("1 of 11 modules") == "1 of 11 modules"


def test_every_text_of_a_tree_is_masked_and_the_tree_itself_left_alone() -> None:
    store = SecretStore()
    store.offer(1, {"PW": "pass-word"})
    tree = {"url": "db://me:pass-word@host", "ports": [1, "pass-word"], "up": True}
    assert masked_tree(tree, store.mask) == {"url": f"db://me:{MASK}@host", "ports": [1, MASK], "up": True}
    assert tree["ports"] == [1, "pass-word"]
