"""Types: from what a format's SELECT gives to a view with the table's columns in their types."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import duckdb

from foxhunt.errors import LogError, SourceSpan
from foxhunt.logs.casts import (
    DUCKDB_TYPES,
    MACROS,
    NONE_NULLED,
    TEXT,
    cast_sql,
    nulled_sql,
    read_name,
    value_sql,
)
from foxhunt.logs.files import is_replaced
from foxhunt.logs.limits import memory_limit_bytes
from foxhunt.logs.model import Clean, LoadReport, LogFile, LogLines, LogPart, RawPart
from foxhunt.logs.staging import Stage
from foxhunt.sql import identifier, literal
from foxhunt.tables import Table, get_table

__all__ = ["DUCKDB_TYPES", "connect", "load_report", "typed_view"]


def connect() -> duckdb.DuckDBPyConnection:
    """Open the DuckDB that logs are read and hunted in: in memory, UTC, no network.

    What is more than a limit of memory (see `foxhunt.logs.limits`) goes to the system's folder of
    temporary files, ``TMPDIR``.

    Extensions are never fetched or loaded by themselves, since log and feed text
    decides nothing about what code runs.
    """
    con = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
        }
    )
    # Beside the logs or in the folder one is in, DuckDB's default, there may be no room or right.
    spill = _spill_folder()
    if spill is not None:
        con.execute(f"SET temp_directory = {literal(str(spill))}")
    limit = memory_limit_bytes()
    if limit is not None:
        con.execute(f"SET memory_limit = '{limit}B'")
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET preserve_insertion_order = true")  # record numbers come from the order
    con.execute("SET enable_progress_bar = false")
    # It turns TRY_CAST over read_csv into CAST, and one bad value fails the file (duckdb #23818).
    if con.execute("FROM duckdb_optimizers() WHERE name = 'type_pushdown'").fetchone():
        con.execute("SET disabled_optimizers = 'type_pushdown'")
    con.execute(MACROS)
    con.execute("CREATE OR REPLACE TEMP SEQUENCE foxhunt_parts")  # numbers the views of parts
    return con


def _spill_folder() -> Path | None:
    """A folder of its own for temporary files, which DuckDB makes; None where none can be."""
    try:
        return Path(tempfile.gettempdir()) / f"foxhunt-{uuid4().hex}"
    except FileNotFoundError:  # a container that may write nowhere
        return None


def typed_view(
    con: duckdb.DuckDBPyConnection,
    raw: RawPart,
    file: LogFile,
    format_name: str,
    stage: Stage | None = None,
) -> LogPart:
    """Create the view of one part; see `LogPart` for its columns.

    Args:
        con: Where.
        raw: The rows.
        file: Their file.
        format_name: Its format.
        stage: What holds the copy that ``raw.staged`` reads.

    Raises:
        duckdb.Error: ``raw.select`` does not run; the caller says which file.
    """
    table = get_table(raw.table)
    is_copied = raw.staged is not None and stage is not None
    # Copies are of text formats: to ask DuckDB would open the file once more.
    text_types = dict.fromkeys(["_broken", *raw.columns], TEXT)
    source_types = text_types if is_copied else _described(con, raw.select)
    typed = _typed_select(raw.select, raw.columns, table, source_types)
    ((number,),) = con.execute("SELECT nextval('foxhunt_parts')").fetchall()
    view = f"part_{number}"
    con.execute(f"CREATE TEMP VIEW {identifier(view)} AS {typed.select}")
    staged = None
    if raw.staged is not None and stage is not None:
        copied = _typed_select(raw.staged, raw.columns, table, _described(con, raw.staged))
        staged = stage.typed(f"staged_{view}", copied.select, file.size_bytes)
    return LogPart(
        table=table.name,
        file=file,
        format=format_name,
        view=view,
        columns=typed.columns,
        columnar=raw.columnar,
        parquet=raw.parquet,
        staged=staged,
        lines=_typed_lines(raw, table, source_types),
        clean=raw.clean,
        told_by_footer=None if typed.has_nulled else _footer_query(raw, table, source_types),
    )


@dataclass(frozen=True, slots=True)
class _Typed:
    """The SELECT of a part's view, its columns, and whether it can name nulled values."""

    select: str
    columns: tuple[str, ...]
    has_nulled: bool


def _typed_select(
    select: str, named: Sequence[str], table: Table, source_types: dict[str, str]
) -> _Typed:
    columns = [name for name in named if name in source_types]
    casts = {name: cast_sql(name, table, source_types[name]) for name in columns}
    # What takes work is written once, below: DuckDB binds every spelling of it anew.
    reads = {name: cast for name, cast in casts.items() if cast != identifier(name)}
    values = {name: value_sql(name, table) if name in reads else identifier(name) for name in casts}
    time = _time_expression(table, values)
    broken = "_broken" if "_broken" in source_types else "NULL"
    for name in (table.time, table.other_time):
        if name is not None:
            values[name] = "_time"
    nulled = "_nulled" if "_nulled" in source_types else nulled_sql(columns, source_types, table)
    listed = ", ".join(f"{value} AS {identifier(name)}" for name, value in values.items())
    row = "_place, _row" if "_place" in source_types else "_row"
    read = "".join(f", {cast} AS {read_name(name)}" for name, cast in reads.items())
    typed = (
        f"SELECT {row}, {_refused(broken, time, table)} AS _refused, {nulled} AS _nulled, {listed} "
        f"FROM (SELECT *, {time} AS _time FROM (SELECT *{read} FROM ({select})))"
    )
    return _Typed(typed, tuple(values), nulled != NONE_NULLED)


