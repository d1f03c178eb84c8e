"""Alarms: what is doubted, what is only warned of, and what real exports never set off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.errors import UsageError
from foxhunt.feeds.health import (
    alike,
    is_stale,
    judge,
    judge_file,
    key_expiry,
    measured,
    staleness,
)
from foxhunt.feeds.ledger import Alarm, AlarmKind, Part, PastPart
from foxhunt.feeds.reading import read_file

from .feed_samples import export, read_bytes, record

NOW = datetime(2026, 7, 14, 12, tzinfo=UTC)
PART = Part(way="recent", name="recent", read=4500, quarantined=1)


def past(*parts: Part, accepted: int | None = None) -> tuple[PastPart, ...]:
    """A history, the newest first; ``accepted`` is the position of an accepted one."""
    return tuple(
        PastPart(began=NOW, is_accepted=number == accepted, part=part)
        for number, part in enumerate(parts)
    )


def counts(*reads: int, accepted: int | None = None) -> tuple[PastPart, ...]:
    return past(*(replace(PART, read=read) for read in reads), accepted=accepted)


def kinds(alarms: Sequence[Alarm]) -> list[AlarmKind]:
    return [alarm.kind for alarm in alarms]


def test_the_first_answer_is_judged_by_itself_alone() -> None:
    assert judge(PART, ()) == ()
    assert judge(replace(PART, read=3, quarantined=0), ()) == ()


@pytest.mark.parametrize(
    ("read", "earlier", "is_doubted"),
    [
        (4500, (4500,), False),
        (2250, (4500,), False),
        (2249, (4500,), True),
        (9000, (4500,), False),
        (9001, (4500,), True),
        (4140, (5300, 4000, 5014), False),
        (100, (4500,) * 12, True),
        (10, (100,), False),  # so few that chance does it
        (150, (60,), False),
        (221, (110,), True),
        (50, (40_000, 60, 55), False),  # one wild count among the earlier ones is no measure
    ],
)
def test_a_count_that_falls_below_half_or_jumps_above_double_is_doubted(
    read: int, earlier: tuple[int, ...], is_doubted: bool
) -> None:
    alarms = judge(replace(PART, read=read, quarantined=0), counts(*earlier))

    assert kinds(alarms) == [AlarmKind.COUNT] * is_doubted
    assert all(alarm.is_doubt for alarm in alarms)


def test_only_the_last_ten_counts_are_the_measure() -> None:
    assert judge(replace(PART, read=1000), counts(*[1000] * 10, *[9000] * 10)) == ()


def test_an_accepted_count_is_the_new_measure_at_once() -> None:
    assert judge(replace(PART, read=1000), counts(1000, 4500, 4500, accepted=0)) == ()
    assert kinds(judge(replace(PART, read=4500), counts(1000, 4500, 4500, accepted=0))) == [
        AlarmKind.COUNT
    ]


@pytest.mark.parametrize("way", ["recent", "full", "full-keyed"])
def test_an_export_of_nothing_is_doubted_without_any_history(way: str) -> None:
    assert kinds(judge(replace(PART, way=way, read=0, quarantined=0), ())) == [AlarmKind.COUNT]


def test_an_answer_without_new_indicators_is_none_to_doubt() -> None:
    assert judge(replace(PART, way="get_iocs-3", read=0, quarantined=0), ()) == ()


@pytest.mark.parametrize(
    ("read", "quarantined", "is_doubted"),
    [(4500, 45, False), (4500, 46, True), (100, 1, False), (20, 1, False), (20, 2, True)],
)
def test_more_than_one_percent_rejected_is_doubted(
    read: int, quarantined: int, is_doubted: bool
) -> None:
    alarms = judge(replace(PART, read=read, quarantined=quarantined), ())

    assert kinds(alarms) == [AlarmKind.REJECTED] * is_doubted


def test_an_accepted_share_may_grow_by_half_before_it_is_doubted_again() -> None:
    accepted = past(replace(PART, read=1000, quarantined=100), accepted=0)

    assert judge(replace(PART, read=1000, quarantined=150), accepted) == ()
    assert kinds(judge(replace(PART, read=1000, quarantined=151), accepted)) == [AlarmKind.REJECTED]


def test_columns_are_doubted_until_they_were_taken_once() -> None:
    part = replace(PART, unknown_columns=("severity",), missing_columns=("tags",))
    (alarm,) = judge(part, past(PART))

    assert alarm.message == (
        "recent: no record has tags; columns that foxhunt does not know: severity"
    )
    assert judge(part, past(part, PART, accepted=0)) == ()
    assert judge(PART, past(part, accepted=0)) == (), "and may come back"


def test_many_unknown_columns_are_named_in_part() -> None:
    (alarm,) = judge(replace(PART, unknown_columns=tuple(f"c{n}" for n in range(50))), ())

    assert alarm.message.endswith("c0, c1, c10, c11, c12 and 45 more")


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({}, ()),
        ({"tags": ...}, ("tags",)),
        ({"tags": ""}, ("tags",)),
        ({"reporter": None}, ("reporter",)),
        ({"confidence_level": ...}, ("confidence_level",)),
        ({"threat_type": ...}, ("threat_type",)),
        ({"malware_printable": ...}, ("malware_printable",)),
        ({"is_compromised": ...}, ("is_compromised",)),
        ({"last_seen_utc": None}, ("last_seen",)),
        ({"reference": None, "malware_alias": "None"}, ("malware_alias", "reference")),
    ],
)
def test_a_column_that_no_record_fills_is_missing(
    changes: dict[str, Any], missing: tuple[str, ...]
) -> None:
    filled = {"last_seen_utc": "2026-07-01 00:00:00", "reference": "x", "malware_alias": "Fox"}
    records = [
        record(**{**filled, **changes, "ioc_value": f"n{number}.evil.org"}) for number in range(100)
    ]

    assert measured("recent", read_bytes(export(*records))).missing_columns == missing
    assert measured("recent", read_bytes(export(*records[1:]))).missing_columns == ()
    mixed = [record(**filled, ioc_value="a.evil.org"), *records]
    assert measured("recent", read_bytes(export(*mixed))).missing_columns == ()


def test_what_is_new_need_not_have_been_seen_again() -> None:
    fields = {"reference": "x", "malware_alias": "Fox", "last_seen_utc": None}
    records = [record(**fields, ioc_value=f"n{number}.evil.org") for number in range(100)]

    assert measured("get_iocs-3", read_bytes(export(*records))).missing_columns == ()


def test_an_archived_file_is_warned_of_and_never_doubted() -> None:
    part = replace(PART, way="file", read=10, quarantined=9, unknown_columns=("source_file",))

    alarms = judge_file(part, ["threatfox"], NOW - timedelta(days=9), NOW)

    assert kinds(alarms) == [AlarmKind.COLUMNS, AlarmKind.REJECTED, AlarmKind.STALE]
    assert not any(alarm.is_doubt for alarm in alarms)
    assert judge_file(replace(PART, way="file", read=0, quarantined=0), [], None, NOW) == ()


@pytest.mark.parametrize(
    ("source", "is_warned"),
    [("threatfox", True), ("urlhaus", True), ("sslbl", False), ("our-misp", False)],
)
def test_the_age_of_a_file_is_told_if_its_feed_never_rests(source: str, is_warned: bool) -> None:
    alarms = judge_file(replace(PART, way="file"), [source], NOW - timedelta(days=9), NOW)

    assert kinds(alarms) == [AlarmKind.STALE] * is_warned


@pytest.mark.parametrize(
    ("way", "is_doubt"),
    [
        ("recent", True),
        ("full", True),
        ("full-keyed", True),
        ("urlhaus", True),
        ("malwarebazaar", True),
        ("feodotracker", False),
        ("sslbl", False),
        ("get_iocs-2", None),  # it holds what is new, which may be nothing
    ],
)
def test_a_feed_that_stands_still_is_doubted_where_it_never_rests(
    way: str, is_doubt: bool | None
) -> None:
    alarm = staleness(replace(PART, way=way), NOW - timedelta(days=9), NOW)

    assert (alarm.is_doubt if alarm else None) is is_doubt
    assert staleness(replace(PART, way=way), NOW - timedelta(hours=23), NOW) is None


@pytest.mark.parametrize(("hours", "is_old"), [(-1, False), (24, False), (24.01, True)])
def test_stale_is_what_is_older_than_24_hours(hours: float, is_old: bool) -> None:
    newest = NOW - timedelta(hours=hours)

    assert is_stale(newest, NOW) is is_old
    assert (staleness(PART, newest, NOW) is not None) is is_old


def test_without_an_indicator_there_is_no_age() -> None:
    assert staleness(PART, None, NOW) is None


@pytest.mark.parametrize("feed", ["urlhaus", "malwarebazaar"])
def test_a_file_of_nothing_is_doubted_where_the_feed_never_rests(feed: str) -> None:
    empty = replace(PART, way=feed, read=0, quarantined=0)

    assert kinds(judge(empty, ())) == [AlarmKind.COUNT]
    assert judge(replace(empty, way="feodotracker"), ()) == ()


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (15, None),
        (14, "expires on"),
        (1, "expires on"),
        (0, "has expired on"),
        (-9, "has expired on"),
    ],
)
def test_a_key_is_warned_of_two_weeks_before_its_end_and_doubted_after_it(
    days: int, said: str | None
) -> None:
    day = date(2026, 7, 14) + timedelta(days=days)

    alarm = key_expiry({"FOXHUNT_THREATFOX_KEY_EXPIRES": f" {day} "}, NOW)

    assert (alarm.message if alarm else None) == (f"the key {said} {day}" if said else None)
    assert alarm is None or alarm.is_doubt is (days <= 0)


def test_a_key_of_which_nothing_is_said_is_not_warned_of() -> None:
    assert key_expiry({}, NOW) is None
    with pytest.raises(UsageError, match="is no day"):
        key_expiry({"FOXHUNT_THREATFOX_KEY_EXPIRES": "next year"}, NOW)


def test_both_forms_of_the_full_dump_are_compared_with_each_other() -> None:
    assert set(alike("full")) == set(alike("full-keyed")) == {"full", "full-keyed"}
    assert alike("recent") == ("recent",)


@given(st.integers(0, 10_000), st.lists(st.integers(0, 10_000), max_size=20))
def test_what_was_accepted_sets_off_no_alarm_when_it_comes_again(
    read: int, earlier: list[int]
) -> None:
    part = replace(
        PART,
        way="get_iocs-2",
        read=read,
        quarantined=read // 3,
        unknown_columns=("a",),
        missing_columns=("tags",),
    )

    assert judge(part, (*past(part, accepted=0), *counts(*earlier))) == ()


def test_the_csv_of_march_sets_off_no_alarm(shared_data: Path) -> None:
    path = shared_data / "threatfox" / "csv" / "threatfox_recent_20260315.csv"

    assert judge(measured("full-keyed", read_file(str(path))), ()) == ()
