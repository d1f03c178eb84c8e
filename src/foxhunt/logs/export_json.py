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
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    is_of,
    is_streaming,
    named_parts,
    other_tables,
    streamed_parts,
    table_columns,
    table_members,
    told_table,
)
from foxhunt.logs.faults import changed
from foxhunt.logs.json_records import copy_records, in_place, is_array, read_records, sample
from foxhunt.logs.layouts import JsonLines
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
    known = told or table_of(names, file.name, table)
    with stage.sifted(file, known.name, _layout(file, known, names, told)) as (some, clean):
        staged = _copied_one(
            con, some, known, names, stage, is_told=told is not None, is_whole=clean is not None
        )
    if staged is None:
        return None
    tables, copies = [known], [staged]
    if told:
        tables += other_tables(told, _kinds(con, staged))
        if len(tables) > 1:
            copies, clean = _copied(con, file, tables, names, stage), None
        else:
            copies = [f"SELECT * FROM ({staged}) WHERE {is_of(told, is_first=True)}"]

    def parts(some: LogFile) -> list[RawPart]:
        whole = _in_place(some, tables, names)
        return list(named_parts(whole, tables, names, is_told=told is not None))

    is_lines = file.compression == "none" and not is_array(file)
    return tuple(
        replace(
            part,
            staged=copy,
            lines=LogLines(0, partial(_nth_select, parts, position)) if is_lines else None,
            clean=clean,
        )
        for position, (part, copy) in enumerate(zip(parts(file), copies, strict=True))
    )


def _layout(
    file: LogFile, table: Table, names: Sequence[str], told: Table | None
) -> JsonLines | None:
    """How lines are cut; None where the records are no lines."""
    if is_array(file) or file.head.startswith(BOM_UTF8):
        return None
    columns = table_columns(table, names)
    return JsonLines(
        told=columns,
        seen=frozenset(name for name, own in columns.items() if own in names),
        fixed={TYPE: told.name} if told else {},
    )


def _nth_select(parts: Callable[[LogFile], list[RawPart]], position: int, file: LogFile) -> str:
    return parts(file)[position].select


def _copied_one(
    con: duckdb.DuckDBPyConnection,
    file: LogFile,
    table: Table,
    names: Sequence[str],
    stage: Stage,
    *,
    is_told: bool,
    is_whole: bool,
) -> str | None:
    """A SELECT of a typed copy of the file's records as rows of ``table``, with their ``_kind``.

    Where no record names its table, ``_kind`` is left out. With ``is_whole`` all columns are
    copied, else those that are asked for. None, see `copy_records`.
    """
    columns = table_columns(table, names)
    asked = columns if is_whole else stage.columns(table.name, columns)
    held = {name: columns[name] for name in asked}
    values = "".join(f", {identifier(own)} AS {identifier(name)}" for name, own in held.items())
    kind = f", {KIND}" if is_told else ""

    def copied(source: str) -> str:
        rows = f"SELECT _broken{kind}{values} FROM ({source})"
        return stage.copy_typed(rows, table.name, tuple(held), records="_broken IS NULL")

    fields = table_members([table], names)
    # SQL tells no "type" from "Type".
    wanted = {name.casefold() for name in (*held.values(), *([TYPE] if is_told else []))}
    first = [name for name in fields if name.casefold() in wanted]
    return copy_records(con, file, first, fields, copied)


def _copied(
    con: duckdb.DuckDBPyConnection,
    file: LogFile,
    tables: Sequence[Table],
    names: Sequence[str],
    stage: Stage,
) -> list[str]:
    """A SELECT of a copy for each of several tables, whose columns may be of different types.

    Raises:
        LogError: The file changed since it was copied.
    """
    fields = table_members(tables, names)
    wanted = dict.fromkeys([TYPE])
    for table in tables:
        columns = table_columns(table, names)
        wanted |= dict.fromkeys(columns[name] for name in stage.columns(table.name, columns))
    copied = [name for name in fields if name in wanted]
    copy = copy_records(con, file, copied, fields, stage.copy)
    if copy is None:
        raise changed(file.name)
    select = f"SELECT *, {KIND} FROM ({copy})"
    found = named_parts(select, tables, names, is_told=True, held=stage.columns)
    return [part.select for part in found]


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
