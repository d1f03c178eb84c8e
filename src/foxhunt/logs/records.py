"""Sensor records: numbered, each of a kind, with fields; and how kinds become table rows.

Zeek, Sysmon and Suricata all write records of many kinds (a Zeek log, an event id, an
event type), of which some belong to a table. A reader gives `Records`; its mappings say
which kind fills which column with which SQL over the fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from uuid import uuid4

import duckdb
import pyarrow as pa

from foxhunt.errors import LogError, SourceSpan
from foxhunt.logs.model import LogFile, RawPart
from foxhunt.sql import identifier, literal

# A field in the template of a column; see `KindMapping`.
FIELD = re.compile(r"\{([A-Za-z_@][A-Za-z0-9_.@]*)\}")
_BATCH_ROWS = 20_000

# An address as sensors write it, in an answer list that also holds names and texts.
ADDRESS = r"[0-9]{1,3}([.][0-9]{1,3}){3}|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*"


@dataclass(frozen=True, slots=True)
class KindMapping:
    """How the records of one kind become rows of one table.

    Attributes:
        kind: The kind, as `Records.select` gives it in ``_kind``.
        table: A table of the catalog.
        columns: Column to the SQL of its value, as text, with ``{field}`` for a field. The
            first field named is the one the column needs.
    """

    kind: str
    table: str
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What one file holds.

    Attributes:
        select: A SELECT with ``_row``, ``_broken`` (as in `RawPart`), ``_kind`` and the fields.
        kinds: Kinds that the file has.
        fields: Fields that the file can have, or None when that is not known.
    """

    select: str
    kinds: Collection[str]
    fields: Collection[str] | None = field(default=None)


def summarise(con: duckdb.DuckDBPyConnection, select: str) -> tuple[str, ...]:
    """The kinds that the records of ``select`` are of; reads all of them.

    Raises:
        duckdb.Error: Some record stops the reading; see `foxhunt.logs.json_records`.
    """
    rows = con.execute(
        f"SELECT DISTINCT _kind FROM ({select}) WHERE _broken IS NULL AND _kind IS NOT NULL"
    ).fetchall()
    return tuple(sorted(str(kind) for (kind,) in rows))


def raw_parts(
    records: Records, mappings: Sequence[KindMapping], file: LogFile, table: str | None
) -> Iterator[RawPart]:
    """Yield a part for each table that the file holds rows of, or only for ``table``.

    Broken records tell no kind, so the first part counts them. A file without any row for
    a table gives one part without good rows: it was looked at, and the report shows it.

    Raises:
        LogError: The format never fills ``table``.
    """
    chosen = chosen_mappings(records.kinds, mappings, file, table)
    for position, (name, found) in enumerate(chosen.items()):
        yield _part(name, found, records, with_broken=position == 0)


def chosen_mappings(
    kinds: Collection[str], mappings: Sequence[KindMapping], file: LogFile, table: str | None
) -> dict[str, list[KindMapping]]:
    """From each table that a file with ``kinds`` fills, or only ``table``, to the mappings of it.

    Without any row for a table it is the first table, with all of its mappings.

    Raises:
        LogError: The format never fills ``table``.
    """
    by_table = tables_of(mappings)
    if table is not None and table not in by_table:
        raise LogError(
            f"this format has no rows for {table}",
            at=SourceSpan(file.name),
            hint=f"it fills {', '.join(by_table)}",
        )
    present = {
        name: [mapping for mapping in all_ if mapping.kind in kinds]
        for name, all_ in by_table.items()
        if table in (None, name)
    }
    chosen = {name: found for name, found in present.items() if found}
    if not chosen:
        name = next(iter(present))
        chosen = {name: by_table[name]}
    return chosen


def tables_of(mappings: Sequence[KindMapping]) -> dict[str, list[KindMapping]]:
    """From each table, in the order of its first mapping, to its mappings."""
    by_table: dict[str, list[KindMapping]] = {}
    for mapping in mappings:
        by_table.setdefault(mapping.table, []).append(mapping)
    return by_table


