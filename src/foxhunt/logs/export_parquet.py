"""Parquet files with a table's columns; read column by column, so that one costs only itself."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from foxhunt.errors import LogError, SourceSpan
from foxhunt.logs.faults import fault_of
from foxhunt.logs.model import LogFile, RawPart
from foxhunt.logs.recognise import canonical_columns, table_of
from foxhunt.logs.streams import scan_path
from foxhunt.sql import identifier, literal
from foxhunt.tables import catalog

# Parquet metadata key in which `foxhunt.logs.convert` names the table: some (DeviceImageLoadEvents)
# cannot be told by their columns.
TABLE_KEY = "foxhunt.table"


def recognises(file: LogFile) -> bool:
    """See `Format.recognises`."""
    return file.head.startswith(b"PAR1")


def read(con: duckdb.DuckDBPyConnection, file: LogFile, table: str | None) -> Iterator[RawPart]:
    """See `Format.read`."""
    at = SourceSpan(file.name)
    if file.compression != "none":
        # The columns lie anywhere in the file: it has to be unpacked to be read at all.
        raise LogError(f"Parquet inside {file.compression}", at=at, hint="unpack it first")
    source = f"read_parquet({literal(scan_path(file))}, file_row_number = true)"
    try:
        described = con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    except duckdb.Error as error:
        raise LogError(f"not a readable Parquet file: {fault_of(error)}", at=at) from error
    names = [str(name) for name, *_ in described if name != "file_row_number"]
    wanted = table_of(names, file.name, table or _told(con, file))
    columns = canonical_columns(wanted, names)
    values = [f"{identifier(own)} AS {identifier(name)}" for name, own in columns.items()]
    yield RawPart(
        table=wanted.name,
        select=f"SELECT file_row_number AS _place, file_row_number + 1 AS _row, "
        f"{', '.join(values)} FROM {source}",
        columns=tuple(columns),
        columnar=True,
        parquet=columns,
    )


def _told(con: duckdb.DuckDBPyConnection, file: LogFile) -> str | None:
    """The table that a file of `foxhunt convert` says it is of; None for any other file."""
    rows = con.execute(
        f"SELECT decode(value) FROM parquet_kv_metadata({literal(scan_path(file))}) "
        "WHERE decode(key) = ?",
        [TABLE_KEY],
    ).fetchall()
    return str(rows[0][0]) if rows and rows[0][0] in catalog() else None
