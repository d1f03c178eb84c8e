"""Untrusted values into KQL text: each literal is its value, to us and to two other readers."""

from __future__ import annotations

import re
from functools import cache

import duckdb
import duckdb_kql
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxhunt.backends.kql_text import comment, string_list, string_literal
from foxhunt.errors import UnsupportedError
from foxhunt.lint.kusto import Kusto

from ...strategies import hostile_text

_UNESCAPED = {"\\\\": "\\", '\\"': '"', "\\n": "\n", "\\r": "\r", "\\t": "\t"}
LITERAL = re.compile(r'"((?:[^"\\\n\r]|\\.)*)"')

SPELLABLE = hostile_text().filter(
    lambda text: all(char.isprintable() or char in "\n\r\t" for char in text)
)
HOSTILE = [
    'a"]); union * //',
    "a\\",
    'a\\"',
    "\\\\\\",
    "a\nb\r\tc",
    "'",
    '@"x"',
    "```",
    "// comment",
    "{{StartTimeISO}}",
    "\u00fcn\u00efc\u00f6de \U0001f98a",
    "",
]


def value_of(text: str) -> str:
    """The inverse: what a literal says, by the Kusto docs' list of escapes."""
    match = LITERAL.fullmatch(text)
    assert match is not None, text
    return re.sub(r"\\.", lambda found: _UNESCAPED[found[0]], match[1])


@cache
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb_kql.connect()


@given(SPELLABLE)
def test_the_inverse_gives_the_value_back(text: str) -> None:
    assert value_of(string_literal(text)) == text


@given(hostile_text())
def test_a_value_is_quoted_or_refused(text: str) -> None:
    try:
        written = string_literal(text)
    except UnsupportedError:
        assert not text.isprintable()
        return

    assert LITERAL.fullmatch(written)
    assert written.isprintable()


@settings(max_examples=40)
@given(SPELLABLE)
def test_duckdb_kql_prints_the_value(text: str) -> None:
    assert duckdb_kql.query(connection(), f"print x = {string_literal(text)}").fetchall() == [
        (text,)
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_duckdb_kql_prints_each_hostile_value(text: str) -> None:
    assert duckdb_kql.query(connection(), f"print x = {string_literal(text)}").fetchall() == [
        (text,)
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_microsofts_parser_reads_one_string(kusto: Kusto, text: str) -> None:
    judged = kusto.judge(f"print x = {string_literal(text)}, y = 1")

    assert judged.errors == ()
    assert judged.columns == (("x", "string"), ("y", "long"))


@settings(max_examples=60)
@given(st.lists(SPELLABLE, min_size=1, max_size=4))
def test_microsofts_parser_counts_the_values_of_a_list(kusto: Kusto, texts: list[str]) -> None:
    """A column a value: a literal that ended early or joined its neighbour would show."""
    names = [f"x{number}" for number in range(len(texts))]
    items = ", ".join(f"{n} = {string_literal(t)}" for n, t in zip(names, texts, strict=True))
    judged = kusto.judge(f"print {items}")

    assert judged.errors == ()
    assert judged.columns == tuple((name, "string") for name in names)


def test_a_list_has_commas_between() -> None:
    """KQL joins adjacent literals: ("a" "b") is one value."""
    assert string_list(["a", "b"]) == '"a", "b"'
    assert duckdb_kql.query(
        connection(), f'print x = "b" in ({string_list(["a", "b"])})'
    ).fetchall() == [(True,)]


@pytest.mark.parametrize("char", ["\0", "\x1b", "\x7f", "\u2028", "\u202e", "\ufeff", "\ud800"])
def test_what_has_no_escape_is_refused_with_its_number(char: str) -> None:
    with pytest.raises(UnsupportedError, match=f"U\\+{ord(char):04X} has no KQL escape"):
        string_literal(f"a{char}b")


@given(hostile_text())
def test_a_comment_is_one_line(text: str) -> None:
    written = comment(text)

    assert written.startswith("// ")
    assert written.isprintable()
    assert written.splitlines() == [written]


@pytest.mark.parametrize("text", ["x\nunion *", "x\r| take 1", "x\u2028union *", "x\x85y", "*/"])
def test_nothing_ends_a_comment(kusto: Kusto, text: str) -> None:
    judged = kusto.judge(f"{comment(text)}\nprint x = 1")

    assert judged.errors == ()
    assert judged.columns == (("x", "long"),)
