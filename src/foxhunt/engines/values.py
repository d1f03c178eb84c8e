"""From a column's distinct values to the indicators they meet, in DuckDB.

A column is read once for its distinct values; those that end like no indicator are
left out, the rest are canonicalised and joined with the indicators, so that cost
hardly grows with their number (DESIGN 6). What
SQL cannot canonicalise exactly (IDN, odd spellings of addresses and URLs) goes
through the same Python functions that `foxhunt.rules.match` uses; such values are
few in real logs. The result is what `foxhunt.rules.match` says, value by value.
"""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import pyarrow as pa

from foxhunt.indicators import (
    IndicatorSet,
    canonical_address,
    canonical_hash,
    canonical_name,
    url_key,
)
from foxhunt.indicators.urls import MAX_URL
from foxhunt.rules import (
    ANSWER_SEPARATORS,
    MatchKind,
    MatchMode,
    Observes,
    has_term,
    match,
    term_value,
)
from foxhunt.sql import identifier, literal
from foxhunt.tables import Shows

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_PLAIN_ADDRESS = rf"({_OCTET}\.){{3}}{_OCTET}"
_PLAIN_TEXT = "[!-~]+"
# What the browsers' rules and a split at the first "/" agree on: an ASCII host without
# credentials, percent signs, punycode or a numeric last label, after a scheme with "//" or none.
_PLAIN_URL = r"([A-Za-z][A-Za-z0-9+.-]*://)?[A-Za-z0-9._-]+(:[0-9]+)?([/?#][!-~]*)?"
_ODD_HOST = r"(^|\.)(0x[0-9a-f]*|[0-9]+)?\.*$|xn--|^(https?|wss?|ftp)$"
# Few names end with a dot, and to trim one takes five times as long as to see that it does not.
_NAME = "CASE WHEN ends_with({0}, '.') THEN rtrim(lower({0}), '.') ELSE lower({0}) END"
_PLAIN_NAME = _NAME.format("v")
_URL_HOST = _NAME.format(
    r"regexp_extract(regexp_replace(v, '^[A-Za-z][A-Za-z0-9+.-]*://', ''), '^[A-Za-z0-9._-]+')"
)
# Of a name its last two labels: a name can only be at or below one that ends with the same two.
_TAIL = r"regexp_extract({}, '[^.]*\.?[^.]*$')"
# To look at the ends of a million indicators takes as long as to look so many names up.
_FEW = 100_000
_INDICATORS = "indicators"


def load_indicators(
    con: duckdb.DuckDBPyConnection, indicators: IndicatorSet, mode: MatchMode
) -> None:
    """Make the view ``indicators`` (position, type, lookup, port, is_shared; of terms value)."""
    names = ("type", "lookup", "port", "is_shared")
    numbered = indicators.select(*names, *(("value",) if mode is MatchMode.TERM else ()))
    # An Arrow table is scanned as it is; of a million rows few columns are ever looked at.
    con.register(
        _INDICATORS,
        numbered.append_column("position", pa.arange(0, len(indicators))),
    )
    for (name,) in con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE starts_with(table_name, 'indicators of ')"
    ).fetchall():
        con.execute(f"DROP TABLE {identifier(name)}")


def _wanted_name(part: Observes) -> str:
    return f"indicators of {part.mode}: {', '.join(sorted(part.types))}"


def _choose_wanted(con: duckdb.DuckDBPyConnection, part: Observes) -> None:
    """Make the view ``wanted``: indicators of the types looked up.

    Parts of one table ask for the same types again and again: the table below is made once.
    """
    types = ", ".join(literal(type_) for type_ in part.types)
    wanted = _wanted_name(part)
    port = "TRY_CAST(port AS BIGINT) AS port"
    columns = f"position, type, lookup, {port}, is_shared"
    if part.mode is MatchMode.TERM:
        columns += ", value"
    con.execute(
        f"CREATE TEMP TABLE IF NOT EXISTS {identifier(wanted)} AS SELECT {columns} "
        f"FROM {_INDICATORS} WHERE type IN ({types}) AND lookup IS NOT NULL"
    )
    con.execute(f"CREATE OR REPLACE TEMP VIEW wanted AS FROM {identifier(wanted)}")


