"""How often each feed may be fetched, as its publisher wants it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from types import MappingProxyType

from foxhunt.feeds.endpoints import is_abusech
from foxhunt.feeds.ledger import THREATFOX

_MINUTES = timedelta(minutes=1)
# ThreatFox asks for fair use and publishes no number; its recent export is made anew every few
# minutes. The files of the others are made every 5 minutes, and abuse.ch's download pages ask not
# to fetch them more often (said of SSLBL's also in Sumo Logic's documentation, 2026-03-31).
FAIR_INTERVALS = MappingProxyType(
    {
        THREATFOX: 5 * _MINUTES,
        "urlhaus": 5 * _MINUTES,
        "malwarebazaar": 5 * _MINUTES,
        "feodotracker": 5 * _MINUTES,
        "sslbl": 5 * _MINUTES,
    }
)


def fair_interval(feed: str, urls: Iterable[str]) -> timedelta:
    """The least interval at which ``feed`` may be fetched from ``urls``.

    A mirror is its owner's: it may be asked as often as one likes.

    >>> fair_interval("urlhaus", ["https://mirror.example/urlhaus.csv"])
    datetime.timedelta(0)
    """
    return FAIR_INTERVALS[feed] if any(map(is_abusech, urls)) else timedelta()
