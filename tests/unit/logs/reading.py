"""Read one file with one sensor format, the way `open_logs` does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import duckdb

from foxhunt.logs.model import Format, LoadReport, LogFile, LogPart
from foxhunt.logs.streams import chunks
from foxhunt.logs.views import connect, load_report, typed_view
from foxhunt.sql import identifier

_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5": "zstd"}


def log_file(path: Path, *, torn: bool = False) -> LogFile:
    """The `LogFile` of ``path``."""
    compression = _MAGIC.get(path.read_bytes()[:2], "none")
    file = LogFile(path, path.name, compression, b"", torn)
    head = next(chunks(file), None) or b""
    return replace(file, head=head[:65536])


def format_module(name: str) -> Format:
    """A format by its name."""
    # A module has the two functions of the protocol; type checkers cannot see that.
    return cast(Format, import_module(f"foxhunt.logs.{name}"))


@dataclass
class Reading:
    """What reading one file gave.

    Attributes:
        parts: By table.
        reports: By table.
    """

    con: duckdb.DuckDBPyConnection
    parts: dict[str, LogPart]
    reports: dict[str, LoadReport]

    def rows(self, table: str, *, good: bool = True) -> list[dict[str, Any]]:
        """The rows of ``table`` by column, without empty values, in the file's order."""
        condition = "_refused IS NULL" if good else "true"
        view = identifier(self.parts[table].view)
        cursor = self.con.execute(
            f"SELECT COLUMNS(lambda name: name <> '_place') FROM {view} "
            f"WHERE {condition} ORDER BY _row"
        )
        names = [column[0] for column in cursor.description or ()]
        return [
            {name: value for name, value in zip(names, row, strict=True) if value is not None}
            for row in cursor.fetchall()
        ]

    def counts(self) -> dict[str, int]:
        """Good rows by table."""
        return {table: report.rows for table, report in self.reports.items()}

    def refused(self) -> list[tuple[int, str]]:
        """Number and reason of every refused record, in order."""
        return [
            (row["_row"], row["_refused"])
            for table in self.parts
            for row in self.rows(table, good=False)
            if "_refused" in row
        ]


@contextmanager
def read(
    format_name: str, path: Path, table: str | None = None, *, torn: bool = False
) -> Iterator[Reading]:
    """Read ``path``; ``torn`` forces the exact, slow way."""
    file = log_file(path, torn=torn)
    with connect() as con:
        parts = [
            typed_view(con, raw, file, format_name)
            for raw in format_module(format_name).read(con, file, table)
        ]
        yield Reading(
            con,
            {part.table: part for part in parts},
            {part.table: load_report(con, part, identifier(part.view)) for part in parts},
        )


def write_lines(path: Path, *lines: str | bytes) -> Path:
    """Write ``lines``, each with its line feed."""
    path.write_bytes(
        b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines)
    )
    return path
