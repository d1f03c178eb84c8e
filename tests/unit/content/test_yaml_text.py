"""A document written entry by entry is what PyYAML writes of the whole."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from foxhunt.content.yaml_text import document, to_yaml

TEXTS = st.text(
    st.sampled_from("ab1 \n\t\\\"'#:-|>%@`{}[],&*!?=~é\N{LINE SEPARATOR}\x85\x07")
    | st.characters(codec="utf-8"),
    max_size=40,
)
DATA = st.recursive(
    TEXTS | st.booleans() | st.integers(-9, 9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["id", "query", "tags", "kind"]), DATA, min_size=1))
@example({"query": "T\n| where x\n\n  | y\n", "version": "1.0.0"})
@example({"query": " T\n"})
@example({"query": "T\n\n", "kind": "Scheduled"})
@example({"query": "T \nU\n"})
@example({"query": "T\nU"})
@settings(max_examples=300, deadline=None)
def test_entry_by_entry_is_the_whole(value: dict[str, object]) -> None:
    assert document(value) == to_yaml(value)


@pytest.mark.parametrize("text", ["a: b", "1.0.0", "yes", "---\nx\n", "# x\ny\n", "x\n\t\ny\n"])
def test_what_is_read_back_is_what_went_in(text: str) -> None:
    assert yaml.safe_load(document({"query": text, "id": text})) == {"query": text, "id": text}
