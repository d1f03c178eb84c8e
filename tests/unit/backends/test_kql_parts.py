"""Long lists in parts that stay as they are."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxhunt.backends import Delivery, Emission, Query, get_backend
from foxhunt.backends.kql_indicators import Entry, Shape
from foxhunt.backends.kql_parts import Part, split
from foxhunt.errors import UnsupportedError
from foxhunt.indicators import IndicatorSet, IndicatorType
from foxhunt.rules import build_rule
from tests import families

RULE_CHARACTERS = 10_000


def entries(numbers: Sequence[int]) -> list[Entry]:
    return [
        Entry(f"d{n}.org", families.indicator(IndicatorType.DOMAIN, f"d{n}.org", n))
        for n in numbers
    ]


def parts_of(numbers: Sequence[int], most: int) -> dict[str, list[Entry]]:
    whole = Part(Shape.NAME, entries(numbers))
    return {
        part.name: list(part.entries) for part in split(whole, lambda p: len(p.entries) <= most)
    }


@given(st.lists(st.integers(0, 500), min_size=1, max_size=60, unique=True), st.integers(501, 600))
@settings(max_examples=60, deadline=None)
def test_an_added_indicator_changes_one_part_or_splits_one(numbers: list[int], new: int) -> None:
    before, after = parts_of(numbers, 8), parts_of([*numbers, new], 8)

    changed = {name for name in before if after.get(name) != before[name]}
    assert len(changed) <= 1
    assert all(name.startswith(tuple(changed)) for name in after.keys() - before.keys() if changed)
    assert sum(map(len, after.values())) == len(numbers) + 1


def test_what_fits_is_one_part_without_a_name() -> None:
    assert list(parts_of([1, 2, 3], 3)) == [""]


def domains(count: int) -> IndicatorSet:
    return IndicatorSet.of(
        families.indicator(IndicatorType.DOMAIN, f"host-{n:05}.example{n % 7}.net", n)
        for n in range(count)
    )


def dns_queries(count: int, delivery: Delivery) -> list[Query]:
    rule = build_rule("Unknown RAT", "win.unknown_rat", domains(count))
    emission = Emission(delivery=delivery, most_characters=RULE_CHARACTERS)
    compiled = get_backend("kql").compile_rule(rule, (), emission)
    return [query for query in compiled if query.table == "DnsEvents"]


def test_parts_keep_to_the_length_of_a_rule_and_hold_everything_once() -> None:
    found = dns_queries(1_000, Delivery.PARTS)

    assert len(found) > 1
    assert max(len(query.text) for query in found) <= RULE_CHARACTERS
    assert sum(query.text.count('"host-') for query in found) == 1_000
    assert len({query.key for query in found}) == len(found)


def test_inline_refuses_what_is_too_long_for_a_rule() -> None:
    with pytest.raises(UnsupportedError, match="a rule has room for 10,000"):
        dns_queries(1_000, Delivery.INLINE)


@pytest.mark.parametrize(("count", "is_split"), [(5, False), (500, True)])
def test_auto_lists_in_the_text_what_a_few_rules_can_hold(count: int, is_split: bool) -> None:
    found = dns_queries(count, Delivery.AUTO)

    assert all("datatable" in query.text for query in found)
    assert (len(found) > 1) is is_split


def test_auto_reads_a_table_for_long_lists() -> None:
    (found,) = dns_queries(5_000, Delivery.AUTO)

    assert "ThreatIntelIndicators" in found.text
    assert len(found.text) <= RULE_CHARACTERS
