"""What differs between two sets is told once, as what it is."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from foxhunt.indicators import Indicator, IndicatorSet
from foxhunt.indicators.changes import Changes, Kind

from .indicator_samples import FIRST, indicator, seen


def values(changes: Changes, kind: Kind) -> list[str]:
    return [change.indicator.source_id for change in changes.of(kind)]


def test_each_indicator_is_one_kind_of_change() -> None:
    before = IndicatorSet.of([indicator("1"), indicator("2"), indicator("3"), indicator("4")])
    after = IndicatorSet.of(
        [indicator("1"), seen("2", 3), seen("3", 1, tags=("a",)), indicator("5")]
    )

    changes = Changes(before, after)

    assert {kind: values(changes, kind) for kind in Kind} == {
        Kind.NEW: ["5"],
        Kind.GONE: ["4"],
        Kind.CHANGED: ["3"],
        Kind.RE_SEEN: ["2"],
    }
    assert changes.counts == dict.fromkeys(Kind, 1)
    assert changes.unchanged == 1
    (changed,) = changes.of(Kind.CHANGED)
    assert changed.fields == {
        "tags": ((), ("a",)),
        "last_seen": (None, seen("3", 1).last_seen),
    }


def test_the_same_id_of_two_feeds_is_two_indicators() -> None:
    before = IndicatorSet.of([indicator("1", source="a"), indicator("1", source="b")])

    changes = Changes(before, IndicatorSet.of([indicator("1", source="b")]))

    assert values(changes, Kind.GONE) == ["1"]
    assert changes.unchanged == 1


def test_a_limit_bounds_what_is_read_and_not_what_is_counted() -> None:
    changes = Changes(IndicatorSet.of(()), IndicatorSet.of(indicator(str(n)) for n in range(5)))

    assert len(list(changes.of(Kind.NEW, 2))) == 2
    assert changes.counts[Kind.NEW] == 5


RECORDS = st.builds(
    indicator,
    st.sampled_from("123456"),
    confidence_level=st.sampled_from([50, 75]),
    last_seen=st.sampled_from([None, FIRST]),
    reference=st.sampled_from([None, "", "https://x.org/"]),
    tags=st.sampled_from([(), ("a",), ("a", "b"), ("ab",)]),
)


@settings(max_examples=15)
@given(st.lists(RECORDS), st.lists(RECORDS))
def test_changes_are_what_plain_python_counts(
    older: list[Indicator], newer: list[Indicator]
) -> None:
    before, after = IndicatorSet.of(older), IndicatorSet.of(newer)
    changes = Changes(before, after)

    was, now = ({one.source_id: one for one in both} for both in (before, after))
    both = was.keys() & now.keys()
    differing = {
        key: {n for n in Indicator.__slots__ if getattr(was[key], n) != getattr(now[key], n)}
        for key in both
    }
    assert set(values(changes, Kind.NEW)) == now.keys() - both
    assert set(values(changes, Kind.GONE)) == was.keys() - both
    assert set(values(changes, Kind.RE_SEEN)) == {k for k in both if differing[k] == {"last_seen"}}
    assert set(values(changes, Kind.CHANGED)) == {k for k in both if differing[k] - {"last_seen"}}
    for change in (*changes.of(Kind.CHANGED), *changes.of(Kind.RE_SEEN)):
        assert change.fields.keys() == differing[change.indicator.source_id]
