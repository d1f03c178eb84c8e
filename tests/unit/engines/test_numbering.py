"""Numbers of sets of exclusions: what Python sets would say."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxhunt.engines import numbering as module
from foxhunt.engines.numbering import CoverSets

EVENTS = 12
Cover = dict[int, frozenset[int]]
COVERS = st.dictionaries(st.integers(0, 5), st.frozensets(st.integers(0, EVENTS - 1)), max_size=4)


def told(sets: CoverSets, numbers: pa.Int32Array) -> list[set[int]]:
    by_number = {number: set(members) for members, number in sets.numbers.items()}
    return [by_number[n] if n is not None else set() for n in numbers.to_pylist()]


@pytest.mark.parametrize("many", [module._MANY, 0], ids=["some at once", "one by one"])
@given(whole=COVERS, other=COVERS, found=COVERS)
@settings(max_examples=50)
def test_an_event_has_the_set_of_all_that_cover_it(
    many: int, whole: Cover, other: Cover, found: Cover
) -> None:
    # Exclusions that cover values, here one an event, and others that cover single events.
    sets = CoverSets()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MANY", many)
        layers = [pa.array(sets.of_values(EVENTS, one), pa.int32()) for one in (whole, other)]
        numbers = sets.united(sets.united(pa.nulls(EVENTS, pa.int32()), layers[0]), layers[1])
        places = {n: pa.array(sorted(some), pa.int64()) for n, some in found.items()}
        numbers = sets.added(numbers, places)

    assert told(sets, numbers) == [
        {n for cover in (whole, other, found) for n, some in cover.items() if event in some}
        for event in range(EVENTS)
    ]


def test_a_set_has_one_number_and_its_exclusions_in_order() -> None:
    sets = CoverSets()

    assert sets.number([2, 0]) == sets.number([0, 2, 2]) == 0
    assert sets.numbers == {(0, 2): 0}