def _like_one(con: duckdb.DuckDBPyConnection, part: Observes) -> str:
    """The condition that a name ``c`` ends like some indicator; of few names none is needed."""
    ((values,),) = con.execute("SELECT count(*) FROM observed").fetchall()
    if values < _FEW:
        return "true"
    tails = identifier(f"{_wanted_name(part)}, tails")
    con.execute(
        f"CREATE TEMP TABLE IF NOT EXISTS {tails} AS "
        f"SELECT DISTINCT {_TAIL.format('lookup')} AS tail FROM wanted"
    )
    return f"{_TAIL.format('c')} IN (SELECT tail FROM {tails})"


def find_hits(
    con: duckdb.DuckDBPyConnection, source: str, part: Observes, indicators: IndicatorSet
) -> int:
    """Fill the temp table ``hits`` with the values of one column that meet an indicator.

    Its columns: ``v`` (the value as logged), ``position`` (of the indicator), ``kind``
    (MatchKind, NULL where the row's port decides), ``port`` (BIGINT, of the indicator).
    The temp table ``observed`` has every value ``v``, and the number ``n`` of its rows.

    Args:
        con: Where ``source`` and ``indicators`` are.
        source: Relation with the column.
        part: The column and what to look up in it.
        indicators: The set that the table ``indicators`` was loaded from.

    Returns:
        How many pairs of value and indicator.

    Raises:
        duckdb.Error: The relation cannot be read.
    """
    column = identifier(part.observable.column)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE observed AS SELECT {column} AS v, count(*) AS n "
        f"FROM {source} WHERE {column} <> '' GROUP BY {column}"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE hits (v VARCHAR, position BIGINT, kind VARCHAR, port BIGINT)"
    )
    _choose_wanted(con, part)
    if part.mode is MatchMode.TERM:
        _term_hits(con, part, indicators)
    else:
        _FIND[part.observable.shows](con, part, indicators)
    ((count,),) = con.execute("SELECT count(*) FROM hits").fetchall()
    return int(count)


def _canonical(
    con: duckdb.DuckDBPyConnection,
    table: str,
    is_plain: str,
    expression: str,
    in_python: Callable[[str], str | None],
    *,
    kept: str = "true",
    is_odd: str | None = None,
) -> None:
    """Make the temp table ``canonical`` (v, c, is_odd) of the values ``v`` of ``table``.

    Args:
        con: The connection.
        table: Has a column ``v`` of distinct, non-empty text.
        is_plain: SQL condition on ``v`` under which ``expression`` can be worked out.
        expression: SQL for the canonical value ``c``.
        in_python: The same for every other value; None means it is no such value.
        kept: SQL condition on ``c`` without which a value meets nothing.
        is_odd: SQL condition on ``c`` under which ``expression`` is not exact after all.
    """
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE canonical AS SELECT v, c, {is_odd or 'false'} AS is_odd "
        f"FROM (SELECT v, {expression} AS c FROM {table} WHERE {is_plain}) "
        # An OR, even with false, would look each value up among a million endings.
        f"WHERE {f'{kept} OR {is_odd}' if is_odd else kept}"
    )
    # Fetched whole: a second statement on the connection would end a running result, and a
    # cursor of its own would not see temporary tables.
    odd = con.execute(
        f"SELECT v FROM {table} WHERE NOT ({is_plain}) "
        "UNION ALL SELECT v FROM canonical WHERE is_odd"
    ).fetchall()
    con.execute("DELETE FROM canonical WHERE is_odd")
    values = [(v, c) for (v,) in odd if (c := in_python(v))]
    if not values:
        return
    batch = pa.table(
        {
            "v": pa.array([v for v, _ in values], pa.string()),
            "c": pa.array([c for _, c in values], pa.string()),
        }
    )
    con.register("odd_values", batch)
    con.execute("INSERT INTO canonical SELECT v, c, false FROM odd_values")
    con.unregister("odd_values")


