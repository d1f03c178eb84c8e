"""Which way closes a gap: at each border the cheapest that does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.feeds.plan import Plan, Way, plan_sync

NOW = datetime(2026, 7, 14, 8, 24, 11, tzinfo=UTC)
NAIVE = NOW.replace(tzinfo=None)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
BOTH = (Way.GET_IOCS, Way.RECENT)


@pytest.mark.parametrize(
    ("gap", "ways", "days"),
    [
        (timedelta(), (Way.RECENT,), None),
        (HOUR, (Way.RECENT,), None),
        (47 * HOUR, (Way.RECENT,), None),
        (47 * HOUR + SECOND, BOTH, 3),
        (3 * DAY - HOUR, BOTH, 3),
        (3 * DAY - HOUR + SECOND, BOTH, 4),
        (7 * DAY - HOUR, BOTH, 7),
        (7 * DAY - HOUR + SECOND, (Way.FULL_KEYED,), None),
        (365 * DAY, (Way.FULL_KEYED,), None),
    ],
)
def test_the_cheapest_way_that_closes_the_gap(
    gap: timedelta, ways: tuple[Way, ...], days: int | None
) -> None:
    plan = plan_sync(NOW, NOW - gap, has_key=True)

    assert (plan.ways, plan.days, plan.gap) == (ways, days, gap)
    assert plan.reason


@pytest.mark.parametrize(
    ("gap", "way"),
    [(HOUR, Way.RECENT), (47 * HOUR, Way.RECENT), (48 * HOUR, Way.FULL), (30 * DAY, Way.FULL)],
)
def test_without_a_key_nothing_that_needs_one_is_planned(gap: timedelta, way: Way) -> None:
    assert plan_sync(NOW, NOW - gap, has_key=False).ways == (way,)


@pytest.mark.parametrize(("has_key", "way"), [(True, Way.FULL_KEYED), (False, Way.FULL)])
def test_the_first_sync_takes_everything(has_key: bool, way: Way) -> None:
    plan = plan_sync(NOW, None, has_key=has_key)

    assert (plan.ways, plan.gap) == ((way,), None)


def test_clocks_that_differ_a_little_are_no_matter() -> None:
    plan = plan_sync(NOW, NOW + timedelta(minutes=5), has_key=True)

    assert (plan.ways, plan.gap) == ((Way.RECENT,), timedelta())


def test_a_last_sync_in_the_future_is_not_believed() -> None:
    plan = plan_sync(NOW, NOW + DAY, has_key=True)

    assert plan.ways == (Way.FULL_KEYED,)
    assert "future" in plan.reason


def test_time_zones_do_not_matter() -> None:
    last = (NOW - HOUR).astimezone(timezone(timedelta(hours=9)))

    assert plan_sync(NOW, last, has_key=False).gap == HOUR


@pytest.mark.parametrize(("now", "last"), [(NAIVE, None), (NOW, NAIVE)])
def test_naive_times_are_refused(now: datetime, last: datetime | None) -> None:
    with pytest.raises(ValueError, match="aware"):
        plan_sync(now, last, has_key=True)


def test_a_plan_without_its_days_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="days"):
        Plan(ways=(Way.GET_IOCS,), days=None, gap=None, reason="")


@given(st.timedeltas(timedelta(), 400 * DAY), st.booleans())
def test_no_plan_leaves_a_gap_or_needs_a_key_that_is_not_there(
    gap: timedelta, has_key: bool
) -> None:
    plan = plan_sync(NOW, NOW - gap, has_key=has_key)

    reaches = {Way.RECENT: 47.8 * HOUR, Way.FULL: gap, Way.FULL_KEYED: gap}
    assert any(reaches.get(way, timedelta(days=plan.days or 0)) >= gap for way in plan.ways)
    assert plan.days is None or 1 <= plan.days <= 7
    assert has_key or not {Way.GET_IOCS, Way.FULL_KEYED} & set(plan.ways)
