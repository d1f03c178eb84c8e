"""A set that is read from a snapshot piece by piece is the set that was written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.indicators import IndicatorSet, IndicatorType, Quarantined
from foxhunt.indicators import snapshot as snapshot_module
from foxhunt.indicators.snapshot import decode, encode
from foxhunt.snapshot_files import snapshot_name
from tests.families import indicator

COUNT = 30
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def written(refused: int) -> IndicatorSet:
    """Thirty indicators, and some quarantined records."""
    return IndicatorSet.of(
        [
            indicator(IndicatorType.DOMAIN, f"d{n:02}.evil.com", n, tags=(str(n),))
            for n in range(COUNT)
        ],
        [
            Quarantined(source_id=str(n), value=f"bad {n}", type="domain", reason="H101: bad")
            for n in range(refused)
        ],
    )


def read(whole: IndicatorSet, rows_a_group: int, monkeypatch: pytest.MonkeyPatch) -> IndicatorSet:
    monkeypatch.setattr(snapshot_module, "_ROW_GROUP", rows_a_group)
    data = encode(whole)
    return decode(data, snapshot_name(data, NOW))


@pytest.mark.parametrize("refused", [0, 1, 9])
@pytest.mark.parametrize("rows_a_group", [1, 4, 7, 100])
def test_all_that_was_written_is_read(
    monkeypatch: pytest.MonkeyPatch, rows_a_group: int, refused: int
) -> None:
    whole = written(refused)

    assert read(whole, rows_a_group, monkeypatch).quarantined == whole.quarantined
    assert (
        read(whole, rows_a_group, monkeypatch)
        .select("value", "tags")
        .equals(whole.select("value", "tags"))
    )
    assert len(read(whole, rows_a_group, monkeypatch)) == COUNT
    assert read(whole, rows_a_group, monkeypatch) == whole


@given(
    positions=st.lists(st.integers(0, COUNT - 1), max_size=8),
    rows_a_group=st.sampled_from([1, 4, 7, 100]),
    refused=st.sampled_from([0, 3]),
)
def test_some_rows_are_those_of_the_whole_in_the_order_asked(
    positions: list[int], rows_a_group: int, refused: int
) -> None:
    whole = written(refused)
    with pytest.MonkeyPatch.context() as monkeypatch:
        some = read(whole, rows_a_group, monkeypatch)
    listed = list(whole)

    assert some.take(positions) == {at: listed[at] for at in positions}
    assert list(some.subset(positions)) == [listed[at] for at in positions]
    assert [some[at] for at in positions] == [listed[at] for at in positions]