def _has_canonical(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether any value is left to look up; of most small files there is none."""
    # fetchall ends the result: an unfinished one keeps the connection from other work.
    return bool(con.execute("FROM canonical LIMIT 1").fetchall())


def _name_hits(con: duckdb.DuckDBPyConnection, part: Observes, indicators: IndicatorSet) -> None:
    _canonical(
        con,
        "observed",
        f"regexp_full_match(v, {literal(_PLAIN_TEXT)})",
        _PLAIN_NAME,
        canonical_name,
        kept=_like_one(con, part),
    )
    if _has_canonical(con):
        _insert_named(con, part, "NOT is_shared AND at_itself")


def _insert_named(con: duckdb.DuckDBPyConnection, part: Observes, of_url: str) -> None:
    """Insert the hits of names ``c`` and each of their parents among the domains (R1).

    One join looks all of them up: to go through a million indicators is what it costs. A name has
    no more parents than the indicators have labels, however deep it is.

    Args:
        con: With ``canonical`` and ``wanted``.
        part: What is looked up.
        of_url: SQL condition for the host of a URL indicator to be a hit by itself.
    """
    depth = identifier(f"{_wanted_name(part)}, depth")
    dots = "length(lookup) - length(replace(lookup, '.', ''))"
    con.execute(
        f"CREATE TEMP TABLE IF NOT EXISTS {depth} AS "
        f"SELECT coalesce(max({dots}), 0) + 1 AS labels FROM wanted"
    )
    # Every domain has two labels or more, so the last label is looked up only if it is all.
    con.execute(
        "INSERT INTO hits SELECT v, position, CASE WHEN type = 'url' THEN $url WHEN at_itself "
        "THEN $exact ELSE $below END, NULL FROM (SELECT v, parent.at = 1 AS at_itself, "
        "parent.name AS name FROM (SELECT v, unnest(list_transform("
        "range(greatest(1, len(l) - labels + 1), greatest(len(l), 2)), "
        "lambda i: {'at': i, 'name': array_to_string(l[i:], '.')})) AS parent "
        f"FROM (SELECT v, string_split(c, '.') AS l FROM canonical), {depth})) "
        "JOIN wanted ON name = lookup "
        f"WHERE (type = 'domain' AND (at_itself OR NOT is_shared)) OR (type = 'url' AND {of_url})",
        {"url": MatchKind.URL_HOST, "exact": MatchKind.EXACT, "below": MatchKind.SUBDOMAIN},
    )


def _url_hits(con: duckdb.DuckDBPyConnection, part: Observes, indicators: IndicatorSet) -> None:
    _canonical(
        con,
        "observed",
        f"length(v) <= {MAX_URL} AND regexp_full_match(v, {literal(_PLAIN_URL)})",
        _URL_HOST,
        _host_of_url,
        kept=_like_one(con, part),
        is_odd=f"regexp_matches(c, {literal(_ODD_HOST)})",
    )
    if not _has_canonical(con):
        return
    _insert_named(con, part, "false")
    # The host narrows a URL down to few candidates; the path is compared by the definition.
    pairs = con.execute(
        "SELECT v, position FROM canonical JOIN wanted ON c = lookup WHERE type = 'url'"
    ).fetchall()
    _insert_confirmed(con, part, pairs, indicators)


def _host_of_url(text: str) -> str | None:
    key = url_key(text)
    return key.host if key else None


def _insert_confirmed(
    con: duckdb.DuckDBPyConnection,
    part: Observes,
    pairs: list[tuple[str, int]],
    indicators: IndicatorSet,
) -> None:
    wanted = indicators.take(position for _, position in pairs)
    found = [
        (v, position, str(kind))
        for v, position in pairs
        if (kind := match(part.observable.shows, v, None, wanted[position]))
    ]
    _insert_hits(con, found)


def _insert_hits(con: duckdb.DuckDBPyConnection, found: list[tuple[str, int, str]]) -> None:
    batch = pa.table(
        {
            "v": pa.array([v for v, _, _ in found], pa.string()),
            "position": pa.array([position for _, position, _ in found], pa.int64()),
            "kind": pa.array([kind for _, _, kind in found], pa.string()),
        }
    )
    con.register("found_hits", batch)
    con.execute("INSERT INTO hits SELECT v, position, kind, NULL FROM found_hits")
    con.unregister("found_hits")


def _address_hits(con: duckdb.DuckDBPyConnection, part: Observes, indicators: IndicatorSet) -> None:
    _canonical_addresses(con, "observed")
    con.execute(
        "INSERT INTO hits SELECT v, position, CASE WHEN type = 'url' THEN ? END, "
        "CASE WHEN type = 'ip:port' THEN port END "
        "FROM canonical JOIN wanted ON c = lookup",
        [MatchKind.URL_HOST],
    )


def _canonical_addresses(con: duckdb.DuckDBPyConnection, table: str) -> None:
    is_plain = f"regexp_full_match(v, {literal(_PLAIN_ADDRESS)})"
    _canonical(con, table, is_plain, "v", canonical_address)


def _answer_hits(con: duckdb.DuckDBPyConnection, part: Observes, indicators: IndicatorSet) -> None:
    con.execute(
        "CREATE OR REPLACE TEMP TABLE answers AS SELECT v AS whole, "
        f"unnest(regexp_split_to_array(v, {literal(ANSWER_SEPARATORS)})) AS v FROM observed"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE answer AS SELECT DISTINCT v FROM answers WHERE v <> ''"
    )
    _canonical_addresses(con, "answer")
    con.execute(
        "INSERT INTO hits SELECT DISTINCT whole, position, ?, CAST(NULL AS BIGINT) FROM answers "
        "JOIN canonical USING (v) JOIN wanted ON c = lookup",
        [MatchKind.RESOLVED_IP],
    )


def _hash_hits(con: duckdb.DuckDBPyConnection, part: Observes, indicators: IndicatorSet) -> None:
    _canonical(
        con,
        "observed",
        f"regexp_full_match(v, {literal(_PLAIN_TEXT)})",
        "lower(v)",
        canonical_hash,
    )
    con.execute(
        "INSERT INTO hits SELECT v, position, ?, NULL FROM canonical JOIN wanted ON c = lookup",
        [MatchKind.HASH],
    )


_FIND: dict[Shows, Callable[[duckdb.DuckDBPyConnection, Observes, IndicatorSet], None]] = {
    Shows.NAME: _name_hits,
    Shows.URL: _url_hits,
    Shows.ADDRESS: _address_hits,
    Shows.ANSWERS: _answer_hits,
    Shows.MD5: _hash_hits,
    Shows.SHA1: _hash_hits,
    Shows.SHA256: _hash_hits,
    Shows.HASH: _hash_hits,
}


def _term_hits(con: duckdb.DuckDBPyConnection, part: Observes, indicators: IndicatorSet) -> None:
    """R9: what the pages' ``has_any`` and ``in`` would say, for comparison with them."""
    (count,) = con.execute("SELECT count(*) FROM wanted").fetchone() or (0,)
    if not count:
        return
    if part.observable.shows not in (Shows.NAME, Shows.URL):
        listed = "lookup" if part.observable.shows is Shows.ADDRESS else "value"
        con.execute(
            "INSERT INTO hits SELECT v, position, ?, NULL FROM observed "
            f"JOIN wanted ON v = {listed}",
            [MatchKind.TERM],
        )
        return
    # A value that holds the text holds each of its terms; the longest one is a good hash key.
    con.execute(
        "CREATE OR REPLACE TEMP TABLE terms AS SELECT v, "
        "unnest(list_distinct(regexp_extract_all(lower(v), '[a-z0-9]+'))) AS term FROM observed"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE keys AS SELECT position, value, list_sort(list_transform("
        "regexp_extract_all(lower(value), '[a-z0-9]+'), lambda t: {'n': -length(t), 't': t}))[1].t "
        "AS term FROM wanted"
    )
    pairs = con.execute(
        "SELECT v, position FROM terms JOIN keys USING (term) "
        "WHERE contains(lower(v), lower(value))"
    ).fetchall()
    wanted = indicators.take(position for _, position in pairs)
    _insert_hits(
        con,
        [
            (v, position, str(MatchKind.TERM))
            for v, position in pairs
            if has_term(v, term_value(wanted[position]))
        ],
    )
