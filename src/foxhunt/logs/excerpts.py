"""A few records of a large text file, whole, without reading the rest of it as values.

A hunt compares a copy with few columns; the other columns it wants only of the records that met
something. Where a record is a line, those lines are cut out, and a file of them is read.
"""

from __future__ import annotations

import tempfile
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import IO

import duckdb

from foxhunt.logs.faults import changed
from foxhunt.logs.model import LogPart
from foxhunt.sql import identifier

# Small enough for a processor's own memory, and for few lines to come before one that is sought.
_PIECE_BYTES = 64 * 1024


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
        raise changed(part.file.name)


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


class _Lines:
    """The lines of a file by their numbers, of which a few are looked for."""

    def __init__(self, source: IO[bytes]) -> None:
        """Count all of them, as far as the last that is not blank."""
        self._source = source
        self.count = 0
        # Each piece's first line that begins in it: its number, from 0, and where it begins.
        self._numbers, self._offsets = [0], [0]
        offset, last = 0, b""
        source.seek(0)
        while piece := source.read(_PIECE_BYTES):
            ends = piece.count(b"\n")
            if ends:
                self._numbers.append(self.count + 1)
                self._offsets.append(offset + piece.index(b"\n") + 1)
            self.count += ends
            offset += len(piece)
            last = piece
        self.count += not last.endswith(b"\n")
        # Blank lines at the end are no records of any reader of ours.
        self.count -= max(0, last[len(last.rstrip(b"\r\n")) :].count(b"\n") - 1)

    def at(self, numbers: Iterable[int]) -> Iterator[bytes]:
        """Yield the lines with some numbers, which are ascending."""
        following = 0
        self._source.seek(0)
        for number in numbers:
            place = bisect_right(self._numbers, number) - 1
            if self._numbers[place] > following:
                following = self._numbers[place]
                self._source.seek(self._offsets[place])
            for _ in range(number - following):
                self._source.readline()
            yield self._source.readline()
            following = number + 1


def _cut(source: IO[bytes], target: IO[bytes], header: int, rows: Sequence[int]) -> _Cut:
    """Copy the header and the lines of ``rows``, each record being a line; count the records."""
    lines = _Lines(source)
    if rows[-1] > lines.count - header:
        return _Cut(0, lines.count - header)
    found = lines.at(chain(range(header), (header + row - 1 for row in rows)))
    top = list(islice(found, header))
    target.writelines(top)
    # DuckDB's CSV reader refuses a file whose lines end in two ways.
    end = b"\r\n" if top and top[0].endswith(b"\r\n") else b"\n"
    # The file's last line may lack its end, and it is not the last of these.
    target.writelines(line if line.endswith(b"\n") else line + end for line in found)
    return _Cut(len(rows), lines.count - header)


def _records(con: duckdb.DuckDBPyConnection, staged: str) -> int:
    ((records,),) = con.execute(f"SELECT count(*) FROM {identifier(staged)}").fetchall()
    return int(records)


def _keep(con: duckdb.DuckDBPyConnection, name: str, select: str, rows: Sequence[int] = ()) -> None:
    values = {"rows": list(rows)} if rows else {}
    con.execute(f"CREATE OR REPLACE TEMP TABLE {identifier(name)} AS {select}", values)
