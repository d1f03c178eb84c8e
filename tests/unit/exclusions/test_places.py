"""Where exclusions hold: event by event, what the plain evaluator says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given, settings
from hypothesis import strategies as st

from foxhunt.exclusions import (
    AllOf,
    AnyOf,
    Condition,
    ExclusionSet,
    NotOf,
    Predicate,
    holds,
    parse_pattern,
)
from foxhunt.exclusions.bulk import SEPARATOR
from foxhunt.exclusions.places import Coded, Events, Judged, one_fact
from foxhunt.tables import Fact
from tests.exclusion_strategies import exclusion_sets

from .test_bulk import EVENTS

Told = dict[Fact, list[str]]


def coded(texts: list[str | None]) -> Coded:
    encoded = pc.dictionary_encode(pa.array(texts, pa.string()))
    return Coded(encoded.indices, encoded.dictionary)


def columns_of(events: list[Told]) -> dict[Fact, Coded]:
    return {
        fact: coded([SEPARATOR.join(one[fact]) if one[fact] else None for one in events])
        for fact in Fact
    }


def judged_events(
    predicates: Sequence[Predicate], columns: Mapping[Fact, Coded], length: int
) -> Events:
    judged = Judged.of(predicates, {fact: one.values for fact, one in columns.items()})
    return Events(length, judged, columns)


@given(exclusion_sets(), EVENTS)
@settings(max_examples=40, deadline=None)
def test_places_are_the_plain_evaluators(exclusions: ExclusionSet, events: list[Told]) -> None:
    predicates = [one.when for one in exclusions]
    seen = judged_events(predicates, columns_of(events), len(events))

    for predicate in predicates:
        expected = [place for place, event in enumerate(events) if holds(predicate, event)]
        assert sorted(seen.places(predicate).to_pylist()) == expected
        fact = one_fact(predicate)
        if fact is not None:
            values = seen.judged.holding(predicate, fact)
            assert sorted(seen.coded[fact].places(values).to_pylist()) == expected


@given(exclusion_sets(), EVENTS)
@settings(max_examples=40, deadline=None)
def test_no_event_for_which_a_predicate_holds_tells_none_of_the_values_that_are_sought(
    exclusions: ExclusionSet, events: list[Told]
) -> None:
    predicates = [one.when for one in exclusions]
    columns = columns_of(events)
    seen = judged_events(predicates, columns, len(events))

    for predicate in predicates:
        sought = seen.judged.sought(predicate, lambda fact, some: columns[fact].count(some))
        if sought is not None:
            found = {at for fact in sought for at in columns[fact].places(sought[fact]).to_pylist()}
            assert found >= set(seen.places(predicate).to_pylist())


@given(exclusion_sets(), EVENTS, st.data())
@settings(max_examples=20, deadline=None)
def test_places_within_something_are_those_of_the_events_that_have_it(
    exclusions: ExclusionSet, events: list[Told], data: st.DataObject
) -> None:
    parts = data.draw(st.lists(st.integers(0, 2), min_size=len(events), max_size=len(events)))
    within = [(Coded(pa.array(parts, pa.int32()), pa.array(["a", "b", "c"])), frozenset({0, 2}))]
    predicates = [one.when for one in exclusions]
    seen = judged_events(predicates, columns_of(events), len(events))

    for predicate in predicates:
        expected = [
            place
            for place, event in enumerate(events)
            if parts[place] != 1 and holds(predicate, event)
        ]
        assert sorted(seen.places(predicate, within).to_pylist()) == expected


def test_a_fact_that_no_event_tells_covers_nothing_also_under_not() -> None:
    condition = Condition(Fact.PROCESS, parse_pattern(Fact.PROCESS, "x.exe"))
    host = Condition(Fact.HOST, parse_pattern(Fact.HOST, "ws-1"))
    predicates: list[Predicate] = [
        condition,
        NotOf(condition),
        AnyOf((NotOf(condition), host)),
    ]
    seen = judged_events(predicates, {Fact.HOST: coded(["ws-2", "ws-1"])}, 2)

    assert [seen.places(one).to_pylist() for one in predicates] == [[], [], [1]]


def test_of_what_has_to_hold_together_the_rarest_is_sought() -> None:
    hosts, ports = coded(["ws-1", "ws-1", "ws-2"]), coded(["80", "443", "443"])
    columns = {Fact.HOST: hosts, Fact.REMOTE_PORT: ports}
    host = Condition(Fact.HOST, parse_pattern(Fact.HOST, "ws-1"))
    port = Condition(Fact.REMOTE_PORT, parse_pattern(Fact.REMOTE_PORT, "80"))
    unclear = AllOf((AnyOf((host, port)), AnyOf((NotOf(host), port))))
    predicates: list[Predicate] = [AllOf((host, port)), AnyOf((host, port)), unclear]
    judged = judged_events(predicates, columns, 3).judged

    found = [judged.sought(one, lambda fact, some: columns[fact].count(some)) for one in predicates]

    assert found == [
        {Fact.REMOTE_PORT: {0}},
        {Fact.HOST: {0}, Fact.REMOTE_PORT: {0}},
        None,
    ]
