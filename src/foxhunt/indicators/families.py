"""Malware families of a set or snapshot, counted without walking its indicators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from foxhunt.indicators.collection import SCHEMA, IndicatorSet
from foxhunt.indicators.family import Family
from foxhunt.indicators.lookup import Reader
from foxhunt.indicators.model import IndicatorType

# Aliases hold no control characters (`foxhunt.feeds.threatfox`), so it separates.
_SEPARATOR = "\x1f"
_NAMES = ["malware", "malware_printable", "malware_alias"]


@dataclass(frozen=True, slots=True)
class FamilyCount:
    """A family and what there is of it.

    Attributes:
        family: Its names, how many indicators, since when, last active when.
        by_type: How many of each type, in the order of `IndicatorType`; none are left out.
    """

    family: Family
    by_type: Mapping[str, int]


def named(reader: Reader) -> IndicatorSet:
    """A set with one row for each way a family is named, for what asks a set for families.

    Only the columns of names are filled; it holds no indicator.
    """
    table = reader.columns(_NAMES)
    aliases = pc.binary_join(table["malware_alias"], _SEPARATOR)
    spelled = table.drop_columns(["malware_alias"]).append_column("malware_alias", aliases)
    distinct = _grouped(spelled, _NAMES, [])
    lists = pc.split_pattern(distinct["malware_alias"], _SEPARATOR)
    known = {name: distinct[name] for name in _NAMES[:2]} | {
        "malware_alias": _without_empty(lists),
        # `IndicatorSet.families` wants a time of each.
        "first_seen": pa.repeat(pa.scalar(_EPOCH, SCHEMA.field("first_seen").type), len(lists)),
    }
    columns = [known.get(field.name, pa.nulls(len(lists), field.type)) for field in SCHEMA]
    return IndicatorSet.from_table(pa.table(columns, SCHEMA.names))


def family_counts(reader: Reader) -> tuple[FamilyCount, ...]:
    """The families, by name, each counted by type.

    Raises:
        StoreError: The snapshot is damaged.
    """
    table = reader.columns(["malware", "type", "first_seen", "last_seen"])
    times = [("first_seen", "min"), ("first_seen", "max"), ("last_seen", "max")]
    counted = _grouped(table, ["malware", "type"], [("type", "count"), *times])
    rows: dict[str, list[dict[str, Any]]] = {}  # Any: a row holds text, numbers and times
    for row in counted.to_pylist():
        rows.setdefault(row["malware"], []).append(row)
    return tuple(_counted(family, rows[family.malware]) for family in named(reader).families())


def _counted(family: Family, rows: list[dict[str, Any]]) -> FamilyCount:  # Any: as above
    counts = {row["type"]: row["type_count"] for row in rows}
    latest = [row[name] for row in rows for name in ("first_seen_max", "last_seen_max")]
    return FamilyCount(
        Family(
            malware=family.malware,
            name=family.name,
            aliases=family.aliases,
            count=sum(counts.values()),
            first_seen=min(row["first_seen_min"] for row in rows),
            last_activity=max(time for time in latest if time is not None),
        ),
        {str(type_): counts[str(type_)] for type_ in IndicatorType if str(type_) in counts},
    )


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _grouped(table: pa.Table, keys: list[str], wanted: list[tuple[str, str]]) -> pa.Table:
    # Row groups have dictionaries of their own, and Arrow groups by one alone (26.0).
    return table.unify_dictionaries().group_by(keys).aggregate(wanted)


def _without_empty(lists: pa.ChunkedArray) -> pa.Array:
    """Splitting no text gives one empty text."""
    values = [[text for text in found or () if text] for found in lists.to_pylist()]
    return pa.array(values, pa.list_(pa.string()))
