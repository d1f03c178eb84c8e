"""R6 at its exact borders, verdicts in their order, and the whole severity table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from foxhunt.findings import MatchKind, Severity, ValidityPolicy, Verdict, severity_of, verdict_of
from foxhunt.indicators import IndicatorType
from tests.families import FIRST_SEEN, indicator

POLICY = ValidityPolicy()
TICK = timedelta(microseconds=1)
LIFETIMES = [
    (IndicatorType.IP_PORT, "45.137.22.7:443", timedelta(days=90)),
    (IndicatorType.DOMAIN, "texornacu.com", timedelta(days=180)),
    (IndicatorType.URL, "http://evil.org/", timedelta(days=180)),
]
HASHES = [
    (IndicatorType.MD5, "ab" * 16),
    (IndicatorType.SHA1, "ab" * 20),
    (IndicatorType.SHA256, "ab" * 32),
]


@pytest.mark.parametrize(("type_", "value", "lifetime"), LIFETIMES)
@pytest.mark.parametrize("last_seen_after", [None, timedelta(days=10), timedelta(days=-10)])
def test_r6_both_ends_of_validity_are_inclusive(
    type_: IndicatorType, value: str, lifetime: timedelta, last_seen_after: timedelta | None
) -> None:
    """A ``last_seen`` before ``first_seen`` does not shorten it: the later of both counts."""
    last_seen = None if last_seen_after is None else FIRST_SEEN + last_seen_after
    one = indicator(type_, value, last_seen=last_seen)
    first = FIRST_SEEN - timedelta(days=30)
    last = max(FIRST_SEEN, last_seen or FIRST_SEEN) + lifetime

    assert POLICY.covers(one, first)
    assert not POLICY.covers(one, first - TICK)
    assert POLICY.covers(one, last)
    assert not POLICY.covers(one, last + TICK)


@pytest.mark.parametrize(("type_", "value"), HASHES)
def test_r6_a_hash_ages_in_neither_direction(type_: IndicatorType, value: str) -> None:
    one = indicator(type_, value)

    assert POLICY.covers(one, datetime(1, 1, 1, tzinfo=UTC))
    assert POLICY.covers(one, datetime(9999, 12, 31, tzinfo=UTC))


def test_r6_the_policy_can_be_another_one() -> None:
    policy = ValidityPolicy(lead=timedelta(0), lifetimes={IndicatorType.SHA256: timedelta(days=1)})
    domain, sha256 = (
        indicator(IndicatorType.DOMAIN, "texornacu.com"),
        indicator(IndicatorType.SHA256, "ab" * 32),
    )

    assert policy.covers(domain, FIRST_SEEN + timedelta(days=4_000))
    assert policy.covers(sha256, FIRST_SEEN + timedelta(days=1))
    assert not policy.covers(sha256, FIRST_SEEN + timedelta(days=1) + TICK)
    assert not policy.covers(sha256, FIRST_SEEN - TICK)


def test_r6_the_policy_says_in_words_what_it_does() -> None:
    assert POLICY.describe() == (
        "ip:port: from 30 days before first seen to 90 days after last seen",
        "domain: from 30 days before first seen to 180 days after last seen",
        "url: from 30 days before first seen to 180 days after last seen",
        "md5_hash: does not age",
        "sha1_hash: does not age",
        "sha256_hash: does not age",
    )


@pytest.mark.parametrize(
    ("age", "is_inbound", "expected"),
    [
        (timedelta(days=1), False, Verdict.OPEN),
        (timedelta(days=1), True, Verdict.INBOUND),
        # The first that applies (DESIGN 4): an old scan is stale, not inbound.
        (timedelta(days=91), True, Verdict.STALE),
        (timedelta(days=91), False, Verdict.STALE),
    ],
)
def test_verdicts_before_any_exclusion(age: timedelta, is_inbound: bool, expected: Verdict) -> None:
    one = indicator(IndicatorType.IP_PORT, "45.137.22.7:443")

    found = verdict_of(one, FIRST_SEEN + age, is_inbound=is_inbound, policy=POLICY)

    assert found is expected


def test_verdicts_and_severities_are_in_order_of_weight() -> None:
    assert [str(v) for v in sorted(Verdict, key=lambda v: v.rank)] == [
        *("open", "inbound", "stale", "suppressed"),
    ]
    assert [str(s) for s in sorted(Severity, key=lambda s: s.rank)] == [
        *("high", "medium", "low", "info"),
    ]


# Strong or weak, blocked or not; severity at confidence 100 to 75, 74 to 50, 49 to 0.
SEVERITIES = {
    (True, False): ("high", "medium", "low"),
    (True, True): ("medium", "low", "info"),
    (False, False): ("medium", "low", "info"),
    (False, True): ("low", "info", "info"),
}
BANDS = [range(75, 101), range(50, 75), range(50)]


@pytest.mark.parametrize("kind", list(MatchKind))
@pytest.mark.parametrize("is_blocked", [False, True])
def test_the_whole_table_of_severities(kind: MatchKind, is_blocked: bool) -> None:
    """Every match, every confidence; docs/SEMANTICS.md prints this table."""
    for band, expected in zip(BANDS, SEVERITIES[kind.is_strong, is_blocked], strict=True):
        found = {str(severity_of(kind, level, is_blocked=is_blocked)) for level in band}
        assert found == {expected}


def test_an_old_indicator_with_one_event_today_is_judged_by_the_events_own_time() -> None:
    """DESIGN 1: an indicator from 2021 must not fire on an event from 2026, nor the reverse."""
    old = indicator(
        IndicatorType.DOMAIN, "texornacu.com", first_seen=datetime(2021, 3, 1, tzinfo=UTC)
    )

    assert POLICY.covers(old, datetime(2021, 4, 1, tzinfo=UTC))
    assert not POLICY.covers(old, datetime(2026, 4, 1, tzinfo=UTC))
