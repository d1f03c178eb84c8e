"""Long lists become tables: what is rewritten, what is not, and what fails as it did."""

from __future__ import annotations

import duckdb
import duckdb_kql
import pytest

from foxhunt.engines.accelerate import accelerate
from foxhunt.engines.query import run_query
from foxhunt.errors import QueryError
from foxhunt.logs import connect

NAMES = ["c2.evil.com", "EVIL.com.", "good.org", "evil.com.org", None, "", "m1.com", "xm1.com"]
LISTED = ", ".join(f'"m{number}.com"' for number in range(7)) + ', "evil.com"'
ADDRESSES = [
    "45.137.22.7",
    "1.1.1.1,45.137.22.7",
    "145.137.22.7",
    "45.137.22.71",
    "x45.137.22.7",
    "[::ffff:45.137.22.7]:443",
    "",
    None,
]


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    con = connect()
    con.execute(
        "CREATE TABLE loaded AS SELECT unnest(range(8)) AS row, unnest($names) AS Name, "
        "unnest($addresses) AS IPAddresses",
        {"names": NAMES, "addresses": ADDRESSES},
    )
    con.execute(
        "CREATE VIEW DnsEvents AS SELECT *, to_json(Name) AS Extra, "
        "make_timestamp(row * 3600000000) AS TimeGenerated FROM loaded"
    )
    return con


def names(con: duckdb.DuckDBPyConnection, text: str, *, plain: bool = False) -> list[object]:
    return [row[0] for row in run_query(con, text, "query", plain=plain).rows]


def test_the_rewritten_query_differs_only_in_the_comparison(
    con: duckdb.DuckDBPyConnection,
) -> None:
    text = (
        f"let bad = dynamic([{LISTED}]);\nDnsEvents // Größe\n| where Name has_any (bad)\n| count"
    )

    fast = accelerate(con, text)

    assert fast is not None
    assert fast.text == text.replace(
        "Name has_any (bad)", "(Name in (foxhunt_list_0 | project value))"
    )
    assert fast.notes == ("Name has_any with 8 values",)
    kept = con.execute("SELECT value FROM foxhunt_list_0 ORDER BY ALL").fetchall()
    assert kept == [("EVIL.com.",), ("c2.evil.com",), ("evil.com.org",), ("m1.com",)]


def test_plain_leaves_the_list_to_duckdb_kql(con: duckdb.DuckDBPyConnection) -> None:
    text = f"DnsEvents | where Name has_any ({LISTED}) | project Name | order by Name asc"

    fast, plain = run_query(con, text, "query"), run_query(con, text, "query", plain=True)

    assert (
        fast.rows
        == plain.rows
        == (("EVIL.com.",), ("c2.evil.com",), ("evil.com.org",), ("m1.com",))
    )
    assert (fast.tables, plain.tables) == (("DnsEvents",), ("DnsEvents",))
    assert (fast.accelerated, plain.accelerated) == (("Name has_any with 8 values",), ())


def test_a_query_can_run_again_over_other_rows(con: duckdb.DuckDBPyConnection) -> None:
    text = f"DnsEvents | where Name has_any ({LISTED}) or Name in ({LISTED}) | project Name"
    before = names(con, text)

    con.execute("UPDATE loaded SET Name = 'm2.com' WHERE row > 0")

    assert len(before) == 4
    assert names(con, text) == ["c2.evil.com", *["m2.com"] * 7]


@pytest.mark.parametrize(
    "query",
    [
        "DnsEvents | where Extra has_any (bad)",
        "DnsEvents | where row in (bad)",
        "DnsEvents | extend bad = Name | where Name in (bad)",
        "DnsEvents | project bad = Name, Name | where Name in (bad)",
        "DnsEvents | project Other = Name | where Name in (bad)",
        "DnsEvents | where name in (bad)",
        "DnsEvents | where Missing in (bad)",
        "DnsEvents | where Name in (foxhunt_list_7) or Name in (bad)",
        "DnsEvents | where Name has_any (free)",
        "DnsEvents | where Name == 'x'",
        "DnsEvents | whre Name in (bad)",
    ],
)
def test_what_the_columns_leave_in_doubt_is_left_alone(
    con: duckdb.DuckDBPyConnection, query: str
) -> None:
    free = ", ".join(f"'{chr(0x4E00 + number)}'" for number in range(33))

    assert (
        accelerate(con, f"let bad = dynamic([{LISTED}]); let free = dynamic([{free}]); {query}")
        is None
    )


def test_times_that_depend_on_now_are_read_by_one_clock(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "CREATE OR REPLACE VIEW DnsEvents AS SELECT *, current_localtimestamp() AS T FROM loaded"
    )
    text = (
        f"DnsEvents | where T > ago(1h) | where Name in ({LISTED}) | project t = now(), u = now()"
    )

    fast = accelerate(con, text)

    assert fast is not None
    relation = duckdb_kql.query(con, fast.text, query_now=fast.moment)
    assert set(relation.fetchall()) == {(fast.moment, fast.moment)}
    assert relation.types == duckdb_kql.query(con, text).types


@pytest.mark.parametrize(
    ("arguments", "rows"),
    [
        ("'45.137.22.7'", [0, 1, 5]),
        ("dynamic(['45.137.22.7', '9.9.9.9'])", [0, 1, 5]),
        ("'145.137.22.7', '45.137.22.71'", [2, 3]),
        ("'45.137.22.777', 'x45.137.22.7', '45.137.22'", []),
        ("bad", []),
    ],
)
def test_has_any_ipv4_finds_whole_valid_addresses(
    con: duckdb.DuckDBPyConnection, arguments: str, rows: list[int]
) -> None:
    call = f"has_any_ipv4(IPAddresses, {arguments})"
    text = f"let bad = dynamic([{LISTED}]); DnsEvents | where {{}}{call}{{}} | project row"

    assert names(con, text.format("", "")) == rows
    assert names(con, text.format("not(", ")")) == [at for at in range(8) if at not in rows]
    with pytest.raises(QueryError, match="has_any_ipv4"):
        names(con, text.format("", ""), plain=True)


@pytest.mark.parametrize(
    ("tail", "message"),
    [
        ("| where Nmae == 'x'", "query:2:9: H502: .*Nmae"),
        ("| evaluate bag_unpack(x)", "query:2:3: H502: EvaluateOperator"),
    ],
)
def test_an_error_is_that_of_the_query_as_written(
    con: duckdb.DuckDBPyConnection, tail: str, message: str
) -> None:
    with pytest.raises(QueryError, match=message):
        run_query(con, f"DnsEvents | where Name in ({LISTED})\n{tail}", "query")
