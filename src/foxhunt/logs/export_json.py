"""JSON with a table's columns, in the shapes that the products write.

| shape | whose |
|---|---|
| NDJSON or an array of objects, columns as members | Sentinel's exports, the Logs page, people |
| objects with ``category`` and ``properties`` | Defender XDR's streaming API, several tables |
| ``{"records": [...]}`` | Azure's event hubs, diagnostic settings; either of the above inside |
| ``{"tables": [{"columns": [...], "rows": [...]}]}`` | the Log Analytics query API |
| ``{"schema": [...], "results": [...]}`` | Defender's hunting APIs, the old and Graph's |

Of the last three a file may hold several, one after the other, as who reads a hub or asks
page after page writes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import duckdb

from foxhunt.errors import LogError, SourceSpan
from foxhunt.logs.export_answers import WRAPPED, read_answers
from foxhunt.logs.export_tables import (
    KIND,
    PREFIX,
    TYPE,
    is_streaming,
    named_parts,
    other_tables,
    streamed_parts,
    table_columns,
    table_members,
    told_table,
)
from foxhunt.logs.json_records import copy_records, in_place, is_array, read_records, sample
from foxhunt.logs.model import LogFile, LogLines, RawPart
from foxhunt.logs.recognise import table_of
from foxhunt.logs.records import Records
from foxhunt.logs.staging import Stage
from foxhunt.logs.streams import MAX_LINE_BYTES, chunks
from foxhunt.sql import identifier, literal
from foxhunt.tables import Table

_OBJECT = re.compile(rb'^(\xef\xbb\xbf)?\s*(\[\s*)?\{\s*"')


def recognises(file: LogFile) -> bool:
    """See `Format.recognises`."""
    return _OBJECT.match(file.head) is not None


def read(con: duckdb.DuckDBPyConnection, file: LogFile, table: str | None) -> Iterator[RawPart]:
    """See `Format.read`."""
    if WRAPPED.match(file.head):
        yield from read_answers(con, file, table)
        return
    objects = _first_objects(file)
    if not objects:
        raise LogError(
            "JSON, but neither one object a line nor an array of objects",
            at=SourceSpan(file.name),
            hint="`jq -c .` writes one object a line",
        )
    if is_streaming(objects):
        yield from _streamed(con, file, table)
    else:
        yield from _flat(con, file, table, objects)


def read_once(
    con: duckdb.DuckDBPyConnection, file: LogFile, table: str | None, stage: Stage
) -> tuple[RawPart, ...] | None:
    """See `OnePass.read_once`."""
    objects = [] if WRAPPED.match(file.head) else _first_objects(file)
    if not objects or is_streaming(objects):
        return None
    names = list(dict.fromkeys(name for one in objects for name in one))
    told = told_table(objects) if table is None else None
    tables = [told or table_of(names, file.name, table)]
    copy = _copied(con, file, tables, names, stage)
    if copy is not None and told and (others := other_tables(told, _kinds(con, copy))):
        tables += others
        copy = _copied(con, file, tables, names, stage)
    if copy is None:
        return None

    def parts(select: str, *, is_copy: bool) -> list[RawPart]:
        held = stage.columns if is_copy else None
        return list(named_parts(select, tables, names, is_told=told is not None, held=held))

    def select(position: int, some: LogFile) -> str:
        return parts(_in_place(some, tables, names), is_copy=False)[position].select

    is_lines = file.compression == "none" and not is_array(file)
    whole = parts(_in_place(file, tables, names), is_copy=False)
    return tuple(
        replace(
            part,
            staged=held.select,
            lines=LogLines(0, partial(select, position)) if is_lines else None,
        )
        for position, (part, held) in enumerate(zip(whole, parts(copy, is_copy=True), strict=True))
    )


def _copied(
    con: duckdb.DuckDBPyConnection,
    file: LogFile,
    tables: Sequence[Table],
    names: Sequence[str],
    stage: Stage,
) -> str | None:
    """What `_in_place` selects of a copy, in which members may be missing that nobody reads."""
    fields = table_members(tables, names)
    wanted = dict.fromkeys([TYPE])
    for table in tables:
        columns = table_columns(table, names)
        wanted |= dict.fromkeys(columns[name] for name in stage.columns(table.name, columns))
    copied = [name for name in fields if name in wanted]
    copy = copy_records(con, file, copied, fields, stage)
    return None if copy is None else f"SELECT *, {KIND} FROM ({copy})"


def _in_place(file: LogFile, tables: Sequence[Table], names: Sequence[str]) -> str:
    return f"SELECT *, {KIND} FROM ({in_place(file, table_members(tables, names))})"


def _kinds(con: duckdb.DuckDBPyConnection, select: str) -> list[str]:
    rows = con.execute(f"SELECT DISTINCT _kind FROM ({select}) ORDER BY _kind").fetchall()
    return [str(kind) for (kind,) in rows]


def _first_objects(file: LogFile) -> list[dict[str, Any]]:
    """The first records; their values are whatever JSON holds."""
    objects = sample(file.head)
    if objects:
        return objects
    # The first record is longer than the head: a script's text, a mail's headers.
    start = bytearray()
    for chunk in chunks(file):
        if chunk is None or len(start) > MAX_LINE_BYTES:
            break
        start += chunk
    return sample(bytes(start))


def _flat(
    con: duckdb.DuckDBPyConnection,
    file: LogFile,
    table: str | None,
    objects: Sequence[Mapping[str, object]],
) -> Iterator[RawPart]:
    names = list(dict.fromkeys(name for one in objects for name in one))
    told = told_table(objects) if table is None else None
    wanted = told or table_of(names, file.name, table)
    tables = [wanted]
    records = _named_records(con, file, tables, names)
    if told:
        tables += other_tables(told, records.kinds)
        if len(tables) > 1:
            # Which others there are only the whole file tells: now with their columns.
            records = _named_records(con, file, tables, names)
    yield from named_parts(records.select, tables, names, is_told=told is not None)


def _named_records(
    con: duckdb.DuckDBPyConnection, file: LogFile, tables: Sequence[Table], names: Sequence[str]
) -> Records:
    """Records with what they call their table as ``_kind``, and the members of ``tables``."""
    fields = table_members(tables, names)
    members = ", ".join(map(identifier, fields))
    return read_records(con, file, fields, f"{KIND}, {members}")


def _streamed(
    con: duckdb.DuckDBPyConnection, file: LogFile, table: str | None
) -> Iterator[RawPart]:
    shape = f"replace(category, {literal(PREFIX)}, '') AS _kind, properties"
    records = read_records(con, file, ("category",), shape, nested=("properties",))
    yield from streamed_parts(records.select, records.kinds, file, table)
