"""When indicators were last active, by the feed's own dates, and what left the feed.

Tables are those of `foxhunt.indicators.collection.SCHEMA`. Our own clock is never an age.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from foxhunt.feeds.threatfox import SOURCE
from foxhunt.indicators import IndicatorSet

# "recent" held 47.6 to 48.0 hours in seven exports of July 2026.
RECENT_WINDOW = timedelta(hours=47)
# ThreatFox drops what was not seen for six months (since 2025-05-01). Taken short, so that what
# is absent near the border counts as expired, which is certain to come, and not as taken back.
EXPIRES_AFTER = timedelta(days=180)
# A record of the future is a mistake: believed, it would hide that all others are old.
_CLOCKS_DIFFER = timedelta(hours=1)
_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Departures:
    """Indicators of the store that the feed no longer has; they stay in the store.

    Counted as of now, not since the last sync.

    Attributes:
        expired: Not active for six months and gone from a full dump; None if none was read.
        retracted: Gone although their dates say they should be there. A guess: the feed
            does not say why it drops something.
        examples: Up to 10 of the retracted values, latest active first.
    """

    expired: int | None
    retracted: int
    examples: tuple[str, ...] = ()


def newest_activity(table: pa.Table, now: datetime) -> datetime | None:
    """When the most recently active indicator was last active; None if there is none.

    What lies in the future of ``now`` by more than clocks differ is not counted.
    """
    times = _activity(table)
    past = times.filter(pc.less_equal(times, _number(now + _CLOCKS_DIFFER)))
    latest = pc.max(past).as_py()
    return None if latest is None else datetime.fromtimestamp(latest / 1e6, UTC)


def gone_from_full(base: pa.Table, full: IndicatorSet, now: datetime) -> Departures:
    """What of the store a full dump does not have.

    What was active after the dump's newest indicator is not judged: the dump may be older.
    """
    newest = newest_activity(full.table, now)
    if newest is None:
        return Departures(expired=0, retracted=0)
    absent = _absent(base, full)
    times = _activity(absent)
    is_expired = pc.less(times, _number(newest - EXPIRES_AFTER))
    is_judged = pc.less_equal(times, _number(newest))
    retracted = absent.filter(pc.and_(is_judged, pc.invert(is_expired)))
    return _departures(retracted, expired=int(pc.sum(is_expired).as_py() or 0))


def gone_from_recent(base: pa.Table, recent: IndicatorSet, now: datetime) -> Departures:
    """What of the store should be in a recent export by its dates, and is not.

    In seven exports of July 2026, a day apart each, that was one indicator of 7,929.
    """
    newest = newest_activity(recent.table, now)
    if newest is None:
        return Departures(expired=None, retracted=0)
    absent = _absent(base, recent)
    times = _activity(absent)
    is_due = pc.and_(
        pc.greater_equal(times, _number(newest - RECENT_WINDOW)),
        pc.less_equal(times, _number(newest)),
    )
    return _departures(absent.filter(is_due), expired=None)


def _absent(base: pa.Table, read: IndicatorSet) -> pa.Table:
    """Rows of the feed in ``base`` that ``read`` does not have, not even in quarantine."""
    refused = pa.array([record.source_id for record in read.quarantined], pa.string())
    present = pa.concat_arrays([read.table["source_id"].combine_chunks(), refused])
    # An id that foxhunt made up, for records without one, is never read again.
    is_own = pc.and_(
        pc.equal(base["source"], SOURCE), pc.match_substring_regex(base["source_id"], "^[0-9]+$")
    )
    return base.filter(pc.and_(is_own, pc.invert(pc.is_in(base["source_id"], present))))


def _departures(retracted: pa.Table, *, expired: int | None) -> Departures:
    order = pc.sort_indices(_activity(retracted), sort_keys=[("", "descending")])[:_SHOWN]
    values = retracted["value"].take(order).to_pylist()
    return Departures(expired=expired, retracted=retracted.num_rows, examples=tuple(values))


def _activity(table: pa.Table) -> pa.ChunkedArray:
    """The later of ``first_seen`` and ``last_seen``, in microseconds since 1970."""
    # As numbers: Arrow has no maximum of times with a zone (26.0).
    first, last = (table[name].cast(pa.int64()) for name in ("first_seen", "last_seen"))
    return pc.max_element_wise(first, last, skip_nulls=True)


def _number(time: datetime) -> int:
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
