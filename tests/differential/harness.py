"""One rule over the same rows in each place it can run: what the tests compare."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from enum import Enum, auto
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

import duckdb
import duckdb_kql
import pyarrow as pa

from foxhunt.backends import Emission, get_backend
from foxhunt.engines import LocalEngine, TimeRange, fact_columns, suppress
from foxhunt.exclusions import Exclusion, ExclusionSet
from foxhunt.findings import MatchKind, ValidityPolicy, Verdict
from foxhunt.indicators import IndicatorSet
from foxhunt.logs import LogFile, LogPart, LogReader, connect, open_logs
from foxhunt.logs.views import DUCKDB_TYPES
from foxhunt.rules import MatchMode, build_rule
from foxhunt.tables import Fact, get_table

from .reference import Event, Row, read_events

POLICY = ValidityPolicy()


class Reading(Enum):
    """How the local engine reads rows."""

    STAGED = auto()  # as text
    COLUMNAR = auto()  # as a view in which one column costs itself
    PARQUET = auto()  # a real file, whose columns are sifted
    CSV = auto()  # a real file, whose lines are sifted
    JSON_LINES = auto()  # another


def by_evaluator(
    indicators: IndicatorSet, name: str, rows: list[Row], mode: MatchMode
) -> list[Event]:
    """What the plain evaluator finds, in row and indicator order."""
    return list(read_events(build_rule("Fox", "*", indicators, mode), name, rows, POLICY))


def load(con: duckdb.DuckDBPyConnection, name: str, rows: Sequence[Row], target: str) -> None:
    """Put rows into a DuckDB table with the Sentinel table's columns and types, and `_row`."""
    table = get_table(name)
    arrow = pa.table(
        {
            "_row": pa.array(range(1, len(rows) + 1), pa.int64()),
            **{column: pa.array([row[column] for row in rows]) for column in rows[0]},
        }
    )
    con.register("rows_to_load", arrow)
    columns = {column: table.columns.get(column, "string") for column in rows[0]}
    absent = {column: kind for column, kind in table.columns.items() if column not in columns}
    select = [f'CAST("{c}" AS {DUCKDB_TYPES[kind]}) AS "{c}"' for c, kind in columns.items()]
    select += [f'CAST(NULL AS {DUCKDB_TYPES[kind]}) AS "{c}"' for c, kind in absent.items()]
    con.execute(f'CREATE OR REPLACE TEMP TABLE "loaded {target}" AS FROM rows_to_load')
    # A table of its own for each view, which reads it only when it is asked.
    source = f'"loaded {target}"'
    con.execute(
        f'CREATE OR REPLACE VIEW "{target}" AS SELECT _row, {", ".join(select)} FROM {source}'
    )
    con.unregister("rows_to_load")


@cache
def _engine_connection() -> duckdb.DuckDBPyConnection:
    return connect()


@cache
def _kql_connection() -> duckdb.DuckDBPyConnection:
    return duckdb_kql.connect()


def by_engine(
    indicators: IndicatorSet,
    name: str,
    rows: Sequence[Row],
    mode: MatchMode,
    *,
    reading: Reading,
) -> list[Event]:
    """What the local engine finds, in row and indicator order."""
    con = _run_engine(indicators, name, rows, mode, reading)
    found = con.execute(
        "SELECT row, position, kind, col, host, direction, action, verdict FROM events "
        "ORDER BY row, position"
    ).fetchall()
    return [
        Event(row, position, MatchKind(kind), col, host, direction, action, Verdict(verdict))
        for row, position, kind, col, host, direction, action, verdict in found
    ]


def by_engine_with_exclusions(
    indicators: IndicatorSet, name: str, rows: Sequence[Row], exclusions: ExclusionSet
) -> dict[tuple[int, int], tuple[str, ...]]:
    """Row and indicator to the ids of the exclusions that cover the event, in order."""
    facts = fact_columns(exclusions)
    con = _run_engine(indicators, name, rows, MatchMode.EXACT, Reading.STAGED, facts=facts)
    suppress(con, (), indicators, tuple(exclusions))
    found = con.execute(
        "SELECT row, position, ids FROM judged LEFT JOIN covering USING (covering)"
    ).fetchall()
    return {(row, position): tuple(ids or ()) for row, position, ids in found}


def _run_engine(
    indicators: IndicatorSet,
    name: str,
    rows: Sequence[Row],
    mode: MatchMode,
    reading: Reading,
    *,
    facts: tuple[Fact, ...] = (),
) -> duckdb.DuckDBPyConnection:
    """Run the rule over one part; its events are in the connection."""
    con = _engine_connection()
    load(con, name, rows, "raw")
    rule = build_rule("Fox", "*", indicators, mode)
    with TemporaryDirectory() as folder:
        engine = LocalEngine(con, rule, policy=POLICY, times=TimeRange(), facts=facts, sift_from=1)
        for part in _parts(con, name, rows, reading, Path(folder), engine):
            assert engine.run(part).error is None
    return con


