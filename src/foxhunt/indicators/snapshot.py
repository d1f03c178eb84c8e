"""One snapshot of the store: a Parquet file that never changes, named by time and content.

The name carries a hash of the file's bytes, so a snapshot that was damaged on disk is found
out when it is read, and not when a hunt silently misses what stood in the damaged part.
Quarantined records are rows as well, the last ones: those with a ``quarantine_reason``.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from foxhunt.errors import StoreError
from foxhunt.indicators.collection import SCHEMA, IndicatorSet
from foxhunt.indicators.model import Quarantined
from foxhunt.snapshot_files import is_content

# A column of the file and none of the set's.
QUARANTINE_REASON = "quarantine_reason"
# Rows are in order of type and value: a look-up reads the group in which its value can be.
_ROW_GROUP = 16_384
# Rows of more groups than this are taken from the whole.
_MOST_GROUPS = 12
_SCHEMA = SCHEMA.append(pa.field(QUARANTINE_REASON, pa.string()))
# Where nearly all values differ, a dictionary of them costs time and saves nothing.
_OF_FEW_VALUES = [
    *("type", "source", "threat_type", "malware", "malware_printable", "confidence_level"),
    *("malware_alias.list.element", "tags.list.element", "reference", "reporter"),
    *("is_compromised", "port", "is_shared", QUARANTINE_REASON),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One snapshot in the store.

    Attributes:
        name: Its time and the beginning of its content's hash; sorts by time.
        created: When it was written; aware, UTC.
        size_bytes: On disk.
        is_current: Whether it is what is hunted for now.
    """

    name: str
    created: datetime
    size_bytes: int
    is_current: bool


def encode(indicators: IndicatorSet) -> bytes:
    """The bytes of a snapshot."""
    refused = [_refused_row(record) for record in indicators.quarantined]
    table = pa.concat_tables(
        [
            indicators.table.append_column(
                QUARANTINE_REASON, pa.nulls(len(indicators), pa.string())
            ),
            pa.Table.from_pylist(refused, schema=_SCHEMA),
        ]
    )
    sink = io.BytesIO()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        use_dictionary=_OF_FEW_VALUES,
        row_group_size=_ROW_GROUP,
    )
    return sink.getvalue()


def decode(data: bytes, name: str) -> IndicatorSet:
    """Read what `encode` wrote.

    Raises:
        StoreError: The bytes are not those that were written under ``name``.
    """
    if not is_content(data, name):
        raise StoreError(f"snapshot {name} is damaged: its content is not what was written")
    try:
        rows = _SnapshotRows(data)
        return IndicatorSet(rows, tuple(map(refused_record, rows.refused().to_pylist())))
    except (pa.ArrowException, OSError, KeyError) as error:
        # Whole, but not ours: written by another version.
        raise StoreError(f"snapshot {name} cannot be read: {error}") from error


class _SnapshotRows:
    """A snapshot's indicators, decoded column by column, and some rows by the groups they are in.

    Its bytes are those that were written and its footer was read, so that decoding cannot fail.
    """

    def __init__(self, data: bytes) -> None:
        self._file = pq.ParquetFile(pa.BufferReader(data))
        lacking = set(_SCHEMA.names).difference(self._file.schema_arrow.names)
        if lacking:
            raise KeyError(f"it has no {min(lacking)}")
        # What is of another type and cannot be cast is found out now.
        self._file.schema_arrow.empty_table().select(_SCHEMA.names).cast(_SCHEMA)
        groups = range(self._file.num_row_groups)
        rows = (self._file.metadata.row_group(group).num_rows for group in groups)
        self._firsts = list(accumulate(rows, initial=0))
        # Quarantined records come last.
        reasons = self._file.read([QUARANTINE_REASON], use_threads=False)
        self.num_rows: int = reasons.column(0).null_count
        self._columns: dict[str, pa.ChunkedArray] = {}
        self._whole: pa.Table | None = None

    def refused(self) -> pa.Table:
        """The rows of the quarantined records."""
        if self.num_rows == self._firsts[-1]:
            return _SCHEMA.empty_table()
        first = self._group_of(self.num_rows)
        rows = self._read(range(first, self._file.num_row_groups), _SCHEMA)
        return rows.slice(self.num_rows - self._firsts[first])

    def select(self, names: list[str]) -> pa.Table:
        """See `StoredRows`."""
        if self._whole is not None:
            return self._whole.select(names)
        new = [name for name in names if name not in self._columns]
        if new:
            schema = pa.schema([SCHEMA.field(name) for name in new])
            read = self._read(None, schema).slice(0, self.num_rows).combine_chunks()
            self._columns |= dict(zip(new, read.columns, strict=True))
        return pa.table([self._columns[name] for name in names], names)

    def take(self, positions: pa.Array) -> pa.Table:
        """See `StoredRows`."""
        at = positions.to_pylist()
        groups = sorted({self._group_of(position) for position in at})
        if self._whole is not None or len(groups) > _MOST_GROUPS:
            return self.whole().take(positions)
        # Where each group that is read begins among the rows that are read.
        sizes = (self._firsts[group + 1] - self._firsts[group] for group in groups)
        begins = dict(zip(groups, accumulate(sizes, initial=0), strict=False))
        places = [
            begins[group] + position - self._firsts[group]
            for position in at
            for group in (self._group_of(position),)
        ]
        return self._read(groups, SCHEMA).take(pa.array(places, pa.int64()))

    def whole(self) -> pa.Table:
        """See `StoredRows`."""
        if self._whole is None:
            self._whole = self._read(None, SCHEMA).slice(0, self.num_rows).combine_chunks()
            self._columns.clear()
        return self._whole

    def _group_of(self, position: int) -> int:
        return bisect_right(self._firsts, position) - 1

    def _read(self, groups: Iterable[int] | None, schema: pa.Schema) -> pa.Table:
        read = (
            self._file.read(schema.names)
            if groups is None
            else self._file.read_row_groups(list(groups), schema.names)
        )
        return read.select(schema.names).cast(schema)


def _refused_row(record: Quarantined) -> dict[str, Any]:
    return {
        "type": record.type,
        "value": record.value,
        "source": record.source,
        "source_id": record.source_id,
        # The only time a quarantined record has.
        "last_seen": record.retracted_at,
        QUARANTINE_REASON: record.reason,
    }


def refused_record(row: Mapping[str, Any]) -> Quarantined:
    """A row of the file that is a quarantined record."""
    return Quarantined(
        source_id=row["source_id"],
        value=row["value"],
        type=row["type"],
        reason=row[QUARANTINE_REASON],
        # Before there were other feeds it was not said.
        source=row["source"] or "threatfox",
        retracted_at=row.get("last_seen"),
    )
