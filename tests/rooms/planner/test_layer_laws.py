"""Laws of layers, over whatever they hold: what the merge gives, what the stack of a value says, what an overlay keeps."""

from typing import Any

import hypothesis.strategies as st
from hypothesis import given

from ignrun.cli.settings import _without
from ignrun.planner.config.layers import Layer, merged
from ignrun.planner.config.spots import Spot
from ignrun.planner.config.stacks import stacks_of
from ignrun.terms.spans import Span

KEYS = st.sampled_from(["a", "b", "c"])
LEAVES = st.none() | st.integers(0, 9) | st.lists(st.integers(0, 3), max_size=2)
BLOCKS: Any = st.recursive(
    st.dictionaries(KEYS, LEAVES, max_size=3), lambda inner: st.dictionaries(KEYS, LEAVES | inner, max_size=3)
)
NAMES = ("config", "overlay", "run-time", "environment", "set")
ROOT = Spot(None, (), Span("root", 1, 1, 1))
ABSENT: Any = object()


def layers_of(blocks) -> tuple[Layer, ...]:
    return tuple(
        Layer(name, block, Spot(None, (), Span(name, 1, 1, 1))) for name, block in zip(NAMES, blocks, strict=False)
    )


def laid_over(weak: Any, strong: Any) -> Any:
    """Merge two blocks as the specification says it, in the shortest way."""
    if not isinstance(weak, dict) or not isinstance(strong, dict):
        return strong
    keys = [*weak, *(key for key in strong if key not in weak)]
    both = {
        key: laid_over(weak[key], strong[key]) if key in weak and key in strong else strong.get(key, weak.get(key))
        for key in keys
    }
    return {key: value for key, value in both.items() if not (value is None and key in weak and key in strong)}


def at(tree: Any, path) -> Any:
    for key in path:
        if not isinstance(tree, dict) or key not in tree:
            return ABSENT
        tree = tree[key]
    return tree


@given(st.lists(BLOCKS, min_size=1, max_size=5))
def test_layers_merge_as_the_specification_says(blocks) -> None:
    wanted: Any = {}
    for block in blocks:
        wanted = laid_over(wanted, block)
    assert merged(layers_of(blocks), ROOT).tree == wanted


@given(st.lists(BLOCKS, min_size=1, max_size=5))
def test_the_last_word_of_a_stack_is_what_is_in_effect(blocks) -> None:
    layers = layers_of(blocks)
    base = merged(layers, ROOT)
    for stack in stacks_of(layers, None, ROOT, {}):
        last = stack.held[-1]
        found = at(base.tree, stack.path)
        if last.value is None:
            assert found in (None, ABSENT)
        elif not isinstance(found, dict) and found is not ABSENT:
            assert found == last.value
            assert base.marks[stack.path].layer == last.layer


@given(st.lists(BLOCKS, min_size=1, max_size=5))
def test_every_value_in_effect_has_a_stack_and_a_mark_of_the_same_layer(blocks) -> None:
    layers = layers_of(blocks)
    base = merged(layers, ROOT)
    told = {stack.path: stack.held[-1].layer for stack in stacks_of(layers, None, ROOT, {})}
    inner = {path[:-1] for path in base.marks}
    for path, mark in base.marks.items():
        value = at(base.tree, path)
        if path and path not in inner and not isinstance(value, dict) and value is not ABSENT:
            assert told[path] == mark.layer


@given(BLOCKS, st.lists(KEYS, min_size=1, max_size=3))
def test_taking_a_value_away_touches_nothing_else_and_leaves_no_empty_shell(values, path) -> None:
    left = _without(values, tuple(path))
    if at(values, path) is ABSENT:
        assert left == values
        return
    assert at(left, path) is ABSENT
    for key, value in values.items():
        if key != path[0]:
            assert left[key] == value
