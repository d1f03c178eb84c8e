"""YAML, JSON and Bicep: what is read, where each character stands, what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.content.bicep import quoted
from foxhunt.errors import ContentError
from foxhunt.lint.bicep_nodes import read_bicep
from foxhunt.lint.json_nodes import read_json
from foxhunt.lint.node import Node
from foxhunt.lint.source import Passage, Source
from foxhunt.lint.yaml_nodes import read_yaml

ANY = st.text(st.characters(exclude_categories=["Cs"]))
PRINTED = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)
QUERY = 'DnsEvents // "é" 😀\n\n| where Name has "evil\\\\x.com"\n    | take 1\n'


def passage_of(node: Node | None) -> Passage:
    assert node is not None
    assert node.passage is not None
    return node.passage


def assert_places(passage: Passage) -> None:
    """Each character that no format escapes or folds stands where it is said to stand."""
    text = passage.source.text
    for char, offset in zip(passage.text, passage.offsets, strict=True):
        if not char.isspace() and char not in "\"'\\" and text[offset] != "\\":
            assert text[offset] == char


YAML = [
    "query: |\n  " + QUERY.replace("\n", "\n  ").rstrip(" "),
    "query: |2-  # kept\n\n    T\n   | take 1 # x\nid: 1\n",
    "query: >\n  T\n  | where a\n\n  | take 1\nid: x\n",
    "query: T | where\n  Name == 'x'\n",
    "query: 'it''s\n\n  é \"x\"'\n",
    'query: "a\\n\\tb \\u00e9\\x41\\\n  c\\" 😀 d\n  e"\n',
    '{"query": "a\\/b"}',
]


@pytest.mark.parametrize("text", YAML)
def test_yaml_says_what_pyyaml_says_and_each_character_has_its_place(text: str) -> None:
    passage = passage_of(read_yaml(Source("a.yaml", text)).find("query"))

    assert passage.text == yaml.safe_load(text)["query"]
    assert_places(passage)


@given(PRINTED, st.booleans())
def test_yaml_of_any_text(text: str, wide: bool) -> None:
    for style in ("|", ">", '"', "'", None):
        dumped = yaml.dump({"query": text}, default_style=style, width=1000 if wide else 10)
        read = read_yaml(Source("a.yaml", dumped)).find("query")
        if read is not None and read.passage is not None:
            assert read.passage.text == yaml.safe_load(dumped)["query"]
            assert_places(read.passage)


@given(
    st.recursive(st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text(), st.lists)
)
def test_json_says_what_json_says(value: Any) -> None:
    for ascii_only in (True, False):
        text = json.dumps({"v": value}, ensure_ascii=ascii_only, indent="\t")
        try:
            node = read_json(Source("a.json", text))
        except ContentError as error:
            assert "surrogate" in error.message or "nesting" in error.message
            continue
        assert node.plain() == json.loads(text)


@given(ANY)
def test_json_knows_the_place_of_each_character(text: str) -> None:
    for ascii_only in (True, False):
        source = Source("a.json", json.dumps({"q": text}, ensure_ascii=ascii_only))
        passage = passage_of(read_json(source).find("q"))
        assert passage.text == text
        assert_places(passage)


def test_json_may_hold_comments_and_texts_over_lines() -> None:
    text = '{ // one\n  /* "two": */ "a": "x // y\nz", "b": -1.5e3 }'

    assert read_json(Source("a.json", text)).plain() == {"a": "x // y\nz", "b": -1500.0}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "a key in quotes"),
        ('{"a": }', "a value is missing"),
        ('{"a": 1,}', "a key in quotes"),
        ("[1 2]", "',' expected"),
        ('{"a": 1} x', "not expected"),
        ("[] []", "something follows"),
        ('{"a": 1, "a": 2}', "stands twice"),
        ("[" * 90 + "]" * 90, "levels of nesting"),
        (r'["\ud83d"]', "surrogate"),
        (r'["\x"]', "not JSON"),
        ("[01]", "',' expected"),
        ("", "a value is missing"),
        ("[" * 1_000_000, "levels of nesting"),
    ],
)
def test_json_that_is_none_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(ContentError, match=words) as raised:
        read_json(Source("a.json", text))
    assert raised.value.at is not None
    assert raised.value.at.line == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "not YAML"),
        ("a: &x [1]\nb: *x\n", "aliases"),
        ("[" * 100 + "]" * 100, "levels of nesting"),
        ("a: !!python/object:os.system x\n", "tag tag:yaml.org,2002:python"),
        ("a: !x y\n", "tag !x"),
        ("? [a]\n: 1\n", "no text"),
        ("a: 1\na: 2\n", "stands twice"),
        ("a: 1\n---\nb: 2\n", "single document"),
        ("", "empty"),
        ("# nothing\n", "empty"),
        ("a: \x01\n", "not YAML"),
    ],
)
def test_yaml_that_is_not_read_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(ContentError, match=words) as raised:
        read_yaml(Source("a.yaml", text))
    assert raised.value.at is not None


def test_yaml_values_are_plain() -> None:
    text = "a: yes\nb: 12\nc: 1.5\nd: ~\ne: 2026-01-01\nf: 1:30\ng: 1.0.0\nh: !!str 1\n"
    expected = {"a": True, "b": 12, "c": 1.5, "d": None, "e": "2026-01-01", "f": "1:30"}

    assert read_yaml(Source("a.yaml", text)).plain() == {**expected, "g": "1.0.0", "h": "1"}


def bicep(body: str) -> Node:
    ((type_, node),) = read_bicep(
        Source("a.bicep", f"resource r 'A/alertRules@2025-09-01' = {{\n{body}\n}}\n")
    )
    assert type_ == "A/alertRules"
    return node


@given(ANY)
def test_bicep_says_what_was_quoted(text: str) -> None:
    passage = passage_of(bicep(f"  query: {quoted(text)}").find("query"))

    assert passage.text == text
    assert_places(passage)


def test_bicep_of_several_lines() -> None:
    passage = passage_of(bicep("  query: '''\nT\n| where a == 'x'\n'''").find("query"))

    assert passage.text == "T\n| where a == 'x'\n"
    assert_places(passage)


def test_bicep_in_a_comment_or_text_is_none() -> None:
    node = bicep("  // query: 'no'\n  /* query: 'no' */\n  name: 'query: x'\n  query: 'yes'")

    assert node.plain() == {"name": "query: x", "query": "yes"}


def test_what_bicep_computes_is_known_to_be_computed() -> None:
    node = bicep("  query: 'T ${x}'\n  name: 'T \\${x}'\n  kind: loadTextContent('a.kql')")

    computed = {key: value.is_expression for key, value in node.entries.items()}
    assert computed == {"query": True, "name": False, "kind": True}


def test_bicep_without_such_a_character_is_refused() -> None:
    with pytest.raises(ContentError, match="no character"):
        bicep("  query: 'a\\u{d800}'")
