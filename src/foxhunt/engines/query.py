"""A hand-written KQL query over local logs, through duckdb-kql."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import duckdb
import duckdb_kql
from duckdb_kql import KqlError, KqlSyntaxError

from foxhunt.engines.accelerate import Accelerated, accelerate
from foxhunt.errors import QueryError, SourceSpan
from foxhunt.logs import LogPart
from foxhunt.logs.views import DUCKDB_TYPES
from foxhunt.sql import identifier
from foxhunt.tables import Table, catalog

# What duckdb-kql and DuckDB quote of the query when they refuse it without a place.
_NAMED = (
    re.compile(r'Referenced column "([^"]+)"'),
    re.compile(r"Table with name (\S+) does not exist"),
    re.compile(r"construct 'function:([^']+)'"),
    re.compile(r"schema error for '([^']+)'"),
)


@dataclass(frozen=True, slots=True)
class Rows:
    """The answer of a query.

    Attributes:
        columns: Names, in order.
        rows: Values in DuckDB's Python types.
        tables: Tables of the catalog that the query names, in catalog order.
        accelerated: Comparisons with long lists that were evaluated over distinct values.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    tables: tuple[str, ...]
    accelerated: tuple[str, ...] = ()


def create_tables(con: duckdb.DuckDBPyConnection, parts: Sequence[LogPart]) -> None:
    """Make a view of each table of the catalog, with all its columns, over the parts' good rows.

    A table without parts is an empty view, so that a query over it runs.

    Raises:
        duckdb.Error: A file cannot be read.
    """
    by_table: defaultdict[str, list[LogPart]] = defaultdict(list)
    for part in parts:
        by_table[part.table].append(part)
    for name, table in catalog().items():
        # Not a TEMP view: duckdb-kql looks names up in the main schema only (1.1.2).
        selects = [_select(table, part) for part in by_table[name]] or [_select(table, None)]
        con.execute(f"CREATE OR REPLACE VIEW {identifier(name)} AS {' UNION ALL '.join(selects)}")


def _select(table: Table, part: LogPart | None) -> str:
    columns = [
        identifier(name)
        if part is not None and name in part.columns
        else f"CAST(NULL AS {DUCKDB_TYPES[kind]}) AS {identifier(name)}"
        for name, kind in table.columns.items()
    ]
    source = f"{identifier(part.view)} WHERE _refused IS NULL" if part else "range(0)"
    return f"SELECT {', '.join(columns)} FROM {source}"


def run_query(con: duckdb.DuckDBPyConnection, text: str, name: str, *, plain: bool = False) -> Rows:
    """Run the KQL ``text`` over the views of `create_tables`.

    Args:
        con: Their connection.
        text: One query; statements that write are refused.
        name: What errors call the text: a file, or ``"query"``.
        plain: Leave long lists to duckdb-kql, for comparison; the rows are the same.

    Raises:
        QueryError: It cannot be parsed, or duckdb-kql or DuckDB cannot run it.
    """
    if not text.strip():
        raise QueryError("the query is empty", at=SourceSpan(name))
    fast = None if plain else accelerate(con, text)
    if fast is not None and (rows := _run_accelerated(con, fast)) is not None:
        return replace(rows, tables=tables_named(text))
    try:
        relation = duckdb_kql.query(con, text, allow_write=False)
        return Rows(tuple(relation.columns), tuple(relation.fetchall()), tables_named(text))
    except KqlError as error:
        raise _kql_error(error, text, name) from error
    except duckdb.Error as error:
        message = re.sub(r"^\w+ Error: ", "", str(error).strip().splitlines()[0])
        raise QueryError(message, at=_place_of(message, text, name)) from error


def _run_accelerated(con: duckdb.DuckDBPyConnection, fast: Accelerated) -> Rows | None:
    """The rows, or None if it fails: then the query as it was written says why, and where."""
    try:
        relation = duckdb_kql.query(con, fast.text, allow_write=False, query_now=fast.moment)
        return Rows(tuple(relation.columns), tuple(relation.fetchall()), (), fast.notes)
    except (KqlError, duckdb.Error):
        return None


def tables_named(text: str) -> tuple[str, ...]:
    """Tables of the catalog whose name stands in ``text``, outside of strings and comments.

    >>> tables_named('// UrlClickEvents\\nDnsEvents | where Name != "EmailUrlInfo"')
    ('DnsEvents',)
    """
    words = set(re.findall(r"\w+", _STRINGS_AND_COMMENTS.sub(" ", text)))
    return tuple(name for name in catalog() if name in words)


_STRINGS_AND_COMMENTS = re.compile(
    r'//[^\n]*|@"(?:[^"]|"")*"|@\'(?:[^\']|\'\')*\'|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\''
)


def _kql_error(error: KqlError, text: str, name: str) -> QueryError:
    if isinstance(error, KqlSyntaxError) and error.diagnostics:
        first = error.diagnostics[0]
        # The parser lists every token it would have taken: hundreds.
        message = re.sub(r" expecting \{.*\}$", "", first.message, flags=re.DOTALL)
        # Its columns count from 0.
        at = SourceSpan(name, first.span.line, first.span.column + 1)
        return QueryError(f"not KQL: {message}", at=at, hint=_before(text, first.span.line))
    span = getattr(error, "span", None)
    at = SourceSpan(name, span.line, span.column + 1) if span else _place_of(str(error), text, name)
    construct, hint = getattr(error, "construct", None), getattr(error, "hint", None)
    if construct is None:
        return QueryError(str(error), at=at)
    return QueryError(
        f"{construct} is KQL that cannot be run locally",
        at=at,
        hint=hint[:160] if hint else "docs/limitations.md",
    )


def _before(text: str, line: int) -> str:
    """The line that the parser stopped in, shortened: what a person looks at first."""
    lines = text.splitlines()
    return f"line {line}: {lines[line - 1].strip()[:80]}" if line <= len(lines) else "at the end"


def _place_of(message: str, text: str, name: str) -> SourceSpan:
    """Where the name that a message quotes stands first in the query."""
    for pattern in _NAMED:
        quoted = pattern.search(message)
        found = quoted and re.search(rf"(?<!\w){re.escape(quoted[1])}(?!\w)", text, re.IGNORECASE)
        if found:
            line_start = text.rfind("\n", 0, found.start()) + 1
            line = text.count("\n", 0, found.start()) + 1
            return SourceSpan(name, line, found.start() - line_start + 1)
    return SourceSpan(name)
