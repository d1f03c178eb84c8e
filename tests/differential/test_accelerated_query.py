"""`foxhunt query` over long lists against duckdb-kql alone: the same columns, types and rows."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from functools import cache

import duckdb
import duckdb_kql
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxhunt.engines.accelerate import accelerate
from foxhunt.engines.query import run_query
from foxhunt.logs import connect

# Few pieces, so that lists and rows meet: borders, case, IDN, look-alikes, letters that equal
# ASCII ones without case (U+017F, U+212A) or look as if they did (U+0130), what is a letter
# only without case (U+0345), numbers that are no digits, addresses.
PIECES = (
    *("a", "b", "evil", "EVIL", "com", "1", "45", "137", "xn--", "key", "sink"),
    *(
        "bücher",
        "straße",
        "\u017fink",
        "\u212aey",
        "İ",
        "\u0131",
        "\u0345",
        "Σ",
        "ς",
        "²",
        "Ⅷ",
        "中",
    ),
    *(".", ".", ".", "-", "_", "/", ":", "?", " ", "%", "|", "$", "(", "*", "+", "—"),
)
text_of = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
name = st.lists(
    st.sampled_from(("a", "evil", "b-1", "com", "c2", "Evil", "\u017fink")), max_size=5
).map(".".join)
address = st.lists(st.sampled_from(("1", "45", "137", "256")), min_size=3, max_size=5).map(".".join)
hostile = st.sampled_from(
    ("'", '"', "\\", "a'b.com", "a\nb.com", "evil.com\\", "\t", "{{a}}", "*/")
)
sought = st.one_of(text_of, name, address)
logged = st.one_of(
    st.none(), text_of, name, address, hostile, name.map(lambda text: f"{text}."), st.just("")
)

QUERIES = (
    "DnsEvents | where {0}",
    "DnsEvents | where not({0}) | project Name, row",
    "DnsEvents | where row > 3 | where {0} and row < 20 | order by row desc",
    "DnsEvents | where {0} or row % 2 == 0 | summarize n = count() by QueryType",
    "DnsEvents | where not({0} or not({1})) | project-away Computer",
    "DnsEvents | where TimeGenerated > ago(3650d) | where {0} | where {1} | project row",
    "DnsEvents | project Name = Computer, Computer = Name, row | where {0}",
    "DnsEvents | extend Name = tolower(Name) | where ({0}) | order by row asc",
    "let hits = DnsEvents | where {0}; hits | join kind=leftouter (DnsEvents | where {1}) on row",
    "union (DnsEvents | where {0}), (DnsEvents | where {1}) | count",
)
LETS = {
    "in place": "",
    "let": "dynamic([{}])",
    "toscalar": "toscalar(datatable(a: string) [{}] | summarize make_set(a))",
}
OPERATORS = ("has_any", "in", "!in", "in~", "!in~")


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    return connect()


def _load(rows: list[tuple[str | None, str | None]]) -> duckdb.DuckDBPyConnection:
    con = _connection()
    count = len(rows)
    table = pa.table(
        {
            "row": pa.array(range(count), pa.int64()),
            "TimeGenerated": pa.array(
                [datetime(2026, 6, 1) + timedelta(hours=at) for at in range(count)],
                pa.timestamp("us"),
            ),
            "Name": pa.array([name for name, _ in rows], pa.string()),
            "Computer": pa.array([computer for _, computer in rows], pa.string()),
            "QueryType": pa.array(["A" if at % 3 else None for at in range(count)], pa.string()),
        }
    )
    con.register("rows_to_load", table)
    con.execute("CREATE OR REPLACE TABLE loaded AS FROM rows_to_load")
    con.execute("CREATE OR REPLACE VIEW DnsEvents AS FROM loaded")
    con.unregister("rows_to_load")
    return con


def _quoted(values: list[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _assert_same(con: duckdb.DuckDBPyConnection, text: str) -> None:
    fast, plain = run_query(con, text, "fast"), run_query(con, text, "plain", plain=True)
    assert fast.accelerated, text
    assert fast.columns == plain.columns
    assert Counter(fast.rows) == Counter(plain.rows)
    if "order by row" in text:
        assert fast.rows == plain.rows
    rewritten = accelerate(con, text)
    assert rewritten is not None
    types = duckdb_kql.query(con, rewritten.text, query_now=rewritten.moment).types
    assert types == duckdb_kql.query(con, text).types


@settings(max_examples=8)
@given(
    rows=st.lists(st.tuples(logged, logged), max_size=12),
    lists=st.tuples(*[st.lists(sought, min_size=8, max_size=9)] * 2),
    operators=st.tuples(*[st.sampled_from(OPERATORS)] * 2),
    columns=st.tuples(*[st.sampled_from(("Name", "Name", "Computer"))] * 2),
    query=st.sampled_from(QUERIES),
    way=st.sampled_from(("in place", "let", "toscalar")),
)
def test_a_query_gives_what_duckdb_kql_alone_gives(
    rows: list[tuple[str | None, str | None]],
    lists: tuple[list[str], list[str]],
    operators: tuple[str, str],
    columns: tuple[str, str],
    query: str,
    way: str,
) -> None:
    if "project-away" in query:
        columns = ("Name", columns[1])
    lets = "".join(
        f"let list{at} = {LETS[way].format(_quoted(one))};\n" for at, one in enumerate(lists)
    )
    predicates = [
        f"{column} {operator} ({_quoted(one) if way == 'in place' else f'list{at}'})"
        for at, (column, operator, one) in enumerate(zip(columns, operators, lists, strict=True))
    ]
    text = (lets if way != "in place" else "") + query.format(*predicates)

    _assert_same(_load(rows), text)


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize(
    "listed",
    [
        ["evil.com", "a-b.org", "x_y", "45.137.22.7", "com", ".net", "EVIL", ""],
        [
            "\u017fink.com",
            "\u212aey",
            "bücher.de",
            "İ.com",
            "straße",
            "\u0345",
            "Ⅷ",
            "—",
            "sink.com",
        ],
        ["k", "s", "key.com", "i", "strasse", "8", "ü", "...", "a.b.c.d.e.f"],
    ],
)
def test_traps_give_what_duckdb_kql_alone_gives(operator: str, listed: list[str]) -> None:
    around = ("{}", "x{}", "{}x", ".{}_", "{}\u0345", "ü{}")
    values = [form.format(one) for one in (*listed, *map(str.upper, listed)) for form in around]
    con = _load([(value, None) for value in (*values, None, "", *listed)])

    _assert_same(con, f"DnsEvents | where Name {operator} ({_quoted(listed)}) | order by row asc")
