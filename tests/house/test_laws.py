"""Holds every file of `ignrun` to the laws of the house, and every law to a file that breaks it."""

import pytest

from tests.house import laws
from tests.house.tree import ROOT, Source, committed_files, project, python_sources

SOURCES = python_sources()

# Where everything may be caught, and why. An entry whose file no longer does so has to go.
CATCHES_ALL: dict[str, str] = {
    "ignrun/cli/main.py": "the outermost frame of every command",
    "ignrun/host/callbacks.py": "calls module code",
    "ignrun/host/checks.py": "calls module code",
    "ignrun/host/errands.py": "takes the steps of what calls module code",
    "ignrun/host/faults.py": "asks exceptions of module code for their text",
    "ignrun/host/importing.py": "imports module code",
    "ignrun/host/describe.py": "imports module code, in a process of its own",
    "ignrun/host/incarnation.py": "makes objects of module code and awaits their main loop",
    "ignrun/host/logs.py": "asks objects of module code for their text",
    "ignrun/host/provided.py": "calls module code",
    "ignrun/host/revising.py": "makes the `Config` of a module, which may have code of its own",
    "ignrun/host/serve.py": "the outermost frame of a host",
    "ignrun/host/template.py": "the outermost frame of a forked host",
    "ignrun/planner/config/providers/table.py": "imports and calls what plug-ins bring",
    "ignrun/planner/reader/bounded.py": "the outermost frame of a reading",
    "ignrun/planner/reader/ruled.py": "loads and calls rules that others wrote",
    "ignrun/runner/loop.py": "the outermost frame of a turn",
    "ignrun/runner/observing.py": "the outermost frame of a look",
    "ignrun/runner/telemetry.py": "the outermost frame of a thread, and code of an extra",
    "ignrun/runtime/journal/durable.py": "removes a half-written file and raises again",
    "ignrun/runtime/journal/schema.py": "takes back a half-made store and raises again",
    "ignrun/runtime/journal/writer.py": "takes back a half-written transaction and raises again",
    "ignrun/runtime/watch/scout.py": "the outermost frame of a thread",
    "ignrun/runtime/watch/watcher.py": "the outermost frame of an edit",
    "ignrun/testing/peer.py": "calls what a test has put into a fake peer",
}


def source(text: str, path: str = "ignrun/render/table.py") -> Source:
    return Source(path, text)


def every(law) -> list[str]:
    return [complaint for one in SOURCES for complaint in law(one)]


# --- the house keeps its laws -----------------------------------------------------------------------------------------


def test_every_file_opens_with_its_sentence() -> None:
    assert every(laws.missing_opening_sentence) == []


def test_every_name_says_what_is_inside() -> None:
    assert every(laws.names_that_say_nothing) == []


def test_an_init_hands_names_on_and_defines_nothing() -> None:
    assert every(laws.definitions_in_init) == []


def test_no_new_class_is_called_a_manager() -> None:
    assert every(laws.new_managers) == []


def test_everything_is_caught_only_where_the_list_says_so() -> None:
    assert laws.broad_excepts_elsewhere(SOURCES, CATCHES_ALL) == []


def test_the_list_of_those_who_catch_everything_names_nobody_who_does_not() -> None:
    catching = {one.path for one in SOURCES if laws.broad_excepts(one)}
    assert {*CATCHES_ALL} - catching == set()


def test_a_secret_is_revealed_in_two_places_at_most() -> None:
    assert laws.too_many_reveals(SOURCES) == []


def test_no_room_of_the_runner_waits_for_a_process() -> None:
    assert every(laws.waiting_subprocesses) == []


def test_no_committed_file_names_a_machine_or_an_index() -> None:
    assert laws.private_places_in(committed_files(), ROOT) == []


def test_the_lock_pins_everything_with_hashes_and_names_no_place() -> None:
    declared = project()
    wanted = [*declared["project"]["dependencies"], *declared["dependency-groups"]["dev"]]
    names = [requirement.split(">")[0].strip().lower() for requirement in wanted]
    assert laws.flaws_of_lock((ROOT / "requirements.lock").read_text(), names) == []