def _typed_lines(raw: RawPart, table: Table, source_types: dict[str, str]) -> LogLines | None:
    if raw.lines is None:
        return None
    select_lines = raw.lines.select

    def select(file: LogFile) -> str:
        return _typed_select(select_lines(file), raw.columns, table, source_types).select

    return replace(raw.lines, select=select)


def _footer_query(raw: RawPart, table: Table, source_types: dict[str, str]) -> str | None:
    times = [name for name in (table.time, table.other_time) if name in source_types]
    is_typed = len(times) == 1 and source_types[times[0]].startswith("TIMESTAMP")
    if not raw.columnar or "_broken" in source_types or not is_typed:
        return None
    time = identifier(times[0])
    return f"SELECT count(*), count({time}), min({time}), max({time}) FROM ({raw.select})"


def _described(con: duckdb.DuckDBPyConnection, select: str) -> dict[str, str]:
    rows = con.execute(f"DESCRIBE {select}").fetchall()
    return {str(name): str(type_) for name, type_, *_ in rows}


def _time_expression(table: Table, values: dict[str, str]) -> str:
    times = (name for name in (table.time, table.other_time) if name in values)
    present = [values[name] for name in times]
    return f"coalesce({', '.join(present)})" if present else "CAST(NULL AS TIMESTAMP)"


def _refused(broken: str, time: str, table: Table) -> str:
    reason = literal(f"time ({table.time}) is missing or cannot be read")
    return f"coalesce({broken}, CASE WHEN _time IS NULL THEN {reason} END)"


def load_report(con: duckdb.DuckDBPyConnection, part: LogPart, relation: str) -> LoadReport:
    """Count what ``relation`` (the part's view, or a staged copy of it) holds.

    Raises:
        duckdb.Error: The file turned out to be unreadable on the way.
        LogError: It was cut or replaced since it was opened, so rows may be missing.
    """
    time = identifier(get_table(part.table).time)
    counted = (
        _told_by_footer(con, part, relation)
        or con.execute(
            f"SELECT count(*) FILTER (_refused IS NULL), count(_refused), "
            f"min({time}) FILTER (_refused IS NULL), max({time}) FILTER (_refused IS NULL), "
            f"count(_nulled) FROM {relation}"
        ).fetchall()[0]
    )
    if is_replaced(part.file):
        raise LogError("it was cut or replaced while it was read", at=SourceSpan(part.file.name))
    rows, refused, first, last, nulled = counted
    if part.clean is not None and part.clean.rows:
        rows += part.clean.rows
        first, last = _with_clean(con, part.clean, first, last)
    samples: list[tuple[int, str]] = []
    if refused:
        samples = con.execute(
            f"SELECT _row, _refused FROM {relation} WHERE _refused IS NOT NULL "
            "ORDER BY _row LIMIT 3"
        ).fetchall()
    by_column: dict[str, int] = {}
    if nulled:
        by_column = dict(
            con.execute(
                f"SELECT name, count(*) FROM (SELECT unnest(string_split(_nulled, ',')) AS name "
                f"FROM {relation} WHERE _nulled IS NOT NULL) GROUP BY name ORDER BY name"
            ).fetchall()
        )
    return LoadReport(
        table=part.table,
        file=part.file.name,
        format=part.format,
        rows=rows,
        rows_refused=refused,
        refused_samples=tuple((int(row), str(reason)) for row, reason in samples),
        nulled=by_column,
        first_time=_utc(first),
        last_time=_utc(last),
    )


def _with_clean(
    con: duckdb.DuckDBPyConnection, clean: Clean, first: datetime | None, last: datetime | None
) -> tuple[datetime, datetime]:
    """The earliest and the latest time of the rows that were read and of those that were not."""
    ((earliest, latest),) = con.execute(
        "SELECT least($first, foxhunt_time($earliest)), greatest($last, foxhunt_time($latest))",
        {"first": first, "last": last, "earliest": clean.first, "latest": clean.last},
    ).fetchall()
    return earliest, latest


def _told_by_footer(
    con: duckdb.DuckDBPyConnection, part: LogPart, relation: str
) -> tuple[int, int, datetime | None, datetime | None, int] | None:
    """Rows, refused ones, first and last time, rows with nulled values; None if rows must tell."""
    if part.told_by_footer is None or relation != identifier(part.view):
        return None
    ((rows, timed, first, last),) = con.execute(
        "SELECT a, b, foxhunt_years(CAST(c AS TIMESTAMP)), foxhunt_years(CAST(d AS TIMESTAMP)) "
        f"FROM ({part.told_by_footer}) t(a, b, c, d)"
    ).fetchall()
    is_plain = rows == timed and (not rows or (first is not None and last is not None))
    return (rows, 0, first, last, 0) if is_plain else None


def _utc(time: datetime | None) -> datetime | None:
    return time.replace(tzinfo=UTC) if time is not None else None
