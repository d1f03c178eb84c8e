"""A KQL query with constant lists, rewritten so that a list costs what a join costs.

The list, or for ``has_any`` the values of the column that it is true for, becomes a table, and
the comparison with the list becomes ``in`` that table. The rest of the text stays as it is, and
duckdb-kql runs it: nothing here says what any operator means. ``has_any`` and ``in`` give true
or false and never null, for null too, so that the new comparison can stand wherever the old
one stood.

``has_any_ipv4``, which duckdb-kql does not know (1.1.2), is ``has_any`` with those texts of its
list that are IPv4 addresses, as Microsoft documents it ("properly delimited with
non-alphanumeric characters", Kusto docs, has_any_ipv4(), 2025-09).
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb
import duckdb_kql
import pyarrow as pa
from duckdb_kql import KqlError

from foxhunt.engines.kql_lists import IPV4, ListPredicate, list_predicates
from foxhunt.engines.terms import MOST_WITHOUT_TERM, keep_matching, run_of
from foxhunt.sql import identifier
from foxhunt.tables import catalog

_PREFIX = "foxhunt_list_"


@dataclass(frozen=True, slots=True)
class Accelerated:
    """A query that gives the rows of the one it was made from.

    Attributes:
        text: KQL; it refers to tables that were made in the connection.
        moment: The time that ``now()`` is to be, since values were read by it; UTC.
        notes: What was taken, a line each.
    """

    text: str
    moment: datetime
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    text: str


def accelerate(con: duckdb.DuckDBPyConnection, text: str) -> Accelerated | None:
    """Rewrite ``text`` over the views of `create_tables`.

    Returns:
        None if nothing in it can be taken, or the query as it is has to say what is wrong.
    """
    if _PREFIX in text:
        return None
    moment = datetime.now(UTC).replace(tzinfo=None)
    edits: list[_Edit] = []
    notes: list[str] = []
    try:
        found = list_predicates(text, catalog(), lambda query: _listed(con, query, moment))
        for predicate in found:
            name = f"{_PREFIX}{len(edits)}"
            scope = _edited(text, 0, predicate.statement, edits)
            before = scope + _edited(text, predicate.pipeline, predicate.stage, edits)
            rows = duckdb_kql.query(con, before, allow_write=False, query_now=moment)
            if not _is_certain(predicate, rows):
                continue
            _make_table(con, predicate, rows, name)
            edits.append(_Edit(predicate.start, predicate.end, _comparison(predicate, name)))
            notes.append(
                f"{predicate.column} {predicate.operator} with {len(predicate.values):,} values"
            )
    except (KqlError, duckdb.Error):
        return None
    if not edits:
        return None
    return Accelerated(_edited(text, 0, len(text), edits), moment, tuple(notes))


def _listed(con: duckdb.DuckDBPyConnection, query: str, moment: datetime) -> tuple[str, ...] | None:
    """The one value of a query if it is a list of texts."""
    answer = duckdb_kql.query(con, query, allow_write=False, query_now=moment)
    if len(answer.types) != 1 or str(answer.types[0]) != "JSON":
        return None
    rows = answer.fetchall()
    values = json.loads(rows[0][0]) if len(rows) == 1 and rows[0][0] is not None else None
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        return None
    return tuple(values)


def _edited(text: str, start: int, end: int, edits: Sequence[_Edit]) -> str:
    """A part of the text, with what was replaced in it so far."""
    pieces: list[str] = []
    for edit in edits:
        if start <= edit.start and edit.end <= end:
            pieces += [text[start : edit.start], edit.text]
            start = edit.end
    return "".join([*pieces, text[start:end]])


def _is_certain(predicate: ListPredicate, rows: duckdb.DuckDBPyRelation) -> bool:
    """Whether the name is a column of text here, and the list's name no column."""
    types = dict(zip(rows.columns, map(str, rows.types), strict=True))
    names = {column.casefold() for column in rows.columns}
    is_shadowed = predicate.list_name is not None and predicate.list_name.casefold() in names
    without_term = sum(not run_of(value) for value in predicate.values)
    return (
        types.get(predicate.column) == "VARCHAR"
        and not is_shadowed
        and without_term <= MOST_WITHOUT_TERM
    )


def _make_table(
    con: duckdb.DuckDBPyConnection,
    predicate: ListPredicate,
    rows: duckdb.DuckDBPyRelation,
    name: str,
) -> None:
    """Make the table ``name`` of the values that the new comparison is with."""
    if predicate.operator not in ("has_any", IPV4):
        con.register("list_rows", pa.table({"value": pa.array(predicate.values, pa.string())}))
        con.execute(
            f"CREATE OR REPLACE TABLE {identifier(name)} AS SELECT DISTINCT value FROM list_rows"
        )
        con.unregister("list_rows")
        return
    texts = predicate.values if predicate.operator == "has_any" else _addresses(predicate.values)
    column = identifier(predicate.column)
    distinct = f"{name}_distinct"
    con.execute(f"DROP TABLE IF EXISTS {identifier(distinct)}")
    rows.filter(f"{column} IS NOT NULL").project(f"{column} AS value").distinct().create(distinct)
    keep_matching(con, distinct, texts, name)
    con.execute(f"DROP TABLE {identifier(distinct)}")


def _comparison(predicate: ListPredicate, name: str) -> str:
    operator = "in" if predicate.operator in ("has_any", IPV4) else predicate.operator
    return f"({predicate.column} {operator} ({name} | project value))"


def _addresses(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(value for value in values if _is_address(value))


def _is_address(text: str) -> bool:
    try:
        return str(ipaddress.IPv4Address(text)) == text
    except ValueError:
        return False