# --- the laws catch those who break them ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "x = 1",
        '"""No full stop"""',
        '"""Owns A. Turns B into C."""',
        '"""Owns a thing\nand another."""',
        "# a comment\n",
    ],
)
def test_a_file_without_one_plain_sentence_is_caught(text) -> None:
    assert laws.missing_opening_sentence(source(text))


def test_a_sentence_with_more_below_it_is_fine() -> None:
    assert laws.missing_opening_sentence(source('"""Owns a thing, i.e. one.\n\nMore. And more.\n"""')) == []


@pytest.mark.parametrize("path", ["ignrun/utils.py", "ignrun/common/table.py", "ignrun/render/helpers.py"])
def test_a_name_that_says_nothing_is_caught(path) -> None:
    assert len(laws.names_that_say_nothing(source("", path))) == 1


@pytest.mark.parametrize("text", ["def f(): ...", "class A: ...", "LIMIT = 3", "for x in y: ...", "if x:\n  import y"])
def test_a_definition_in_an_init_is_caught(text) -> None:
    assert len(laws.definitions_in_init(source(text, "ignrun/render/__init__.py"))) == 1


def test_an_init_may_hand_names_on_lazily() -> None:
    text = '"""Owns."""\nfrom a import b\n_OWNERS: dict = {}\n__all__ = ["b"]\ndef __getattr__(name): ...\n'
    assert laws.definitions_in_init(source(text, "ignrun/render/__init__.py")) == []


def test_a_new_manager_is_caught_and_the_fields_own_are_not() -> None:
    text = "class HostManager: ...\nclass ModuleLifecycleManager: ..."
    assert len(laws.new_managers(source(text))) == 1


@pytest.mark.parametrize("caught", ["", " Exception", " BaseException as e", " (OSError, Exception)"])
def test_catching_everything_is_caught(caught) -> None:
    bad = source(f"try:\n    pass\nexcept{caught}:\n    pass")
    assert len(laws.broad_excepts_elsewhere([bad], ["ignrun/host"])) == 1
    assert laws.broad_excepts_elsewhere([bad], ["ignrun/render"]) == []


def test_a_third_reveal_is_caught() -> None:
    bad = source("a.reveal()\nb.secret.reveal()\nc().reveal()")
    fine = source("a.reveal()\nb.reveal()\nc.reveal()", "ignrun/examples/tags/module.py")
    assert laws.too_many_reveals([fine]) == []
    assert len(laws.too_many_reveals([bad, fine])) == 1


def test_waiting_for_a_process_is_caught_in_the_runner_only() -> None:
    text = "import subprocess\nsubprocess.run(['true'])\nsubprocess.Popen(['true'])"
    assert len(laws.waiting_subprocesses(source(text, "ignrun/runtime/engines/command.py"))) == 1
    assert laws.waiting_subprocesses(source(text, "ignrun/cli/doctor.py")) == []


@pytest.mark.parametrize("line", ["see /wo" + "rk/plant", "HOME=/ro" + "ot/x", "from https://py" + "pi.org/simple"])
def test_a_private_place_is_caught(line) -> None:
    assert len(list(laws.private_places("README.md", f"fine\n{line}\n"))) == 1


@pytest.mark.parametrize("line", ["/root", "docs/work/plan.md", "at /work", "$HOME/work/x", "pypi"])
def test_what_only_looks_like_a_private_place_is_not(line) -> None:
    assert list(laws.private_places("README.md", line)) == []


@pytest.mark.parametrize(
    ("lock", "flaw"),
    [
        ("click==8.1 \\\n    # via ignrun\n", "no hash"),
        ("--find-links wheels\n", "neither"),
        (f"click==8.1 \\\n    --hash=sha256:{'0' * 64}\n    # via -r /tmp/x.in\n", "place"),
        (f"click @ https://example.org/c.whl \\\n    --hash=sha256:{'0' * 64}\n", "place"),
        (f"rich==8.1 \\\n    --hash=sha256:{'0' * 64}\n", "`click` of pyproject.toml is not locked"),
    ],
)
def test_a_flawed_lock_is_caught(lock, flaw) -> None:
    assert any(flaw in one for one in laws.flaws_of_lock(lock, ["click"]))
