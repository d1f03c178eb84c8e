"""Zeek logs as JSON lines: one log a file, or several in one with ``_path`` (``@stream``)."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

import duckdb

from foxhunt.logs import zeek
from foxhunt.logs.json_records import copy_records, in_place, is_array, read_records, sample
from foxhunt.logs.layouts import JsonLines
from foxhunt.logs.model import LogFile, LogLines, RawPart
from foxhunt.logs.records import FIELD, KindMapping, Records, narrowed, raw_parts, summarise
from foxhunt.logs.staging import Stage
from foxhunt.sql import identifier

_PATH_FIELDS = ("_path", "@stream")
# Dots as Zeek writes them, underscores as some exporters do.
_SPELLINGS = {name: name.replace(".", "_") for name in zeek.ID_FIELDS}

_FIELDS = (*_PATH_FIELDS, *zeek.TEXT_FIELDS, *zeek.LIST_FIELDS, *_SPELLINGS.values())


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
    records = read_records(con, file, _FIELDS, shape())
    yield from raw_parts(records, zeek.MAPPINGS, file, table)


def read_once(
    con: duckdb.DuckDBPyConnection, file: LogFile, table: str | None, stage: Stage
) -> tuple[RawPart, ...] | None:
    """See `OnePass.read_once`."""
    first = sample(file.head)
    expected = {_kind(record) for record in first}
    mappings = [one for one in zeek.MAPPINGS if one.kind in expected]
    if not mappings:
        return None
    with stage.sifted(file, mappings[0].table, _layout(file, mappings, first)) as (some, clean):
        held = _copied(con, some, mappings, stage, is_whole=clean is not None)
    if held is not None and not expected.issuperset(held[0].kinds):
        mappings, clean = [one for one in zeek.MAPPINGS if one.kind in held[0].kinds], None
        held = _copied(con, file, mappings, stage, is_whole=False)
    if held is None:
        return None
    records, filled = held
    if clean is not None:
        records = replace(records, kinds=(mappings[0].kind,))
    tables = {one.table for one in filled if one.kind in records.kinds}
    if not tables or (table is not None and table not in tables):
        return None

    def whole(some: LogFile) -> list[RawPart]:
        select = f"SELECT _row, _broken, {shape()} FROM ({in_place(some, _FIELDS)})"
        return list(
            raw_parts(Records(select=select, kinds=records.kinds), zeek.MAPPINGS, file, table)
        )

    def lines_of(position: int) -> LogLines | None:
        if file.compression != "none" or is_array(file):
            return None
        return LogLines(0, lambda some: whole(some)[position].select)

    staged = raw_parts(records, filled, file, table)
    return tuple(
        replace(part, staged=copy.select, lines=lines_of(position), clean=clean)
        for position, (part, copy) in enumerate(zip(whole(file), staged, strict=True))
    )


def _kind(record: Mapping[str, object]) -> str | None:
    """The log that a record of the file's start is of, as `zeek.kind_sql` tells it."""
    told = (record[name] for name in _PATH_FIELDS if record.get(name) is not None)
    path = next(told, None)
    return str(path) if path is not None else zeek.kind_of_fields(record)


def _layout(
    file: LogFile, mappings: Sequence[KindMapping], first: Sequence[Mapping[str, object]]
) -> JsonLines | None:
    """How lines are cut; None where records are no lines, or of several logs."""
    if len(mappings) != 1 or is_array(file) or file.head.startswith(BOM_UTF8):
        return None
    (mapping,) = mappings
    told, unwanted = {}, set()
    for name, sql in mapping.columns.items():
        field = zeek.own_field(sql)
        if field is None:
            continue
        spellings = [field, *([_SPELLINGS[field]] if field in _SPELLINGS else [])]
        seen = [one for one in spellings if any(one in record for record in first)]
        told[name] = (seen or spellings)[0]
        unwanted |= set(spellings) - {told[name]}
    return JsonLines(
        told=told,
        seen=frozenset(told),
        untold=frozenset(
            name for name, sql in mapping.columns.items() if name not in told and FIELD.search(sql)
        ),
        fixed=dict.fromkeys(_PATH_FIELDS, mapping.kind),
        telling={name: kind == mapping.kind for name, kind in zeek.TELLTALES},
        unwanted=unwanted,
    )


def _copied(
    con: duckdb.DuckDBPyConnection,
    file: LogFile,
    mappings: Sequence[KindMapping],
    stage: Stage,
    *,
    is_whole: bool,
) -> tuple[Records, tuple[KindMapping, ...]] | None:
    """The records as copied, and the mappings that they serve; None when it has to be `read`."""
    filled, fields = narrowed(mappings, _all if is_whole else stage.columns)
    needed = (*fields, *zeek.TELLTALE_FIELDS)
    wanted = {*_PATH_FIELDS, *needed, *(_SPELLINGS.get(name, name) for name in needed)}
    needed_fields = [name for name in _FIELDS if name in wanted]
    copy = copy_records(con, file, needed_fields, _FIELDS, stage.copy)
    if copy is None:
        return None
    select = f"SELECT _row, _broken, {shape(needed)} FROM ({copy})"
    return Records(select=select, kinds=summarise(con, select)), filled


def _all(_: str, columns: Collection[str]) -> Collection[str]:
    """All columns of a table, where not only those that are asked for are copied."""
    return columns


def shape(needed: Collection[str] = (*zeek.TEXT_FIELDS, *zeek.LIST_FIELDS)) -> str:
    """A SELECT list from the members of a record to ``_kind`` and the fields of `zeek`."""
    path = f"coalesce({', '.join(identifier(name) for name in _PATH_FIELDS)})"
    texts = [
        f"coalesce({identifier(name)}, {identifier(_SPELLINGS[name])}) AS {identifier(name)}"
        if name in _SPELLINGS
        else identifier(name)
        for name in zeek.TEXT_FIELDS
        if name in needed
    ]
    lists = [
        f"{list_sql(name)} AS {identifier(name)}" for name in zeek.LIST_FIELDS if name in needed
    ]
    return ", ".join([f"{zeek.kind_sql(path)} AS _kind", *texts, *lists])


def list_sql(name: str) -> str:
    """SQL for a JSON array of texts as a list; a value that is no array is a list of itself."""
    column = identifier(name)
    return (
        f"CASE WHEN {column} IS NOT NULL THEN "
        f"coalesce(TRY_CAST(TRY_CAST({column} AS JSON) AS VARCHAR[]), [{column}]) END"
    )
