"""JSON that is written faster is the same JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxhunt.content.pretty import to_json

_LEAVES = (
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["\ud800 \x00", "],\n"])
)
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)


@settings(max_examples=60)
@given(_VALUES, st.sampled_from([" ", "  "]))
def test_it_says_what_the_standard_library_says(value: object, indent: str) -> None:
    assert to_json(value, indent) == json.dumps(value, indent=indent)


def test_tuples_and_what_is_empty() -> None:
    value = {"a": (), "b": [], "c": {}, "d": ("x", (1, [{}])), "e": [{"f": [None]}, 1.5, True]}

    assert to_json(value) == json.dumps(value, indent=2)


@pytest.mark.parametrize("value", [{"a": object()}, [{"a": [object()]}], {1: [[]]}])
def test_what_has_no_json_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        to_json(value)
