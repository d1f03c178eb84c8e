"""Logs as Parquet in their tables, a folder a day, for hunting again and again.

``DIR/DnsEvents/2026-07-16/part-000.parquet``: every file holds one day (UTC) of one table, in
order of time, with the columns that some log filled. Records that are not hunted stay so:
they are in ``DIR/DnsEvents/refused``, without a time, and a hunt counts them again. What could
not be read at all is named in ``DIR/NOT-CONVERTED.txt``, which no hunt can read either: a hunt
of the folder is as incomplete as one of the logs.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import duckdb

from foxhunt.errors import LogError, SourceSpan, UsageError
from foxhunt.logs.export_parquet import TABLE_KEY
from foxhunt.logs.faults import fault_of
from foxhunt.logs.model import LoadReport, LogFailure, LogPart
from foxhunt.logs.opening import open_logs
from foxhunt.logs.views import connect, load_report
from foxhunt.sql import identifier, literal
from foxhunt.tables import Table, get_table

NOT_CONVERTED = "NOT-CONVERTED.txt"
REFUSED = "refused"
OTHER_DAYS = "other-days"
# Times are text of strangers too: rows of ten thousand years must not become a million folders.
MOST_DAYS = 4_000
# DuckDB's own unit of parallel reading and of pruning by statistics (DuckDB docs, Parquet
# tips, 2025-09: 100,000 to 1,000,000 rows).
_ROW_GROUP = 122_880
# Which record of which log a row was: a hunt does not read it, a person may.
_SOURCE = "_source_file, _source_row"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class ConvertedFile:
    """One file that was written.

    Attributes:
        table: Its table.
        name: Its path below the folder, with ``/``.
        rows: How many; 1 or more.
    """

    table: str
    name: str
    rows: int


@dataclass(frozen=True, slots=True)
class Conversion:
    """What became of the logs.

    Attributes:
        reports: What each log held, in the order of the logs.
        failures: Logs that are not in the folder, or only in part.
        files: What was written, by table and day; none means that there is no folder.
    """

    reports: tuple[LoadReport, ...]
    failures: tuple[LogFailure, ...]
    files: tuple[ConvertedFile, ...]


@dataclass(frozen=True, slots=True)
class _Copy:
    """A part as it was read, once: typed columns, ``_row``, ``_refused``, ``_nulled``."""

    part: LogPart
    path: Path
    report: LoadReport


def convert_logs(
    paths: Sequence[str],
    out: Path,
    forced: Sequence[tuple[str, str]] = (),
    *,
    progress: Progress,
) -> Conversion:
    """Write logs as Parquet below ``out``, which appears whole, or not at all.

    Killed at any moment, nothing is left but perhaps a folder beside ``out`` whose name starts
    with a dot, which hunts leave out.

    Args:
        paths: Files, globs and folders.
        out: A folder that does not exist or is empty.
        forced: ``--table``: table name and path.
        progress: Is told what is done, how many steps are, and of how many.

    Raises:
        UsageError: ``out`` holds something, cannot be made, or lies among the logs; no such path.
        TableError: A forced table that is not in the catalog.
        LogError: The folder cannot be written, or does not hold what was read.
    """
    out = out.resolve()
    _check_target(out, [*paths, *(path for _, path in forced)])
    with _staging(out) as staging, connect() as con:
        con.execute(f"SET temp_directory = {literal(str(staging / 'spill'))}")
        logs = open_logs(con, paths, forced)
        copies, broken = _copy_parts(con, logs.parts, staging, progress)
        failures = (*logs.failures, *broken)
        whole = staging / "whole"
        try:
            files = tuple(_write_tables(con, copies, whole, progress))
            if files:
                _name_failures(whole, failures)
                _put_in_place(whole, out)
        except (duckdb.Error, OSError) as error:
            message = f"cannot write {out}: {_first_line(error)}"
            raise LogError(message, hint="is there room on the disk?") from error
    return Conversion(tuple(copy.report for copy in copies), failures, files)


def _check_target(out: Path, paths: Sequence[str]) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(
            f"{out} exists and is not an empty folder",
            hint="name a new one; a hunt reads all folders below the one it is given",
        )
    for path in map(Path, paths):
        if path.is_dir() and out.is_relative_to(path.resolve()):
            raise UsageError(
                f"{out} lies in {path}, whose logs are converted",
                hint="a hunt there would count every event twice; name a folder elsewhere",
            )


@contextmanager
def _staging(out: Path) -> Iterator[Path]:
    """A folder beside ``out``, so that a rename puts it in place; gone after the block."""
    folder = out.parent / f".{out.name}.{uuid4().hex}"
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error.strerror}") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy_parts(
    con: duckdb.DuckDBPyConnection, parts: Sequence[LogPart], staging: Path, progress: Progress
) -> tuple[list[_Copy], list[LogFailure]]:
    """Read every part once, into a Parquet copy in the file's order; a failure is kept to itself.

    Parquet rather than a table: it takes no memory, and days are cut out of it by statistics.
    """
    copies: list[_Copy] = []
    failures: list[LogFailure] = []
    for number, part in enumerate(parts):
        progress(part.file.name, number, len(parts))
        path = staging / f"{number}.parquet"
        try:
            rows = f"SELECT COLUMNS(lambda name: name <> '_place') FROM {identifier(part.view)}"
            con.execute(f"COPY ({rows}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION lz4)")
            copies.append(_Copy(part, path, load_report(con, part, _scan(path))))
        except LogError as error:
            failures.append(LogFailure(part.file.name, error))
        except duckdb.Error as error:
            at = SourceSpan(part.file.name)
            failures.append(LogFailure(part.file.name, LogError(_first_line(error), at=at)))
    return copies, failures


def _write_tables(
    con: duckdb.DuckDBPyConnection, copies: Sequence[_Copy], whole: Path, progress: Progress
) -> Iterator[ConvertedFile]:
    names = sorted({copy.part.table for copy in copies})
    for number, name in enumerate(names):
        progress(name, number, len(names))
        yield from _write_table(con, name, [c for c in copies if c.part.table == name], whole)


def _write_table(
    con: duckdb.DuckDBPyConnection, name: str, copies: Sequence[_Copy], whole: Path
) -> Iterator[ConvertedFile]:
    """Write one table's files, and count that they hold what was read.

    Raises:
        LogError: They do not.
    """
    table = get_table(name)
    filled = dict.fromkeys(column for copy in copies for column in copy.part.columns)
    columns = sorted(filled, key=[*table.columns, *filled].index)
    con.execute(f"CREATE OR REPLACE TEMP VIEW whole_table AS {_union(copies)}")
    time, written = identifier(table.time), 0
    for folder, condition in _days(con, time):
        select = f"{', '.join(map(identifier, columns))}, {_SOURCE}"
        rows = _write(con, whole / name / folder, select=select, condition=condition, order=time)
        written += rows
        yield ConvertedFile(name, f"{name}/{folder}/part-000.parquet", rows)
    expected = sum(copy.report.rows for copy in copies)
    if written != expected:
        raise LogError(f"{name}: {written:,} rows were written of {expected:,} that were read")
    if any(copy.report.rows_refused for copy in copies):
        select = f"{_without_time(table, columns)}, {_SOURCE}, _refused AS _source_reason"
        rows = _write(
            con,
            whole / name / REFUSED,
            select=select,
            condition="_refused IS NOT NULL",
            order="_refused",
        )
        yield ConvertedFile(name, f"{name}/{REFUSED}/part-000.parquet", rows)


def _without_time(table: Table, columns: Sequence[str]) -> str:
    """SQL: the columns of a refused record, which without a time is refused whenever it is read."""
    times = {table.time, table.other_time}
    return ", ".join(
        f"{'CAST(NULL AS TIMESTAMP) AS ' * (column in times)}{identifier(column)}"
        for column in columns
    )


def _union(copies: Sequence[_Copy]) -> str:
    """SQL: the rows of all copies, columns by name, with the record that each one was."""
    return " UNION ALL BY NAME ".join(
        f"SELECT * EXCLUDE (_row, _nulled), {position} AS _source, _row AS _source_row, "
        f"{literal(copy.part.file.name)} AS _source_file FROM {_scan(copy.path)}"
        for position, copy in enumerate(copies)
    )


def _days(con: duckdb.DuckDBPyConnection, time: str) -> Iterator[tuple[str, str]]:
    """Folder and SQL condition of each day that has rows; see `MOST_DAYS`."""
    counted: list[tuple[date, int]] = con.execute(
        f"SELECT CAST({time} AS DATE) AS day, count(*) FROM whole_table "
        "WHERE _refused IS NULL GROUP BY day ORDER BY count(*) DESC, day"
    ).fetchall()
    days = sorted(day for day, _ in counted[:MOST_DAYS])
    for day in days:
        yield day.isoformat(), f"_refused IS NULL AND {_is_on(time, day)}"
    if len(counted) > MOST_DAYS:
        listed = ", ".join(f"DATE '{day.isoformat()}'" for day in days)
        yield OTHER_DAYS, f"_refused IS NULL AND CAST({time} AS DATE) NOT IN ({listed})"


def _is_on(time: str, day: date) -> str:
    # As a range, which row groups are skipped by; the last day of all has no next one.
    condition = f"{time} >= TIMESTAMP '{day.isoformat()}'"
    if day < date.max:
        condition += f" AND {time} < TIMESTAMP '{(day + timedelta(days=1)).isoformat()}'"
    return condition


def _write(
    con: duckdb.DuckDBPyConnection, folder: Path, *, select: str, condition: str, order: str
) -> int:
    """Write ``select`` of the rows of the view ``whole_table`` to one file; return how many."""
    folder.mkdir(parents=True)
    (rows,) = con.execute(
        f"COPY (SELECT {select} FROM whole_table WHERE {condition} "
        f"ORDER BY {order}, _source, _source_row) "
        f"TO {literal(str(folder / 'part-000.parquet'))} (FORMAT parquet, COMPRESSION zstd, "
        f"ROW_GROUP_SIZE {_ROW_GROUP}, "
        f"KV_METADATA {{{literal(TABLE_KEY)}: {literal(folder.parent.name)}}})"
    ).fetchone() or (0,)
    return int(rows)


def _name_failures(whole: Path, failures: Sequence[LogFailure]) -> None:
    if not failures:
        return
    lines = "".join(f"{failure.error}\n" for failure in failures)
    text = f"These logs are not here, or not whole. Hunt them where they are.\n\n{lines}"
    (whole / NOT_CONVERTED).write_text(text, encoding="utf-8", errors="backslashreplace")


def _put_in_place(whole: Path, out: Path) -> None:
    for path in whole.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())
    if out.exists():
        out.rmdir()  # empty; Windows renames onto no folder at all
    whole.rename(out)


def _scan(path: Path) -> str:
    return f"read_parquet({literal(str(path))}, hive_partitioning = false)"


def _first_line(error: duckdb.Error | OSError) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return fault_of(error) if isinstance(error, duckdb.Error) else str(error)[:300]
