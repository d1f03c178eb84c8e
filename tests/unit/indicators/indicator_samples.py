"""Indicators for the tests of sets and of the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from foxhunt.indicators import Indicator, IndicatorSet, IndicatorType, Quarantined

FIRST = datetime(2026, 5, 24, 12, tzinfo=UTC)


def indicator(source_id: str, **changes: Any) -> Indicator:  # Any: fields of several types
    """A domain indicator named after its id, with ``changes``."""
    fields: dict[str, Any] = {
        "type": IndicatorType.DOMAIN,
        "value": f"c{source_id}.evil.org",
        "source": "threatfox",
        "source_id": source_id,
        "threat_type": "botnet_cc",
        "malware": "win.fox",
        "malware_printable": "Fox",
        "confidence_level": 75,
        "first_seen": FIRST,
    }
    return Indicator(**(fields | changes))


def seen(source_id: str, days: int, **changes: Any) -> Indicator:  # Any: as in `indicator`
    """Likewise, last seen ``days`` after its first."""
    return indicator(source_id, last_seen=FIRST + timedelta(days=days), **changes)


def refused(source_id: str, value: str = "10.0.0.1:80") -> Quarantined:
    """A record that is no indicator."""
    return Quarantined(source_id, value, "ip:port", "H102: not a public address")


def numbered(start: int, stop: int) -> IndicatorSet:
    """Indicators of the ids from ``start`` to before ``stop``."""
    return IndicatorSet.of(indicator(str(number)) for number in range(start, stop))


def ids(indicators: IndicatorSet) -> set[str]:
    """The ids of a set."""
    return {found.source_id for found in indicators}
