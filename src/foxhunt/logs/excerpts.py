"""A few records of a large text file, whole, without reading the rest of it as values.

A hunt compares a copy with few columns; the other columns it wants only of the records that met
something. Where a record is a line, those lines are cut out, and a file of them is read.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count, filterfalse, islice
from pathlib import Path
from typing import IO

import duckdb

from foxhunt.errors import LogError, SourceSpan
from foxhunt.logs.model import LogPart
from foxhunt.sql import identifier

# What no reader of ours takes for a record.
_BLANK = frozenset({b"\n", b"\r\n"})


@dataclass(frozen=True, slots=True)
class _Cut:
    """What was cut: how many lines, and how many records the file has if each is a line."""

    lines: int
    records: int


def keep_rows(
    con: duckdb.DuckDBPyConnection, part: LogPart, rows: Sequence[int], name: str
) -> None:
    """Make the temp table ``name`` of some rows of a part, with all its columns.

    Args:
        con: Where the part's views are.
        part: The part; its copy tells how many records the file has.
        rows: Numbers of records (``_row``), ascending, each once.
        name: Of the table; one that is there is replaced.

    Raises:
        duckdb.Error: The file cannot be read, any more.
    """
    try:
        if rows and _keep_lines(con, part, rows, name):
            return
    except OSError:
        # Without room or right for a temporary file, the file is read as values once more.
        pass
    # Written out, the numbers are compared before a row's text is read as values.
    numbers = ", ".join(map(str, rows)) or "NULL"
    _keep(con, name, f"SELECT * FROM {identifier(part.view)} WHERE _row IN ({numbers})")


def check_unchanged(
    con: duckdb.DuckDBPyConnection, part: LogPart, again: str, condition: str
) -> None:
    """Compare what was read of a part's file once more with its copy, while there is one.

    Args:
        con: Where the part's views are.
        part: The part.
        again: Name of a relation with ``_row``.
        condition: SQL that tells the rows that ``again`` must have.

    Raises:
        LogError: It lacks some: they would be taken for rows that met nothing.
    """
    if part.staged is None:
        return
    copy = identifier(part.staged)
    ((lost,),) = con.execute(
        f"SELECT count(*) FROM (SELECT _row FROM {copy} WHERE {condition} "
        f"EXCEPT SELECT _row FROM {again} WHERE {condition})"
    ).fetchall()
    if lost:
        raise LogError("it changed while it was read", at=SourceSpan(part.file.name))


def _keep_lines(
    con: duckdb.DuckDBPyConnection, part: LogPart, rows: Sequence[int], name: str
) -> bool:
    """Make the table of the file's lines, if its records are lines."""
    if part.staged is None or part.lines is None:
        return False
    with tempfile.TemporaryDirectory(prefix="foxhunt-") as folder:
        lines = Path(folder) / "lines"
        with part.file.path.open("rb") as source, lines.open("wb") as target:
            cut = _cut(source, target, part.lines.header, rows)
        if cut != _Cut(len(rows), _records(con, part.staged) + part.lines.trailer):
            return False
        select = part.lines.select(replace(part.file, path=lines))
        _keep(con, name, f"SELECT * REPLACE ($rows[_row] AS _row) FROM ({select})", rows)
    return True


def _cut(source: IO[bytes], target: IO[bytes], header: int, rows: Sequence[int]) -> _Cut:
    """Copy the header and the lines of ``rows``; count the lines that are records."""
    top = list(islice(source, header))
    target.writelines(top)
    # DuckDB's CSV reader refuses a file whose lines end in two ways.
    end = b"\r\n" if top and top[0].endswith(b"\r\n") else b"\n"
    # Runs in C from here on: a line costs as much as reading it.
    records = filterfalse(_BLANK.__contains__, source)
    last = written = 0
    for row in rows:
        for line in islice(records, row - last - 1, row - last):
            # The file's last line may lack its end, and it is not the last of these.
            target.write(line if line.endswith(b"\n") else line + end)
            written += 1
        last = row
    rest = count()
    deque(zip(records, rest, strict=False), maxlen=0)
    return _Cut(written, last + next(rest))


def _records(con: duckdb.DuckDBPyConnection, staged: str) -> int:
    ((records,),) = con.execute(f"SELECT count(*) FROM {identifier(staged)}").fetchall()
    return int(records)


def _keep(con: duckdb.DuckDBPyConnection, name: str, select: str, rows: Sequence[int] = ()) -> None:
    values = {"rows": list(rows)} if rows else {}
    con.execute(f"CREATE OR REPLACE TEMP TABLE {identifier(name)} AS {select}", values)