def _parts(
    con: duckdb.DuckDBPyConnection,
    name: str,
    rows: Sequence[Row],
    reading: Reading,
    folder: Path,
    engine: LocalEngine,
) -> Iterable[LogPart]:
    if reading not in (Reading.CSV, Reading.JSON_LINES):
        return [_part(con, name, rows, reading, folder)]
    path = folder / "log"
    with path.open("w", newline="", encoding="utf-8") as file:
        if reading is Reading.CSV:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        else:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
    return LogReader(con, [], [(name, str(path))], engine.compared, sift_from=1)


def _part(
    con: duckdb.DuckDBPyConnection,
    name: str,
    rows: Sequence[Row],
    reading: Reading,
    folder: Path,
) -> LogPart:
    if reading is Reading.PARQUET:
        path = folder / "log.parquet"
        listed = ", ".join(f'"{column}"' for column in rows[0])
        con.execute(f"COPY (SELECT {listed} FROM raw ORDER BY _row) TO '{path}'")
        (part,) = open_logs(con, [], [(name, str(path))]).parts
        return part
    con.execute(
        "CREATE OR REPLACE TEMP VIEW part AS SELECT *, CAST(NULL AS VARCHAR) AS _refused, "
        "CAST(NULL AS VARCHAR) AS _nulled FROM raw"
    )
    return LogPart(
        table=name,
        file=LogFile(Path("x"), "x", "none", b""),
        format="test",
        view="part",
        columns=tuple(rows[0]),
        columnar=reading is Reading.COLUMNAR,
    )


# Long enough for the times of any row here; how far back a query looks is no part of the rule.
EVER = timedelta(days=36_500)

KqlEvent = tuple[object, str, str, MatchKind, Verdict]


def by_exact_kql(
    indicators: IndicatorSet,
    name: str,
    rows: Sequence[Row],
    exclusions: Iterable[Exclusion] = (),
    *,
    witnesses: Mapping[str, Sequence[Row]] = MappingProxyType({}),
) -> set[KqlEvent]:
    """Time, indicator, its type, strongest match and its verdict over one table's queries."""
    found: dict[tuple[object, str, str], tuple[int, set[KqlEvent]]] = {}
    queries = run_queries(indicators, name, rows, MatchMode.EXACT, exclusions, witnesses=witnesses)
    for number, hits in enumerate(queries):
        for hit in hits:
            key = (hit[get_table(name).time], str(hit["Indicator"]), str(hit["IndicatorType"]))
            kind, verdict = MatchKind(str(hit["Match"])), Verdict(str(hit["Verdict"]))
            event = (*key, kind, verdict)
            # Of equally strong columns the first in the table's order counts.
            first, best = found.setdefault(key, (number, {event}))
            strongest = next(iter(best))[3]
            if kind.rank < strongest.rank:
                found[key] = number, {event}
            elif kind.rank == strongest.rank and number == first:
                best.add(event)
    return {event for _, events in found.values() for event in events}


def by_term_kql(indicators: IndicatorSet, name: str, rows: Sequence[Row]) -> set[object]:
    """Times of the rows that the pages' queries for one table return."""
    queries = run_queries(indicators, name, rows, MatchMode.TERM)
    return {hit[get_table(name).time] for hits in queries for hit in hits}


def run_queries(
    indicators: IndicatorSet,
    name: str,
    rows: Sequence[Row],
    mode: MatchMode,
    exclusions: Iterable[Exclusion] = (),
    *,
    witnesses: Mapping[str, Sequence[Row]] = MappingProxyType({}),
) -> list[list[dict[str, object]]]:
    """The rows of each of the table's queries.

    Args:
        indicators: What is looked for.
        name: The table.
        rows: Its rows.
        mode: How values are compared.
        exclusions: Those that travel in the queries.
        witnesses: Rows of other tables.
    """
    con = _kql_connection()
    for other in ("DeviceProcessEvents", "DeviceNetworkEvents"):
        load(con, other, witnesses.get(other) or [{get_table(other).time: None}], other)
    load(con, name, rows, name)
    found: list[list[dict[str, object]]] = []
    rule = build_rule("Fox", "*", indicators, mode)
    emission = Emission(lookback=EVER)
    for query in get_backend("kql").compile_rule(rule, tuple(exclusions), emission):
        if query.table == name:
            relation = duckdb_kql.query(con, query.text)
            columns = relation.columns
            found.append([dict(zip(columns, row, strict=True)) for row in relation.fetchall()])
    return found
