"""What an indicator must be to exist at all."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from foxhunt.indicators import Indicator, IndicatorType

INDICATOR = Indicator(
    type=IndicatorType.DOMAIN,
    value="texornacu.com",
    source="threatfox",
    source_id="1",
    threat_type="botnet_cc",
    malware="win.fox",
    malware_printable="Fox",
    confidence_level=100,
    first_seen=datetime(2026, 5, 24, tzinfo=UTC),
)


def test_types_are_spelled_as_threatfox_does() -> None:
    """The closed list of its ``types`` query, 2026."""
    assert [str(type_) for type_ in IndicatorType] == [
        "ip:port",
        "domain",
        "url",
        "md5_hash",
        "sha1_hash",
        "sha256_hash",
        "sha3_384_hash",
        "envelope_from",
        "body_from",
    ]


def test_four_types_are_hashes_and_three_are_shown_by_no_table() -> None:
    hashes = {type_ for type_ in IndicatorType if type_.is_hash}
    unseen = {type_ for type_ in IndicatorType if not type_.is_huntable}

    assert {str(type_) for type_ in hashes} == {
        "md5_hash",
        "sha1_hash",
        "sha256_hash",
        "sha3_384_hash",
    }
    assert {str(type_) for type_ in unseen} == {"sha3_384_hash", "envelope_from", "body_from"}


@pytest.mark.parametrize("confidence_level", [0, 100])
def test_confidence_is_inclusive_at_both_ends(confidence_level: int) -> None:
    one = replace(INDICATOR, confidence_level=confidence_level)

    assert one.confidence_level == confidence_level


@pytest.mark.parametrize("confidence_level", [-1, 101])
def test_confidence_beyond_is_refused(confidence_level: int) -> None:
    with pytest.raises(ValueError, match=f"0..100, got {confidence_level}"):
        replace(INDICATOR, confidence_level=confidence_level)


@pytest.mark.parametrize(
    "time",
    [datetime(2026, 5, 24), datetime(2026, 5, 24, tzinfo=timezone(timedelta(hours=2)))],
    ids=["naive", "local"],
)
def test_a_time_that_is_not_utc_is_refused_where_it_is_made(time: datetime) -> None:
    with pytest.raises(ValueError, match="first_seen must be aware UTC"):
        replace(INDICATOR, first_seen=time)
    with pytest.raises(ValueError, match="last_seen must be aware UTC"):
        replace(INDICATOR, last_seen=time)


def test_an_indicator_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        INDICATOR.value = "other.com"  # type: ignore[misc]  # the assignment under test
