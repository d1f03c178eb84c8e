"""Which of ThreatFox's ways to get indicators closes the gap since the last sync at least cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# "recent" held 47.8 hours when it was measured (2026-07), and is some minutes old when fetched.
_RECENT_REACHES = timedelta(hours=47)
# The API counts days back from now; an hour of them goes to the time the sync itself takes.
_MARGIN = timedelta(hours=1)
_MAX_DAYS = 7
# Clocks of two machines differ by that much, and more means one of them is wrong.
_CLOCKS_DIFFER = timedelta(minutes=10)
_DAY = timedelta(days=1)


class Way(StrEnum):
    """One request to ThreatFox."""

    RECENT = "recent"  # some 4,000-5,000 indicators, new or seen again in 48 hours; no key
    GET_IOCS = "get_iocs"  # new ones of up to seven days
    FULL = "full"  # everything ThreatFox has kept, zipped; no key
    FULL_KEYED = "full-keyed"  # the same in its newer form


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to fetch.

    Attributes:
        ways: In the order to fetch; all of them are needed.
        days: What to ask `Way.GET_IOCS` for, 1 to 7; None without it.
        gap: Time since the last sync, or None if there was none or clocks disagree.
        reason: Why these, as a sentence.

    Raises:
        ValueError: ``days`` without `Way.GET_IOCS`, or that without ``days``.
    """

    ways: tuple[Way, ...]
    days: int | None
    gap: timedelta | None
    reason: str

    def __post_init__(self) -> None:
        if (self.days is not None) != (Way.GET_IOCS in self.ways):
            raise ValueError("days are those of get_iocs")


def plan_sync(now: datetime, last_sync: datetime | None, *, has_key: bool) -> Plan:
    """Choose what to fetch.

    ``get_iocs`` knows only what is new, so the recent export goes with it for what was seen
    again. An old indicator that was seen again only between the last sync and 48 hours ago
    keeps its older ``last_seen`` then, until it is seen again or a full dump is read.

    Args:
        now: Aware.
        last_sync: When the last good sync began to fetch (not when it ended: what appeared
            in between would be missed); aware. None if there was none.
        has_key: Whether there is a key; ``get_iocs`` needs one.

    Raises:
        ValueError: A time is naive.
    """
    if now.tzinfo is None or (last_sync is not None and last_sync.tzinfo is None):
        raise ValueError("times must be aware")
    full = Way.FULL_KEYED if has_key else Way.FULL
    if last_sync is None:
        return Plan(ways=(full,), days=None, gap=None, reason="there was no sync before")
    gap = now - last_sync
    if gap < -_CLOCKS_DIFFER:
        reason = f"the last sync lies in the future ({last_sync:%Y-%m-%d %H:%M %Z})"
        return Plan(ways=(full,), days=None, gap=None, reason=reason)
    gap = max(gap, timedelta())
    if gap <= _RECENT_REACHES:
        reason = "the recent export holds the last 48 hours"
        return Plan(ways=(Way.RECENT,), days=None, gap=gap, reason=reason)
    days = math.ceil((gap + _MARGIN) / _DAY)
    if days > _MAX_DAYS:
        reason = f"the last sync is more than {_MAX_DAYS} days ago"
        return Plan(ways=(full,), days=None, gap=gap, reason=reason)
    if not has_key:
        reason = "the last sync is more than 48 hours ago, and there is no key for get_iocs"
        return Plan(ways=(full,), days=None, gap=gap, reason=reason)
    reason = f"get_iocs holds what is new in {days} days, the recent export what was seen again"
    return Plan(ways=(Way.GET_IOCS, Way.RECENT), days=days, gap=gap, reason=reason)
