"""Sets of indicators: order, identity, what a filter keeps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from foxhunt.indicators import (
    Indicator,
    IndicatorSet,
    IndicatorType,
    Retraction,
    matches_family,
)

from .indicator_samples import FIRST, ids, indicator, numbered, refused, seen

FULL = indicator(
    "7",
    malware_alias=("Vulpes", "Reynard"),
    last_seen=FIRST + timedelta(days=3, microseconds=1),
    reference="https://example.org/?a='\"\\",
    reporter="somebody",
    tags=("a", "b c", "\x00\n"),
    is_compromised=True,
)


def test_an_indicator_comes_back_with_every_field() -> None:
    assert list(IndicatorSet.of([FULL])) == [FULL]


def test_an_indicator_without_optional_fields_comes_back() -> None:
    assert list(IndicatorSet.of([indicator("1")])) == [indicator("1")]


def test_equal_sets_are_equal_tables_whatever_order_they_came_in() -> None:
    some = [indicator(str(number)) for number in range(20)]

    assert IndicatorSet.of(some).table.equals(IndicatorSet.of(reversed(some)).table)


def test_order_is_by_type_value_source_and_id() -> None:
    values = [("2", "b.evil.org"), ("1", "b.evil.org"), ("3", "a.evil.org")]
    found = IndicatorSet.of(indicator(i, value=value) for i, value in values)

    assert [(x.value, x.source_id) for x in found] == [
        ("a.evil.org", "3"),
        ("b.evil.org", "1"),
        ("b.evil.org", "2"),
    ]


def test_one_value_under_two_ids_is_two_indicators() -> None:
    same = [indicator("1", value="x.evil.org"), indicator("2", value="x.evil.org")]

    assert len(IndicatorSet.of(same)) == 2


def test_one_id_of_two_feeds_is_two_indicators() -> None:
    assert len(IndicatorSet.of([indicator("1"), indicator("1", source="other")])) == 2


def test_of_one_identity_the_record_last_active_stays() -> None:
    (found,) = IndicatorSet.of([seen("1", 5), seen("1", 9), seen("1", 2), indicator("1")])

    assert found == seen("1", 9)


def test_of_equally_late_records_the_later_one_stays() -> None:
    (found,) = IndicatorSet.of([seen("1", 5, reporter="a"), seen("1", 5, reporter="b")])

    assert found.reporter == "b"


def test_a_set_larger_than_a_batch_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foxhunt.indicators.collection._BATCH", 7)

    assert ids(numbered(0, 50)) == {str(number) for number in range(50)}


def test_an_empty_set_is_a_set() -> None:
    empty = IndicatorSet.of(())

    assert len(empty) == 0
    assert list(empty) == []
    assert empty.families() == ()
    assert empty.by_type() == {}


def test_what_a_newer_set_does_not_have_stays() -> None:
    """ThreatFox drops indicators after six months; we keep them."""
    merged = numbered(0, 10).merged(numbered(8, 12))

    assert ids(merged) == {str(number) for number in range(12)}


def test_a_newer_record_replaces_and_an_older_one_does_not() -> None:
    old, new = IndicatorSet.of([seen("1", 3)]), IndicatorSet.of([seen("1", 4, reporter="x")])

    assert list(old.merged(new)) == [seen("1", 4, reporter="x")]
    assert list(new.merged(old)) == [seen("1", 4, reporter="x")]


def test_union_takes_the_latest_of_all_its_sets() -> None:
    sets = [IndicatorSet.of([seen("1", days), indicator(f"x{days}")]) for days in (2, 9, 4)]
    union = IndicatorSet.union(sets)

    assert ids(union) == {"1", "x2", "x9", "x4"}
    assert seen("1", 9) in list(union)


def test_union_of_nothing_is_empty() -> None:
    assert len(IndicatorSet.union(())) == 0


def test_quarantine_is_kept_and_the_same_record_counts_once() -> None:
    old = IndicatorSet.of([indicator("1")], [refused("8"), refused("9")])
    new = IndicatorSet.of([indicator("2")], [refused("9"), refused("10")])

    assert [q.source_id for q in old.merged(new).quarantined] == ["8", "9", "10"]


def test_a_corrected_record_leaves_the_quarantine() -> None:
    old = IndicatorSet.of([], [refused("8"), refused("9")])

    merged = old.merged(IndicatorSet.of([indicator("9")]))

    assert [q.source_id for q in merged.quarantined] == ["8"]
    assert ids(merged) == {"9"}


def test_a_record_that_is_refused_now_does_not_delete_the_indicator() -> None:
    merged = IndicatorSet.of([indicator("9")]).merged(IndicatorSet.of([], [refused("9")]))

    assert ids(merged) == {"9"}
    assert [q.source_id for q in merged.quarantined] == ["9"]


def test_take_reads_the_positions_asked_for() -> None:
    found = numbered(0, 10)

    assert found.take([7, 2, 7]) == {2: found[2], 7: found[7]}


@pytest.mark.parametrize("name", ["WIN.FOX", "fox", " Vulpes "])
def test_a_family_is_found_by_label_name_and_alias(name: str) -> None:
    both = IndicatorSet.of([FULL, indicator("8", malware="win.owl", malware_printable="Owl")])

    assert ids(both.where(families=[name])) == {"7"}


def test_a_family_nobody_has_selects_nothing() -> None:
    assert len(numbered(0, 3).where(families=["nobody"])) == 0


def test_filters_are_all_applied_and_the_quarantine_stays() -> None:
    some: list[Indicator] = [
        indicator("1", first_seen=FIRST - timedelta(days=1)),
        indicator("2", first_seen=FIRST + timedelta(days=1)),
        indicator("3", confidence_level=50),
        indicator("4", type=IndicatorType.MD5, value="0123456789abcdef" * 2),
        indicator("5"),
    ]
    found = IndicatorSet.of(some, [refused("9")]).where(
        types=[IndicatorType.DOMAIN],
        seen_since=FIRST,
        seen_until=FIRST + timedelta(days=1),
        min_confidence=51,
    )

    assert ids(found) == {"5"}
    assert len(found.quarantined) == 1


def test_a_family_says_what_its_indicators_say() -> None:
    (family,) = IndicatorSet.of(
        [FULL, indicator("8", malware_alias=("Vulpes", "Todd")), seen("9", 40)]
    ).families()

    assert (family.malware, family.name, family.count) == ("win.fox", "Fox", 3)
    assert family.aliases == ("Reynard", "Todd", "Vulpes")
    assert family.first_seen == FIRST
    assert family.last_activity == FIRST + timedelta(days=40)
    assert matches_family(family, "todd")
    assert not matches_family(family, "tod")


def retracting(*numbers: str, then: Indicator | None = None) -> IndicatorSet:
    """A set that takes indicators back, and may hold one."""
    one = IndicatorSet.of([then] if then else [])
    retracted = tuple(Retraction("threatfox", number, "revoked") for number in numbers)
    return IndicatorSet(one.table, retracted=retracted)


def test_what_a_feed_takes_back_goes_into_quarantine_as_what_it_was() -> None:
    before = IndicatorSet.of([indicator("1"), indicator("2", value="b.evil.org")])

    after = before.merged(retracting("2", "3"))

    assert ids(after) == {"1"}
    (gone,) = after.quarantined
    assert (gone.value, gone.type, gone.reason) == ("b.evil.org", "domain", "H340: revoked")
    assert before.taken_back(retracting("2", "3")) == ("b.evil.org",)
    assert after.merged(retracting("2")).quarantined == (gone,), "once is enough"


def test_what_is_told_of_again_after_it_was_taken_back_is_an_indicator_again() -> None:
    live = IndicatorSet.of([indicator("1")])

    assert ids(IndicatorSet.union([live, retracting("1"), live])) == {"1"}
    assert ids(live.merged(IndicatorSet.union([retracting("1"), live]))) == {"1"}
    assert ids(live.merged(IndicatorSet.union([live, retracting("1")]))) == set()
    both = retracting("1", then=indicator("1"))
    assert ids(live.merged(both)) == set(), "of one file the retraction counts"


def told(days: int, *ids: str) -> pa.Table:
    """What a publisher says he last changed so many days after `FIRST`."""
    names = ["source", "source_id", "told"]
    times = pa.array([FIRST + timedelta(days=days)] * len(ids), pa.timestamp("us", tz="UTC"))
    return pa.table([pa.array(["threatfox"] * len(ids)), pa.array(ids), times], names)


def test_a_set_without_what_was_taken_back_since_does_not_yield_it() -> None:
    """Also if its indicators were read before, which it keeps."""
    retraction = Retraction("threatfox", "1", "revoked", FIRST + timedelta(days=2))
    base = IndicatorSet.of([indicator("1")]).merged(
        IndicatorSet(IndicatorSet.of([]).table, retracted=(retraction,))
    )
    older = replace(IndicatorSet.of([indicator("1"), indicator("2")]), told=told(1, "1", "2"))
    assert ids(older) == {"1", "2"}

    assert ids(base.standing(older)) == {"2"}
    assert ids(older) == {"1", "2"}


def test_a_retraction_without_a_time_takes_the_time_that_is_told_later() -> None:
    live = IndicatorSet.of([indicator("1")])
    before = live.merged(retracting("1"))
    timed = Retraction("threatfox", "1", "revoked", FIRST + timedelta(days=2))

    after = before.merged(IndicatorSet(IndicatorSet.of([]).table, retracted=(timed,)))

    assert [one.retracted_at for one in after.quarantined] == [timed.at]
    assert ids(after.merged(replace(live, told=told(1, "1")))) == set()
    assert ids(after.merged(replace(live, told=told(3, "1")))) == {"1"}


def test_another_feeds_indicator_of_the_same_id_is_not_taken_back() -> None:
    other = IndicatorSet.of([indicator("1", source="urlhaus")])

    assert ids(other.merged(retracting("1"))) == {"1"}


def test_types_are_counted_in_their_fixed_order() -> None:
    md5 = indicator("4", type=IndicatorType.MD5, value="0123456789abcdef" * 2)
    address = indicator("5", type=IndicatorType.IP_PORT, value="1.1.1.1:443")

    counts = IndicatorSet.of([md5, indicator("1"), address, indicator("2")]).by_type()

    assert list(counts.items()) == [("ip:port", 1), ("domain", 2), ("md5_hash", 1)]


def test_lookup_columns_hold_what_engines_join_with() -> None:
    found = IndicatorSet.of(
        [
            indicator("1", type=IndicatorType.IP_PORT, value="[2a00::1]:8443"),
            indicator("2", type=IndicatorType.URL, value="https://evil.org:8080/a?b"),
            indicator("3", value="duckdns.org"),
        ]
    )
    columns = found.table.select(["source_id", "lookup", "port", "path", "is_shared"])

    assert {row.pop("source_id"): row for row in columns.to_pylist()} == {
        "1": {"lookup": "2a00::1", "port": "8443", "path": None, "is_shared": False},
        "2": {"lookup": "evil.org", "port": "8080", "path": "/a?b", "is_shared": False},
        "3": {"lookup": "duckdns.org", "port": None, "path": None, "is_shared": True},
    }


def test_times_come_back_aware_and_utc() -> None:
    found = IndicatorSet.of([indicator("1", first_seen=datetime(2021, 1, 1, tzinfo=UTC))])[0]

    assert found.first_seen == datetime(2021, 1, 1, tzinfo=UTC)
    assert found.first_seen.utcoffset() == timedelta(0)
