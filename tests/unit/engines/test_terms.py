"""Long lists of terms over distinct values: no value is missed, and cost does not multiply."""

from __future__ import annotations

import duckdb
import pytest

from foxhunt.engines.terms import keep_matching, run_of


@pytest.mark.parametrize(
    ("text", "run"),
    [
        ("texornacu.com", ("texornacu", "com")),
        ("a.b.long-name.example.com", ("long", "name", "example")),
        ("45.137.22.7", ("45", "137", "22")),
        (".NET", ("net",)),
        ("a_b", ("a", "b")),
        ("bücher.evil.com", ("evil",)),
        ("büc", ()),
        ("\u212aey", ()),
        ("\u017fink.COM", ("com",)),
        ("—x—", ()),
        ("", ()),
        (" .-/", ()),
    ],
)
def test_a_run_holds_only_whole_terms(text: str, run: tuple[str, ...]) -> None:
    assert run_of(text) == run


def matching(
    values: list[str], texts: list[str], con: duckdb.DuckDBPyConnection | None = None
) -> list[str]:
    con = con or duckdb.connect()
    con.execute("CREATE OR REPLACE TABLE logged AS SELECT unnest(?::VARCHAR[]) AS value", [values])
    keep_matching(con, "logged", texts, "kept")
    tables = con.execute("SELECT table_name FROM duckdb_tables() ORDER BY ALL").fetchall()
    assert tables == [("kept",), ("logged",)]
    return [
        value for (value,) in con.execute("SELECT DISTINCT value FROM kept ORDER BY ALL").fetchall()
    ]


def test_terms_have_borders_and_no_case() -> None:
    values = ["c2.Evil.com", "evil.com.org", "xevil.com", "evil.comx", "evil_com", "EVIL.COM."]

    assert matching(values, ["evil.com"]) == ["EVIL.COM.", "c2.Evil.com", "evil.com.org"]


def test_more_texts_than_one_regular_expression_holds_are_all_looked_for() -> None:
    texts = [f"a{number}.{'x' * (number % 90)}b" for number in range(450)]
    values = [f"c2.{text.upper()}." for text in texts] + ["a1.b2", "a450.b"]

    assert matching(values, texts) == sorted(values[:-2])


def test_no_character_means_anything_else() -> None:
    con = duckdb.connect()
    for special in ".^$*+?()[]{}|-#":
        text = f"a{special}b"
        values = [text, f"x.{text}.x", "ab", "aab", "a\\b", f"x{text}", f"{text}1"]

        assert matching(values, [text], con) == sorted([text, f"x.{text}.x"])


def test_texts_without_a_term_are_looked_up_in_every_value() -> None:
    assert matching(["a b", "ab", "büch", "x"], [" ", "büch", "a"]) == ["a b", "büch"]


def test_no_value_and_no_text_are_no_error() -> None:
    assert matching([], ["a"]) == []
    assert matching(["a"], []) == []
