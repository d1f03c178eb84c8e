"""Zeek logs as JSON lines: one log a file, or several in one with ``_path`` (``@stream``)."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from foxhunt.logs import zeek
from foxhunt.logs.json_records import read_records, sample
from foxhunt.logs.model import LogFile, RawPart
from foxhunt.logs.records import raw_parts
from foxhunt.sql import identifier

_PATH_FIELDS = ("_path", "@stream")
# Dots as Zeek writes them, underscores as some exporters do.
_SPELLINGS = {name: name.replace(".", "_") for name in zeek.ID_FIELDS}


def recognises(file: LogFile) -> bool:
    """See `Format.recognises`."""
    return any(
        "ts" in record
        and (
            any(isinstance(record.get(name), str) for name in _PATH_FIELDS)
            or ("uid" in record and _has_id(record))
            or "fuid" in record
        )
        for record in sample(file.head)
    )


def _has_id(record: dict[str, object]) -> bool:
    return "id.orig_h" in record or "id_orig_h" in record


def read(con: duckdb.DuckDBPyConnection, file: LogFile, table: str | None) -> Iterator[RawPart]:
    """See `Format.read`."""
    fields = (*_PATH_FIELDS, *zeek.TEXT_FIELDS, *zeek.LIST_FIELDS, *_SPELLINGS.values())
    records = read_records(con, file, fields, shape())
    yield from raw_parts(records, zeek.MAPPINGS, file, table)


def shape() -> str:
    """A SELECT list from the members of a record to ``_kind`` and the fields of `zeek`."""
    path = f"coalesce({', '.join(identifier(name) for name in _PATH_FIELDS)})"
    texts = [
        f"coalesce({identifier(name)}, {identifier(_SPELLINGS[name])}) AS {identifier(name)}"
        if name in _SPELLINGS
        else identifier(name)
        for name in zeek.TEXT_FIELDS
    ]
    lists = [f"{list_sql(name)} AS {identifier(name)}" for name in zeek.LIST_FIELDS]
    return ", ".join([f"{zeek.kind_sql(path)} AS _kind", *texts, *lists])


def list_sql(name: str) -> str:
    """SQL for a JSON array of texts as a list; a value that is no array is a list of itself."""
    column = identifier(name)
    return (
        f"CASE WHEN {column} IS NOT NULL THEN "
        f"coalesce(TRY_CAST(TRY_CAST({column} AS JSON) AS VARCHAR[]), [{column}]) END"
    )
