"""What a newer set changes in an older one, counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.indicators import Difference, Indicator, IndicatorSet

from .indicator_samples import ids, indicator, seen

OLD = IndicatorSet.of([seen("1", 5, tags=("a", "b"))])


@pytest.mark.parametrize(
    ("newer", "expected"),
    [
        (seen("2", 5), Difference(new=1)),
        (seen("1", 5, tags=("a", "b")), Difference(unchanged=1)),
        (seen("1", 6, tags=("a", "b")), Difference(re_seen=1)),
        (seen("1", 5, tags=("a",)), Difference(changed=1)),
        (seen("1", 5, tags=("a", "b"), reporter="x"), Difference(changed=1)),
        (seen("1", 6, tags=("a", "b"), is_compromised=False), Difference(changed=1)),
        (seen("1", 4, tags=("a", "b")), Difference(older=1)),
        (indicator("1", tags=("a", "b")), Difference(older=1)),
    ],
)
def test_each_kind_of_difference_is_counted_as_itself(
    newer: Indicator, expected: Difference
) -> None:
    assert OLD.difference(IndicatorSet.of([newer])) == expected


def test_nothing_differs_from_nothing() -> None:
    empty = IndicatorSet.of(())

    assert empty.difference(empty) == Difference()
    assert empty.difference(OLD) == Difference(new=1)
    assert OLD.difference(empty) == Difference()


RECORDS = st.lists(
    st.builds(
        lambda number, days, reporter: seen(str(number), days, reporter=reporter),
        st.integers(0, 6),
        st.integers(0, 3),
        st.sampled_from([None, "a", "b"]),
    ),
    max_size=12,
)


def reference(records: list[Indicator]) -> set[Indicator]:
    """The rule in the plainest code: later activity wins, then the later record."""
    latest: dict[str, Indicator] = {}
    for record in records:
        known = latest.get(record.source_id)
        if known is None or (record.last_seen or record.first_seen) >= (
            known.last_seen or known.first_seen
        ):
            latest[record.source_id] = record
    return set(latest.values())


@given(RECORDS, RECORDS)
def test_merging_agrees_with_the_plain_rule_and_the_counts_add_up(
    old: list[Indicator], new: list[Indicator]
) -> None:
    base, newer = IndicatorSet.of(old), IndicatorSet.of(new)

    merged, difference = base.merged(newer), base.difference(newer)

    assert set(base) == reference(old)
    assert set(merged) == reference(old + new)
    assert ids(merged) == ids(base) | ids(newer)
    assert difference.new == len(merged) - len(base)
    known = set(base) & set(newer)
    assert difference.unchanged == len(known)
    counts = (difference.new, difference.re_seen, difference.changed, difference.older)
    assert sum(counts) + difference.unchanged == len(newer)
    assert (merged.table.equals(base.table)) == (difference.older + len(known) == len(newer))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        *(("7", "07"), ("07", "7"), ("0", "00"), ("v:7", "7"), ("7", "v:7")),
        *(("9" * 20, "9" * 21), (str(2**63), "7"), (str(2**64 + 7), "7"), ("-7", "7"), ("7", "+7")),
    ],
)
def test_ids_that_look_like_one_number_are_two_identities(old: str, new: str) -> None:
    """Ids that are numbers are looked up as numbers."""
    older, newer = IndicatorSet.of([seen(old, 5)]), IndicatorSet.of([seen(new, 5)])

    assert older.difference(newer) == Difference(new=1)
    assert ids(older.merged(newer)) == {old, new}
    assert ids(IndicatorSet.of([seen(old, 5), seen(new, 5)])) == {old, new}


def test_one_number_of_two_feeds_is_two_identities() -> None:
    older = IndicatorSet.of([seen("7", 5)])
    newer = IndicatorSet.of([seen("7", 6, source="urlhaus")])

    assert older.difference(newer) == Difference(new=1)
    assert len(older.merged(newer)) == 2
    assert len(older.merged(newer).merged(IndicatorSet.of([seen("7", 7)]))) == 2
