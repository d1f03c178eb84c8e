"""Sets of exclusions by number, so that an event says with one which of them cover it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

# An exclusion that covers more than one event in so many is added to all of them at once, in a
# pass over all events; others are added to their events one by one.
_MANY = 16


class CoverSets:
    """Sets of exclusions, each with a number from 0.

    Attributes:
        numbers: The exclusions of a set, in order, to its number; none is empty.
    """

    def __init__(self) -> None:
        """Begin without any."""
        self.numbers: dict[tuple[int, ...], int] = {}
        self._members: dict[int | None, tuple[int, ...]] = {None: ()}
        self._grown: defaultdict[int, dict[int | None, int]] = defaultdict(dict)

    def number(self, exclusions: Iterable[int]) -> int:
        """The number of a set that is not empty; it may be new."""
        members = tuple(sorted(set(exclusions)))
        number = self.numbers.setdefault(members, len(self.numbers))
        self._members[number] = members
        return number

    def of_values(self, count: int, met: Mapping[int, Iterable[int]]) -> list[int | None]:
        """For each of ``count`` values the number of the set that covers it, or None.

        Args:
            count: How many values.
            met: Exclusion to the values that it covers.
        """
        by_value: list[list[int]] = [[] for _ in range(count)]
        for exclusion, values in met.items():
            for value in values:
                by_value[value].append(exclusion)
        return [self.number(some) if some else None for some in by_value]

    def united(self, one: pa.Int32Array, other: pa.Int32Array) -> pa.Int32Array:
        """For each event the number of what two sets hold together."""
        if one.null_count == len(one):
            return other
        count = len(self.numbers) + 1
        pairs = pc.add(
            pc.multiply(pc.cast(pc.add(pc.fill_null(one, -1), 1), pa.int64()), count),
            pc.add(pc.fill_null(other, -1), 1),
        )
        encoded = pc.dictionary_encode(pairs)
        made: list[int | None] = []
        for pair in encoded.dictionary.to_pylist():
            both = (place - 1 if place else None for place in divmod(pair, count))
            members = [one for number in both for one in self._members[number]]
            made.append(self.number(members) if members else None)
        return pa.array(made, pa.int32()).take(encoded.indices)

    def added(self, numbers: pa.Int32Array, found: Mapping[int, pa.Array]) -> pa.Int32Array:
        """Add exclusions to the sets of the events that they cover.

        Args:
            numbers: For each event the number of its set, or null.
            found: Exclusion to the places of its events, each once.
        """
        few = {}
        for exclusion, places in found.items():
            if len(places) * _MANY > len(numbers):
                before = pc.dictionary_encode(numbers.take(places), null_encoding="encode")
                after = [self._with(n, exclusion) for n in before.dictionary.to_pylist()]
                changed = pa.array(after, pa.int32()).take(before.indices)
                numbers = _replaced(numbers, places, changed)
            elif len(places):
                few[exclusion] = places
        return self._added_singly(numbers, few) if few else numbers

    def _added_singly(self, numbers: pa.Int32Array, found: Mapping[int, pa.Array]) -> pa.Int32Array:
        touched = pc.unique(pa.concat_arrays(list(found.values())))
        now = dict(zip(touched.to_pylist(), numbers.take(touched).to_pylist(), strict=True))
        for exclusion, places in found.items():
            grown = self._grown[exclusion]
            for place in places.to_pylist():
                before = now[place]
                # Not a call for each event: there may be millions.
                now[place] = grown[before] if before in grown else self._with(before, exclusion)
        return _replaced(numbers, touched, pa.array(now.values(), pa.int32()))

    def _with(self, number: int | None, exclusion: int) -> int:
        grown = self._grown[exclusion]
        if number not in grown:
            grown[number] = self.number((*self._members[number], exclusion))
        return grown[number]


def _replaced(numbers: pa.Int32Array, places: pa.Array, new: pa.Int32Array) -> pa.Int32Array:
    return pc.coalesce(pc.scatter(new, places, max_index=len(numbers) - 1), numbers)