def narrowed(
    mappings: Sequence[KindMapping], columns: Callable[[str, Collection[str]], Collection[str]]
) -> tuple[tuple[KindMapping, ...], tuple[str, ...]]:
    """Mappings with only those of each table's columns that ``columns`` gives, and their fields."""
    kept = tuple(
        replace(
            mapping,
            columns={
                name: mapping.columns[name] for name in columns(mapping.table, mapping.columns)
            },
        )
        for mapping in mappings
    )
    fields = (
        field
        for mapping in kept
        for template in mapping.columns.values()
        for field in FIELD.findall(template)
    )
    return kept, tuple(dict.fromkeys(fields))


def _part(
    table: str, mappings: Sequence[KindMapping], records: Records, *, with_broken: bool
) -> RawPart:
    names = dict.fromkeys(
        name
        for mapping in mappings
        for name, template in mapping.columns.items()
        if records.fields is None or is_filled(template, records.fields)
    )
    columns = values_sql(names, mappings)
    kinds = ", ".join(literal(mapping.kind) for mapping in mappings)
    condition = f"(_broken IS NULL AND _kind IN ({kinds}))"
    if with_broken:
        condition += " OR _broken IS NOT NULL"
    return RawPart(
        table=table,
        select=f"SELECT _row, _broken, {columns} FROM ({records.select}) WHERE {condition}",
        columns=tuple(names),
    )


def is_filled(template: str, fields: Collection[str]) -> bool:
    """Whether a file with ``fields`` has the one that the column of ``template`` needs."""
    needed = FIELD.search(template)
    return needed is None or needed.group(1) in fields


def values_sql(columns: Iterable[str], mappings: Sequence[KindMapping]) -> str:
    """SQL of the values of ``columns``, each under its name, of a record of one of the kinds."""
    return ", ".join(f"{_value(name, mappings)} AS {identifier(name)}" for name in columns)


def _value(column: str, mappings: Sequence[KindMapping]) -> str:
    values = {m.kind: m.columns[column] for m in mappings if column in m.columns}
    if len(set(values.values())) == 1 and len(values) == len(mappings):
        return f"({_sql(next(iter(values.values())))})"
    cases = " ".join(f"WHEN {literal(kind)} THEN {_sql(sql)}" for kind, sql in values.items())
    return f"CASE _kind {cases} END"


def _sql(template: str) -> str:
    return FIELD.sub(lambda match: identifier(match.group(1)), template)


def addresses_sql(answers: str) -> str:
    """SQL: of a list of answers the addresses, comma-separated, v4-mapped ones as IPv4; or NULL.

    ``DnsEvents.IPAddresses`` holds them in this form.
    """
    plain = "regexp_replace(trim(a), '(?i)^::ffff:([0-9]+([.][0-9]+){3})$', '\\1')"
    kept = f"[{plain} FOR a IN {answers} IF regexp_full_match(trim(a), {literal(ADDRESS)})]"
    return f"nullif(array_to_string({kept}, ','), '')"


def stage(
    con: duckdb.DuckDBPyConnection,
    fields: Sequence[str],
    rows: Iterable[tuple[str | None, Sequence[str | None]]],
) -> str:
    """Put records that SQL cannot read exactly into a temporary table, and return its SELECT.

    Args:
        con: Where.
        fields: Their fields, all text.
        rows: For each record why it is broken, or None, and the values of ``fields``.
    """
    name = identifier(f"log_records_{uuid4().hex}")
    columns = ", ".join(f"{identifier(one)} VARCHAR" for one in fields)
    con.execute(f"CREATE TEMP TABLE {name} (_row BIGINT, _broken VARCHAR, {columns})")
    numbered = enumerate(rows, start=1)
    while batch := list(islice(numbered, _BATCH_ROWS)):
        arrays = [
            pa.array([number for number, _ in batch], pa.int64()),
            pa.array([broken for _, (broken, _) in batch], pa.string()),
        ]
        for position in range(len(fields)):
            arrays.append(pa.array([values[position] for _, (_, values) in batch], pa.string()))
        arrow = pa.Table.from_arrays(arrays, names=[f"c{i}" for i in range(len(arrays))])
        con.register("log_records_batch", arrow)
        con.execute(f"INSERT INTO {name} SELECT * FROM log_records_batch")
        con.unregister("log_records_batch")
    return f"SELECT * FROM {name}"
