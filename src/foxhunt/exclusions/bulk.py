"""What `holds` says, for many exclusions over many events at once.

Each distinct value of a fact is made comparable once and looked up in an index of all
patterns about that fact; the index only narrows down, `Pattern.matches` decides. What
is left for each event is Kleene logic over Arrow arrays, in which null is unknown.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from foxhunt.exclusions.model import (
    AllOf,
    AnyOf,
    Condition,
    Exclusion,
    NotOf,
    Predicate,
    conditions,
)
from foxhunt.exclusions.patterns import (
    Comparable,
    ContainsPattern,
    DomainPattern,
    GlobPattern,
    HashPattern,
    HoursPattern,
    IndicatorPattern,
    NetworkPattern,
    Pattern,
    PortPattern,
    RegexPattern,
    UrlPattern,
    comparable,
)
from foxhunt.indicators import UrlKey, parents
from foxhunt.tables import Fact

# Stands between the values of a fact that an event has several of; no log text holds it, since
# `values_sql` of the engine takes it out.
SEPARATOR = "\x1f"


def judge(
    exclusions: Sequence[Exclusion], columns: Mapping[Fact, pa.Array], length: int
) -> list[pa.BooleanArray]:
    """For each exclusion whether its condition holds, event by event; null is unknown.

    Args:
        exclusions: Which; their scope is not looked at.
        columns: Fact to the events' values as text, several joined by `SEPARATOR`, null
            without one. A fact that is absent is told by no event.
        length: How many events.
    """
    by_fact: defaultdict[Fact, list[Condition]] = defaultdict(list)
    for exclusion in exclusions:
        for condition in conditions(exclusion.when):
            by_fact[condition.fact].append(condition)
    results: dict[Condition, pa.BooleanArray] = {}
    for fact, wanted in by_fact.items():
        if fact in columns:
            results |= _condition_results(fact, dict.fromkeys(wanted), columns[fact])
    unknown = pa.nulls(length, pa.bool_())
    return [_combined(exclusion.when, results, unknown) for exclusion in exclusions]


def met_values(
    fact: Fact, wanted: Sequence[Condition], texts: Sequence[str]
) -> tuple[dict[Condition, frozenset[int]], frozenset[int]]:
    """Judge distinct values of a fact.

    Args:
        fact: Which.
        wanted: Conditions about it.
        texts: The values, several joined by `SEPARATOR`.

    Returns:
        Condition to the places of the values that meet it; and the places of those that are
        values of that fact at all.
    """
    values = _Values.of(fact, texts)
    hits = _hits(values, dict.fromkeys(p for condition in wanted for p in condition.patterns))
    met = {one: frozenset().union(*(hits[pattern] for pattern in one.patterns)) for one in wanted}
    return met, frozenset(place for place, _ in values.flat)


def _combined(
    predicate: Predicate, results: Mapping[Condition, pa.BooleanArray], unknown: pa.BooleanArray
) -> pa.BooleanArray:
    match predicate:
        case Condition():
            return results.get(predicate, unknown)
        case NotOf(part):
            return pc.invert(_combined(part, results, unknown))
        case AllOf(parts) | AnyOf(parts):
            combine = pc.and_kleene if isinstance(predicate, AllOf) else pc.or_kleene
            found = _combined(parts[0], results, unknown)
            for part in parts[1:]:
                found = combine(found, _combined(part, results, unknown))
            return found


def _condition_results(
    fact: Fact, wanted: Iterable[Condition], column: pa.Array
) -> dict[Condition, pa.BooleanArray]:
    encoded = pc.dictionary_encode(column)
    texts = encoded.dictionary.to_pylist()
    met, told = met_values(fact, list(wanted), texts)
    # False where the event tells a value, null where it does not.
    base = pa.array([False if place in told else None for place in range(len(texts))], pa.bool_())
    places = pa.array(range(len(texts)), pa.int32())
    results = {}
    for condition, some in met.items():
        by_value = base
        if some:
            is_met = pc.is_in(places, value_set=pa.array(sorted(some), pa.int32()))
            by_value = pc.if_else(is_met, pa.scalar(value=True), base)
        results[condition] = pc.take(by_value, encoded.indices)
    return results


@dataclass(frozen=True, slots=True)
class _Values:
    """The distinct values of a fact, each made comparable (several when joined)."""

    comparables: list[list[Comparable]]
    flat: list[tuple[int, Comparable]] = field(default_factory=list)

    @classmethod
    def of(cls, fact: Fact, texts: Sequence[str]) -> _Values:
        made = [
            [one for part in text.split(SEPARATOR) if (one := comparable(fact, part)) is not None]
            for text in texts
        ]
        return cls(made, [(place, one) for place, ones in enumerate(made) for one in ones])


def _hits(values: _Values, patterns: Iterable[Pattern]) -> dict[Pattern, set[int]]:
    """For each pattern the places of the values that match it."""
    hits: dict[Pattern, set[int]] = {pattern: set() for pattern in patterns}
    index: defaultdict[Hashable, list[Pattern]] = defaultdict(list)
    prefixes: set[tuple[int, int]] = set()
    scanned: list[Pattern] = []
    for pattern in hits:
        key = _key(pattern)
        if key is None:
            scanned.append(pattern)
            continue
        index[key].append(pattern)
        if isinstance(pattern, NetworkPattern):
            prefixes.add((pattern.network.version, pattern.network.prefixlen))
    if scanned:
        texts = _Texts.of(values)
        hits |= {pattern: _scanned(pattern, values, texts) for pattern in scanned}
    if index:
        for place, value in values.flat:
            for key in _keys(value, prefixes):
                for pattern in index.get(key, ()):
                    if pattern.matches(value):
                        hits[pattern].add(place)
    return hits


def _key(pattern: Pattern) -> Hashable | None:
    """What a value that matches has among its keys, or None when every value has to be tried."""
    match pattern:
        case DomainPattern(name, _):
            return name
        case UrlPattern(key):
            return key.host, key.port
        case NetworkPattern(network):
            return network.version, network.prefixlen, int(network.network_address)
        case PortPattern(port):
            return port
        case HashPattern(value) | IndicatorPattern(value):
            return value
        case GlobPattern(glob) if not {"*", "?"} & set(glob):
            return glob
        case _:
            return None


def _keys(value: Comparable, prefixes: Iterable[tuple[int, int]]) -> Iterable[Hashable]:
    match value:
        case UrlKey():
            return [(value.host, value.port)]
        case ipaddress.IPv4Address() | ipaddress.IPv6Address():
            bits = value.max_prefixlen
            return [
                (version, length, int(value) >> (bits - length) << (bits - length))
                for version, length in prefixes
                if version == value.version
            ]
        case tuple():
            return value
        case str():
            return parents(value) if "." in value else [value]
        case _:
            return [value]


@dataclass(frozen=True, slots=True)
class _Texts:
    """The texts among values, each with the place of its value."""

    places: Sequence[int]
    texts: pa.StringArray

    @classmethod
    def of(cls, values: _Values) -> _Texts:
        pairs = [
            (place, text)
            for place, value in values.flat
            for text in (value if isinstance(value, tuple) else (value,))
            if isinstance(text, str)
        ]
        texts = pa.array([text for _, text in pairs], pa.string())
        return cls([place for place, _ in pairs], texts)


def _scanned(pattern: Pattern, values: _Values, texts: _Texts) -> set[int]:
    """Places of the values that match a pattern without a key; texts all at once, under RE2."""
    match pattern:
        case HoursPattern():
            return {place for place, value in values.flat if pattern.matches(value)}
        case GlobPattern() | RegexPattern():
            found = pc.match_substring_regex(texts.texts, pattern=pattern.regex)
        case ContainsPattern(text):
            found = pc.match_substring(pc.utf8_lower(texts.texts), pattern=text.lower())
        case _:
            raise AssertionError(f"{pattern} has a key")
    return {texts.places[number] for number in pc.indices_nonzero(found).to_pylist()}
