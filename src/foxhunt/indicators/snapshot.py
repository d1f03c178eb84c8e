"""One snapshot of the store: a Parquet file that never changes, named by time and content.

The name carries a hash of the file's bytes, so a snapshot that was damaged on disk is found
out when it is read, and not when a hunt silently misses what stood in the damaged part.
Quarantined records are rows as well, the last ones: those with a ``quarantine_reason``.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
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
        table = pq.read_table(pa.BufferReader(data)).select(_SCHEMA.names).cast(_SCHEMA)
    except (pa.ArrowException, OSError, KeyError) as error:
        # Whole, but not ours: written by another version.
        raise StoreError(f"snapshot {name} cannot be read: {error}") from error
    # Quarantined records come last.
    indicators = table[QUARANTINE_REASON].null_count
    refused = table.slice(indicators)
    return IndicatorSet.from_table(
        table.slice(0, indicators).combine_chunks(), map(refused_record, refused.to_pylist())
    )


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
