"""Where exclusions hold, among very many events: each distinct value of a fact is judged once.

Events are codes into each fact's distinct values. What asks for one fact alone holds for all
events of some values; of what asks for several, the part that fewest events meet comes first,
and only those are looked at. The result is what `holds` says of each event.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from foxhunt.exclusions.bulk import met_values
from foxhunt.exclusions.model import (
    AllOf,
    AnyOf,
    Condition,
    NotOf,
    Predicate,
    conditions,
)
from foxhunt.tables import Fact

_NOWHERE = pa.array([], pa.int64())


@dataclass(slots=True)
class Coded:
    """Events as codes into the distinct values of one thing that they tell.

    Attributes:
        codes: Number of each event's value, or null; any integer type.
        values: The distinct values.
    """

    codes: pa.Array
    values: pa.Array
    # The events in order of their value, and where each value's begin; made when asked for.
    _order: pa.Array | None = None
    _starts: list[int] = field(default_factory=list)

    def count(self, values: Iterable[int]) -> int:
        """How many events have one of ``values``."""
        _, starts = self._by_value()
        return sum(starts[value + 1] - starts[value] for value in values)

    def places(self, values: Iterable[int]) -> pa.Array:
        """The places of the events that have one of ``values``."""
        order, starts = self._by_value()
        slices = (order.slice(starts[v], starts[v + 1] - starts[v]) for v in values)
        return pa.concat_arrays([_NOWHERE, *slices])

    def among(self, places: pa.Array, values: Iterable[int]) -> pa.Array:
        """Those of ``places`` whose events have one of ``values``."""
        wanted = pa.array(list(values), self.codes.type)
        return places.filter(pc.is_in(self.codes.take(places), value_set=wanted))

    def _by_value(self) -> tuple[pa.Array, list[int]]:
        if self._order is None:
            self._order = pc.cast(pc.sort_indices(self.codes), pa.int64())
            counted = pc.value_counts(self.codes.drop_null())
            counts = [0] * len(self.values)
            values, numbers = (column.to_pylist() for column in counted.flatten())
            for value, number in zip(values, numbers, strict=True):
                counts[value] = number
            self._starts = list(itertools.accumulate(counts, initial=0))
        return self._order, self._starts


@dataclass(frozen=True, slots=True)
class Judged:
    """Which conditions the distinct values of facts meet.

    Attributes:
        values: Fact to its distinct values; a fact that is absent is told by no event.
        met: Condition to the numbers of the values that meet it.
        told: Fact to the numbers of the values that are values of that fact at all.
    """

    values: Mapping[Fact, pa.Array]
    met: Mapping[Condition, frozenset[int]]
    told: Mapping[Fact, frozenset[int]]

    @classmethod
    def of(cls, predicates: Iterable[Predicate], values: Mapping[Fact, pa.Array]) -> Judged:
        """Judge ``values`` by the conditions of ``predicates``.

        Args:
            predicates: All that will be asked for.
            values: Fact to its distinct values as text, several of one event joined by
                `bulk.SEPARATOR`.
        """
        wanted: dict[Fact, dict[Condition, None]] = {fact: {} for fact in values}
        for predicate in predicates:
            for condition in conditions(predicate):
                if condition.fact in wanted:
                    wanted[condition.fact][condition] = None
        told = {}
        met: dict[Condition, frozenset[int]] = {}
        for fact, some in wanted.items():
            found, told[fact] = met_values(fact, list(some), values[fact].to_pylist())
            met |= found
        return cls(values, met, told)

    def __or__(self, other: Judged) -> Judged:
        """Both: the values of other facts too."""
        return Judged(
            {**self.values, **other.values}, {**self.met, **other.met}, {**self.told, **other.told}
        )

    def holding(self, predicate: Predicate, fact: Fact) -> frozenset[int]:
        """The values of ``fact`` for which a predicate about nothing else holds."""
        match predicate:
            case Condition():
                return self.met.get(predicate, frozenset())
            case NotOf(part):
                # A value that is none of the fact's kind is unknown, and unknown stays unknown.
                return self.told.get(fact, frozenset()) - self.holding(part, fact)
            case AllOf(parts):
                return frozenset.intersection(*(self.holding(part, fact) for part in parts))
            case AnyOf(parts):
                return frozenset[int]().union(*(self.holding(part, fact) for part in parts))

    def sought(
        self, predicate: Predicate, count: Callable[[Fact, frozenset[int]], int]
    ) -> Mapping[Fact, frozenset[int]] | None:
        """Values of which an event tells one at least if a predicate holds for it.

        Facts without values here are left aside; other values of theirs may be judged later.

        Args:
            predicate: One of those that were given.
            count: How many events tell one of some values; the fewest are preferred.

        Returns:
            Fact to some of its values; None if any event may be meant.
        """
        narrow = []
        for part in _parts(predicate):
            fact = one_fact(part)
            if fact is not None and fact in self.values:
                narrow.append((fact, self.holding(part, fact)))
        if narrow:
            return dict([min(narrow, key=lambda one: count(*one))])
        if not isinstance(predicate, AnyOf):
            return None
        found: defaultdict[Fact, frozenset[int]] = defaultdict(frozenset)
        for part in predicate.parts:
            some = self.sought(part, count)
            if some is None:
                return None
            for fact, values in some.items():
                found[fact] |= values
        return found


@dataclass(frozen=True, slots=True)
class Events:
    """Events, and what is known of the values that they tell.

    Attributes:
        length: How many events.
        judged: Which conditions the values meet.
        coded: The values that the events tell, of each fact that `Judged.values` has.
    """

    length: int
    judged: Judged
    coded: Mapping[Fact, Coded]

    def places(
        self, predicate: Predicate, within: Sequence[tuple[Coded, frozenset[int]]] = ()
    ) -> pa.Array:
        """The places of the events for which a predicate holds, each once, in any order.

        Args:
            predicate: One of those that were given.
            within: Only events that have, of each of these, one of the values.
        """
        narrow, wide = list(within), []
        for part in _parts(predicate):
            fact = one_fact(part)
            if fact is None:
                wide.append(part)
            elif fact not in self.coded:
                return _NOWHERE
            else:
                narrow.append((self.coded[fact], self.judged.holding(part, fact)))
        if not narrow:
            return self._wide_places(predicate)
        first, *others = sorted(narrow, key=lambda one: one[0].count(one[1]))
        found = first[0].places(first[1])
        for coded, values in others:
            if len(found):
                found = coded.among(found, values)
        for part in wide if len(found) else ():
            found = found.filter(pc.fill_null(self._kleene(part, found), fill_value=False))
        return found

    def _wide_places(self, predicate: Predicate) -> pa.Array:
        """Places where a predicate holds no part of which asks for one fact alone."""
        if isinstance(predicate, AnyOf):
            return pc.unique(pa.concat_arrays([self.places(part) for part in predicate.parts]))
        every = pa.array(range(self.length), pa.int64())
        return every.filter(pc.fill_null(self._kleene(predicate, every), fill_value=False))

    def _kleene(self, predicate: Predicate, places: pa.Array) -> pa.BooleanArray:
        """What a predicate says of the events at ``places``; null is unknown."""
        match predicate:
            case Condition(fact, _):
                if fact not in self.coded:
                    return pa.nulls(len(places), pa.bool_())
                coded, judged = self.coded[fact], self.judged
                met, told = judged.met[predicate], judged.told[fact]
                said = [v in met if v in told else None for v in range(len(coded.values))]
                return pa.array(said, pa.bool_()).take(coded.codes.take(places))
            case NotOf(part):
                return pc.invert(self._kleene(part, places))
            case AllOf(parts) | AnyOf(parts):
                combine = pc.and_kleene if isinstance(predicate, AllOf) else pc.or_kleene
                found = self._kleene(parts[0], places)
                for part in parts[1:]:
                    found = combine(found, self._kleene(part, places))
                return found


def narrowing_facts(predicate: Predicate) -> frozenset[Fact]:
    """The facts each of which narrows down for which events a predicate holds, if some do."""
    facts = (one_fact(part) for part in _parts(predicate))
    return frozenset(fact for fact in facts if fact is not None)


def one_fact(predicate: Predicate) -> Fact | None:
    """The fact that a predicate is about, if it is about one alone."""
    if isinstance(predicate, Condition):
        return predicate.fact
    facts = {condition.fact for condition in conditions(predicate)}
    return facts.pop() if len(facts) == 1 else None


def _parts(predicate: Predicate) -> Iterator[Predicate]:
    """What has to hold, all of it."""
    if isinstance(predicate, AllOf) and one_fact(predicate) is None:
        for part in predicate.parts:
            yield from _parts(part)
    else:
        yield predicate
