"""What left the feed: told apart by the feed's own dates, and never by absence alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from foxhunt.feeds.activity import Departures, gone_from_full, gone_from_recent, newest_activity
from foxhunt.indicators import Indicator, IndicatorSet, IndicatorType, Quarantined

NOW = datetime(2026, 7, 14, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def indicator(
    source_id: str, first: datetime, last: datetime | None = None, source: str = "threatfox"
) -> Indicator:
    return Indicator(
        type=IndicatorType.DOMAIN,
        value=f"n{source_id.replace(':', '')}.evil.org",
        source=source,
        source_id=source_id,
        threat_type="botnet_cc",
        malware="win.fox",
        malware_printable="Fox",
        confidence_level=100,
        first_seen=first,
        last_seen=last,
    )


def set_of(*indicators: Indicator) -> IndicatorSet:
    return IndicatorSet.of(indicators)


PRESENT = indicator("1", NOW - HOUR)


def full(*base: Indicator, read: IndicatorSet | None = None) -> Departures:
    return gone_from_full(set_of(PRESENT, *base).table, read or set_of(PRESENT), NOW)


def recent(*base: Indicator, read: IndicatorSet | None = None) -> Departures:
    return gone_from_recent(set_of(PRESENT, *base).table, read or set_of(PRESENT), NOW)


def test_what_is_there_has_not_left() -> None:
    assert full() == Departures(expired=0, retracted=0)
    assert recent() == Departures(expired=None, retracted=0)


def test_six_months_without_activity_is_expired_anything_younger_retracted() -> None:
    gone = full(
        indicator("2", NOW - 400 * DAY),
        indicator("3", NOW - 400 * DAY, NOW - 182 * DAY),
        indicator("4", NOW - 400 * DAY, NOW - 170 * DAY),
        indicator("5", NOW - 2 * HOUR),
    )

    assert (gone.expired, gone.retracted) == (2, 2)
    assert gone.examples == ("n5.evil.org", "n4.evil.org")


def test_what_was_active_after_the_dump_was_made_is_not_judged() -> None:
    assert full(indicator("2", NOW - 400 * DAY, NOW - HOUR / 2)).retracted == 0


def test_only_what_the_dates_put_into_the_window_is_missed_in_a_recent_export() -> None:
    gone = recent(
        indicator("2", NOW - 60 * HOUR),
        indicator("3", NOW - 60 * HOUR, NOW - 49 * HOUR),
        indicator("4", NOW - 60 * HOUR, NOW - 40 * HOUR),
        indicator("5", NOW - HOUR / 2),
    )

    assert (gone.expired, gone.examples) == (None, ("n4.evil.org",))


def test_what_is_quarantined_now_has_not_left() -> None:
    read = IndicatorSet(
        set_of(PRESENT).table, (Quarantined("2", "x.local", "domain", "H102: reserved name"),)
    )

    assert full(indicator("2", NOW - 2 * HOUR), read=read).retracted == 0
    assert recent(indicator("2", NOW - 2 * HOUR), read=read).retracted == 0


def test_another_feed_and_records_without_an_id_are_not_missed() -> None:
    gone = full(
        indicator("2", NOW - 2 * HOUR, source="urlhaus"),
        indicator("v:00112233aabbccdd", NOW - 2 * HOUR),
    )

    assert (gone.expired, gone.retracted) == (0, 0)


def test_an_empty_answer_says_nothing_about_the_store() -> None:
    empty = set_of()

    assert full(indicator("2", NOW), read=empty) == Departures(expired=0, retracted=0)
    assert recent(indicator("2", NOW), read=empty) == Departures(expired=None, retracted=0)


def test_many_are_counted_and_ten_of_them_named() -> None:
    gone = full(
        *(indicator(str(n), NOW - 2 * HOUR - n * timedelta(minutes=1)) for n in range(2, 50))
    )

    assert gone.retracted == 48
    assert gone.examples[:2] == ("n2.evil.org", "n3.evil.org")
    assert len(gone.examples) == 10


def test_a_record_of_the_future_is_not_the_newest() -> None:
    """It would hide that everything else is old, and shift the window of the recent export."""
    table = set_of(indicator("2", NOW - 30 * HOUR), indicator("3", NOW + 400 * DAY)).table

    assert newest_activity(table, NOW) == NOW - 30 * HOUR
    assert newest_activity(set_of().table, NOW) is None
