"""Indicators and sets of them, written in one line for the tests."""

from __future__ import annotations

from datetime import UTC, datetime

from foxhunt.indicators import Indicator, IndicatorSet, IndicatorType, parse

FIRST_SEEN = datetime(2026, 5, 24, tzinfo=UTC)


def indicator(
    type_: IndicatorType,
    value: str,
    *,
    source_id: str = "1",
    malware: str = "win.fox",
    malware_printable: str = "Fox",
    confidence_level: int = 100,
    first_seen: datetime = FIRST_SEEN,
    last_seen: datetime | None = None,
) -> Indicator:
    """An indicator of ThreatFox whose value is parsed as a feed's would be."""
    return Indicator(
        type=type_,
        value=parse(value, type_),
        source="threatfox",
        source_id=source_id,
        threat_type="botnet_cc",
        malware=malware,
        malware_printable=malware_printable,
        confidence_level=confidence_level,
        first_seen=first_seen,
        last_seen=last_seen,
    )


def indicator_set(*typed: tuple[IndicatorType, str]) -> IndicatorSet:
    """A set of one family; ids are the places in ``typed`` from 1."""
    return IndicatorSet.of(
        indicator(type_, value, source_id=str(number))
        for number, (type_, value) in enumerate(typed, start=1)
    )
