"""Windows event logs in their own binary form (EVTX), of which the Sysmon events are rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import duckdb

from foxhunt.logs import sysmon
from foxhunt.logs.ahead import Prepared, Stopped, never
from foxhunt.logs.evtx_staging import Staged, Staging
from foxhunt.logs.model import LogFile, RawPart
from foxhunt.logs.records import chosen_mappings
from foxhunt.sql import identifier

_MAGIC = b"ElfFile\0"


def recognises(file: LogFile) -> bool:
    """See `Format.recognises`."""
    return file.head.startswith(_MAGIC)


def read(con: duckdb.DuckDBPyConnection, file: LogFile, table: str | None) -> Iterator[RawPart]:
    """See `Format.read`."""
    (prepared,) = prepare(con, [file], never)
    yield from prepared(table)


def prepare(
    con: duckdb.DuckDBPyConnection, files: Sequence[LogFile], stopped: Stopped
) -> list[Prepared]:
    """See `foxhunt.logs.ahead.Preparing`."""
    staging = Staging(con, stopped)
    try:
        faults = [staging.take(number, file) for number, file in enumerate(files)]
        staged = staging.finish()
    except BaseException:
        staging.drop()
        raise
    return [
        partial(parts_of, staged, number, file, fault)
        for number, (file, fault) in enumerate(zip(files, faults, strict=True))
    ]


def parts_of(
    staged: Staged, number: int, file: LogFile, fault: Exception | None, table: str | None
) -> Iterator[RawPart]:
    """Yield the parts of one file; see `foxhunt.logs.records.raw_parts`."""
    if fault is not None:
        raise fault
    kinds = staged.kinds.get(number, frozenset())
    chosen = chosen_mappings(kinds, sysmon.MAPPINGS, file, table)
    for position, (name, mappings) in enumerate(chosen.items()):
        columns = tuple(dict.fromkeys(one for mapping in mappings for one in mapping.columns))
        selects = []
        if any(mapping.kind in kinds for mapping in mappings):
            listed = ", ".join(map(identifier, columns))
            selects.append(
                f"SELECT _row, CAST(NULL AS VARCHAR) AS _broken, {listed} "
                f"FROM {staged.tables[name]} WHERE _file = {number}"
            )
        if not selects or (position == 0 and number in staged.with_broken):
            nulls = ", ".join(f"CAST(NULL AS VARCHAR) AS {identifier(one)}" for one in columns)
            selects.append(
                f"SELECT _row, _broken, {nulls} FROM {staged.broken} WHERE _file = {number}"
            )
        yield RawPart(table=name, select=" UNION ALL ".join(selects), columns=columns)
