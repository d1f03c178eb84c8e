"""What a publisher takes back: which rows that are, and which records are older than that.

Tables are those of `foxhunt.indicators.collection.SCHEMA`; identity is ``(source, source_id)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from foxhunt.errors import RetractedError
from foxhunt.indicators.merging import identity_keys
from foxhunt.indicators.model import Quarantined, Retraction

Identity: TypeAlias = tuple[str, str]
Retractions: TypeAlias = Mapping[Identity, Retraction]


def stated(
    quarantined: Iterable[Quarantined], retracted: Iterable[Retraction]
) -> dict[Identity, datetime]:
    """When each indicator was taken back, by its publisher's own time; only where he says it."""
    times = [((one.source, one.source_id), one.retracted_at) for one in quarantined]
    times += [((one.source, one.source_id), one.at) for one in retracted]
    found: dict[Identity, datetime] = {}
    for identity, time in times:
        if time is not None:
            found[identity] = max(time, found.get(identity, time))
    return found


def are_older(
    table: pa.Table, told: pa.Table, retracted_at: Mapping[Identity, datetime]
) -> pa.ChunkedArray | None:
    """Which rows say no more than what was taken back since; None if there is none.

    A version of the very time of the retraction is older too: not every publisher gives the one
    that takes back a time of its own.

    Args:
        table: The rows.
        told: See `IndicatorSet.told`.
        retracted_at: Of `stated`.
    """
    if not retracted_at:
        return None
    latest: dict[Identity, datetime] = {}
    for row in told.filter(_are_among(told, retracted_at)).to_pylist():
        identity = row["source"], row["source_id"]
        latest[identity] = max(row["told"], latest.get(identity, row["told"]))
    older = [identity for identity, time in latest.items() if time <= retracted_at[identity]]
    return _are_among(table, older) if older else None


def once_more(
    quarantined: Iterable[Quarantined], retracted: Retractions
) -> tuple[Quarantined, ...]:
    """Quarantined records, each with the later time of what takes it back again.

    One that was taken back without a time, as older snapshots have it, gets one.
    """
    return tuple(
        replace(one, retracted_at=again.at)
        if (one.retracted_at or one.reason.startswith(f"{RetractedError.code}:"))
        and (again := retracted.get((one.source, one.source_id)))
        and again.at
        and (one.retracted_at is None or again.at > one.retracted_at)
        else one
        for one in quarantined
    )


def are_retracted(table: pa.Table, retracted: Retractions) -> pa.ChunkedArray:
    """Which rows are taken back, by their identity."""
    return _are_among(table, retracted)


def taken_back(table: pa.Table, retracted: Retractions) -> tuple[Quarantined, ...]:
    """The rows of indicators that are taken back, as what they are from then on."""
    rows = table.select(["source_id", "value", "type", "source"]).to_pylist()
    named = [(row, retracted[row["source"], row["source_id"]]) for row in rows]
    return tuple(
        Quarantined(**row, reason=str(RetractedError(one.why)), retracted_at=one.at)
        for row, one in named
    )


def not_in(table: pa.Table, retracted: Retractions) -> dict[Identity, Retraction]:
    """The retractions of what is none of the rows."""
    ids = pa.array([source_id for _, source_id in retracted], pa.string())
    identities = table.select(["source", "source_id"])
    found = identities.filter(pc.is_in(identities["source_id"], value_set=ids)).to_pylist()
    again = {(row["source"], row["source_id"]) for row in found}
    return {key: one for key, one in retracted.items() if key not in again}


def _are_among(table: pa.Table, identities: Iterable[Identity]) -> pa.ChunkedArray:
    columns = zip(*identities, strict=True)
    wanted = pa.table([pa.array(c, pa.string()) for c in columns], ["source", "source_id"])
    return pc.is_in(identity_keys(table), value_set=identity_keys(wanted).combine_chunks())
