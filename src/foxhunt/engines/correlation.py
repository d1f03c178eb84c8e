"""What an event's own row does not tell: the processes of its host about that time.

A DNS or firewall log has no process. For exclusions that ask for one, the rows of
process, network and DNS logs of the same host within a window of the event are its
witnesses: their values stand in for the fact the row lacks. Without a witness the fact
stays unknown; nothing is guessed.

Hosts are the same when their names are equal (or one is unqualified and is the other's
first label), or when the witness's own address is the event's host.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta

import duckdb

from foxhunt.engines.facts import column_of, values_sql
from foxhunt.exclusions import CORRELATED, Exclusion
from foxhunt.logs import LogPart
from foxhunt.sql import identifier
from foxhunt.tables import Fact, get_table

_WITNESS_TABLES = ("DeviceProcessEvents", "DeviceNetworkEvents", "DnsEvents")


def windows_of(exclusions: Iterable[Exclusion]) -> tuple[timedelta, ...]:
    """The windows of exclusions that may ask for witnesses, shortest first."""
    return tuple(sorted({one.within for one in exclusions if one.facts & CORRELATED}))


def filled_column(fact: Fact, window: timedelta) -> str:
    """The column of the events table with a fact, or with its witnesses' within ``window``."""
    return f"{column_of(fact)}_{int(window.total_seconds())}"


def witnessed_facts(parts: Iterable[LogPart], facts: Collection[Fact]) -> frozenset[Fact]:
    """The facts that some part could witness."""
    return frozenset(fact for part in parts for fact in CORRELATED if _columns(part, fact)) & set(
        facts
    )


def _columns(part: LogPart, fact: Fact) -> list[str]:
    if part.table not in _WITNESS_TABLES:
        return []
    return [name for name in get_table(part.table).facts.get(fact, ()) if name in part.columns]


def correlate(
    con: duckdb.DuckDBPyConnection,
    parts: Sequence[LogPart],
    facts: Sequence[Fact],
    windows: Sequence[timedelta],
) -> None:
    """Add to ``events`` for each window a filled column of each correlated fact of ``facts``.

    Needs the temp table ``events`` with the columns of ``facts``.

    Raises:
        duckdb.Error: A witness's file cannot be read again.
    """
    wanted = [fact for fact in facts if fact in CORRELATED]
    if not wanted or not windows:
        return
    lacking = " OR ".join(f"{column_of(fact)} IS NULL" for fact in wanted)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE lacking AS SELECT DISTINCT host_key, time FROM events "
        f"WHERE host_key IS NOT NULL AND ({lacking})"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE lacking_keys AS SELECT DISTINCT host_key, "
        "unnest(CASE WHEN contains(host_key, '.') THEN [{'k': host_key, 'short': false}, "
        "{'k': split_part(host_key, '.', 1), 'short': true}] "
        "ELSE [{'k': host_key, 'short': false}] END, recursive := true) FROM lacking"
    )
    _collect_witnesses(con, parts, wanted)
    for window in windows:
        _fill(con, wanted, window)


def _collect_witnesses(
    con: duckdb.DuckDBPyConnection, parts: Sequence[LogPart], wanted: Sequence[Fact]
) -> None:
    columns = ", ".join(f"{column_of(fact)} VARCHAR" for fact in wanted)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE witnesses "
        f"(host VARCHAR, address VARCHAR, time TIMESTAMP, {columns})"
    )
    for part in parts:
        if not any(_columns(part, fact) for fact in wanted):
            continue
        table = get_table(part.table)
        values = ", ".join(values_sql(_columns(part, fact)) for fact in wanted)
        con.execute(
            f"INSERT INTO witnesses SELECT DISTINCT {_named(part, ('DeviceName', 'Computer'))}, "
            f"{_named(part, table.facts.get(Fact.SOURCE_IP, ()))}, {identifier(table.time)}, "
            f"{values} FROM {identifier(part.view)} WHERE _refused IS NULL"
        )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE witness_keys AS SELECT DISTINCT rowid AS witness, time, k, "
        "short FROM (SELECT rowid, time, unnest([{'k': host, 'short': false}, "
        "{'k': address, 'short': false}, {'k': CASE WHEN contains(host, '.') "
        "THEN split_part(host, '.', 1) END, 'short': true}], recursive := true) FROM witnesses) "
        "WHERE k IN (SELECT k FROM lacking_keys)"
    )


def _named(part: LogPart, names: Iterable[str]) -> str:
    """SQL: the first of the columns that the part has and that says something, lower case."""
    present = [f"nullif(lower(trim({identifier(n)})), '')" for n in names if n in part.columns]
    return f"coalesce({', '.join(present)})" if present else "CAST(NULL AS VARCHAR)"


def _fill(con: duckdb.DuckDBPyConnection, wanted: Sequence[Fact], window: timedelta) -> None:
    seconds = int(window.total_seconds())
    # Times are put into buckets of one window, so that a host with many events and many
    # witnesses costs what is near each other, not the product of the two.
    seen = ", ".join(
        f"string_agg(DISTINCT {column_of(fact)}, chr(31)) AS {column_of(fact)}" for fact in wanted
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE seen AS SELECT host_key, event_time, {seen} FROM ("
        f"SELECT DISTINCT near.host_key, near.event_time, witness FROM "
        f"(SELECT host_key, k, short, lacking.time AS event_time, "
        f"CAST(floor(epoch(lacking.time) / {seconds}) AS BIGINT) AS bucket "
        f"FROM lacking JOIN lacking_keys USING (host_key)) AS near JOIN "
        f"(SELECT witness, time, k, short, unnest([-1, 0, 1]) "
        f"+ CAST(floor(epoch(time) / {seconds}) AS BIGINT) AS bucket FROM witness_keys) AS far "
        f"ON near.k = far.k AND near.bucket = far.bucket AND NOT (near.short AND far.short) "
        f"WHERE far.time BETWEEN near.event_time - INTERVAL {seconds} SECOND "
        f"AND near.event_time + INTERVAL {seconds} SECOND) AS pairs "
        f"JOIN witnesses ON witnesses.rowid = pairs.witness GROUP BY host_key, event_time"
    )
    filled = ", ".join(
        f"coalesce(events.{column_of(fact)}, seen.{column_of(fact)}) "
        f"AS {filled_column(fact, window)}"
        for fact in wanted
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE events AS SELECT events.*, {filled} FROM events "
        f"LEFT JOIN seen ON events.host_key = seen.host_key AND events.time = seen.event_time"
    )
