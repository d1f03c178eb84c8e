"""Quoting for DuckDB: whatever the text, it comes back as one value or one name."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.sql import identifier, literal

from ..strategies import hostile_text

# DuckDB speaks UTF-8, which has no lone surrogates, and ends a statement at a NUL.
SQL_TEXT = hostile_text().filter(lambda text: text.isascii() or text.isprintable()) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=40
)
CON = duckdb.connect()


@given(SQL_TEXT.filter(lambda text: "\0" not in text))
def test_a_literal_is_the_text(text: str) -> None:
    assert CON.execute(f"SELECT {literal(text)}").fetchall() == [(text,)]


@given(SQL_TEXT.filter(lambda text: text and "\0" not in text))
def test_an_identifier_is_the_name(name: str) -> None:
    result = CON.execute(f"SELECT {identifier(name)} FROM (SELECT 7 AS {identifier(name)})")

    assert result.fetchall() == [(7,)]


@pytest.mark.parametrize(
    "text", ["it's", "\\'; DROP TABLE x; --", "a\nb", "$$x$$", "/*", "%s", "?"]
)
def test_nothing_ends_a_literal(text: str) -> None:
    assert CON.execute(f"SELECT {literal(text)}, 1").fetchall() == [(text, 1)]


def test_a_nul_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        literal("a\0' OR 1")
