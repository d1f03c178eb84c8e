"""Families are counted as walking the set counts them."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from foxhunt.indicators import IndicatorSet
from foxhunt.indicators.families import family_counts, named
from foxhunt.indicators.lookup import Reader, SetReader

from .indicator_samples import FIRST
from .lookup_samples import every_kind, reader

ALL = every_kind()


@pytest.mark.parametrize("looked", [SetReader(ALL), reader(ALL, 2)])
def test_families_are_counted_by_type(looked: Reader) -> None:
    counts = {counted.family.malware: counted for counted in family_counts(looked)}

    expected: dict[str, Counter[str]] = {}
    for one in ALL:
        expected.setdefault(one.malware, Counter())[str(one.type)] += 1
    assert {malware: dict(c.by_type) for malware, c in counts.items()} == expected
    assert {m: c.family.count for m, c in counts.items()} == {
        m: c.total() for m, c in expected.items()
    }


@pytest.mark.parametrize("looked", [SetReader(ALL), reader(ALL, 2)])
def test_a_family_is_the_one_the_set_tells(looked: Reader) -> None:
    assert tuple(counted.family for counted in family_counts(looked)) == ALL.families()
    fox = next(c.family for c in family_counts(looked) if c.family.malware == "win.red_fox")
    assert fox.aliases == ("Reynard", "Vulpes")
    assert fox.last_activity == FIRST + timedelta(days=30)


@pytest.mark.parametrize("looked", [SetReader(ALL), reader(ALL, 2)])
def test_names_are_known_without_the_indicators(looked: Reader) -> None:
    chosen = named(looked).where(families=["reynard"]).families()

    assert [family.malware for family in chosen] == ["win.red_fox"]


def test_nothing_has_no_families() -> None:
    assert family_counts(SetReader(IndicatorSet.of(()))) == ()
    assert family_counts(reader(IndicatorSet.of(()))) == ()
