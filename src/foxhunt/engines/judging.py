"""What events tell, judged by all exclusions: each distinct value once, before events are read.

Of a million events most tell nothing that some exclusion asks for. The values say which do, and
only those are read. Combinations of values are nearly as many as the events.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import chain, pairwise

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from foxhunt.engines.correlation import filled_column
from foxhunt.engines.facts import NO_COLUMN, column_of
from foxhunt.exclusions import CORRELATED, Exclusion, conditions
from foxhunt.exclusions.patterns import MINUTES_A_DAY, MINUTES_A_WEEK, HoursPattern
from foxhunt.exclusions.places import Coded, Events, Judged, narrowing_facts
from foxhunt.indicators import IndicatorSet
from foxhunt.tables import Fact

# A window that witnesses count in, or None where none does; and a fact.
Key = tuple[timedelta | None, Fact]

_MINUTE = f"CAST((isodow(time) - 1) * {MINUTES_A_DAY} + hour(time) * 60 + minute(time) AS INTEGER)"


@dataclass(frozen=True, slots=True)
class Asked:
    """What an exclusion asks.

    Attributes:
        exclusion: Which.
        facts: All that its conditions are about.
        window: That witnesses count in; None if no fact can be witnessed.
        fact: The one that they are about, if there is one alone.
    """

    exclusion: Exclusion
    facts: frozenset[Fact]
    window: timedelta | None
    fact: Fact | None

    @classmethod
    def by(cls, exclusion: Exclusion) -> Asked:
        """Read it off an exclusion, once: it is needed for every batch."""
        facts = exclusion.facts
        window = exclusion.within if facts & CORRELATED else None
        return cls(exclusion, facts, window, next(iter(facts)) if len(facts) == 1 else None)


def told_column(key: Key) -> str:
    """The column of the events that has a fact, filled from witnesses if there can be some."""
    window, fact = key
    if fact is Fact.INDICATOR:
        return "position"
    if fact is Fact.HOURS:
        return "minute"
    if window is None or fact not in CORRELATED:
        return column_of(fact)
    return filled_column(fact, window)


@dataclass(frozen=True, slots=True)
class _Distinct:
    """The distinct values of a column, and how many events have each."""

    values: pa.Array
    counts: Sequence[int]


class Batch:
    """Events of which only some are read, and what their values meet."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        rows: range,
        asked: Iterable[Asked],
        indicators: IndicatorSet,
    ) -> None:
        """Judge the values of events.

        Args:
            con: With the temp table ``events`` that has what the exclusions ask for.
            rows: The events' numbers there; not every number has to be that of an event.
            asked: All that will be asked.
            indicators: The set that was hunted for.
        """
        self._con, self._rows, self._indicators = con, rows, indicators
        self._distinct: dict[str, _Distinct] = {}
        self._span_of: dict[timedelta | None, pa.Int32Array] = {}
        self._asked: defaultdict[timedelta | None, list[Asked]] = defaultdict(list)
        for one in asked:
            self._asked[one.window].append(one)
        self.judged = {window: self._judge(window, some) for window, some in self._asked.items()}

    def _judge(self, window: timedelta | None, asked: Sequence[Asked]) -> Judged:
        values: dict[Fact, pa.Array] = {}
        for fact in _first(asked):
            if fact is Fact.HOURS:
                self._span_of[window], values[fact] = _spans(asked)
                continue
            name = told_column((window, fact))
            if name not in self._distinct:
                self._distinct[name] = self._distinct_of(name)
            values[fact] = self._texts(fact, self._distinct[name].values)
        return Judged.of((one.exclusion.when for one in asked), values)

    def _texts(self, fact: Fact, values: pa.Array) -> pa.Array:
        """The values of a fact by those of its column."""
        if fact is not Fact.INDICATOR:
            return values
        positions = values.to_pylist()
        taken = self._indicators.take(positions)
        return pa.array([taken[one].value for one in positions], pa.string())

    def _distinct_of(self, name: str) -> _Distinct:
        found = self._con.sql(
            f"SELECT {name} AS value, count(*) AS events FROM events WHERE {self._is_inside()} "
            f"AND {name} IS NOT NULL GROUP BY {name}"
        ).to_arrow_table()
        return _Distinct(found["value"].combine_chunks(), found["events"].to_pylist())

    def _is_inside(self) -> str:
        return f"rowid >= {self._rows.start} AND rowid < {self._rows.stop}"

    def sought(self, one: Asked) -> Mapping[Fact, frozenset[int]] | None:
        """See `Judged.sought`: what narrows events down to those that an exclusion may cover."""
        return self.judged[one.window].sought(one.exclusion.when, partial(self._count, one.window))

    def _count(self, window: timedelta | None, fact: Fact, values: Iterable[int]) -> int:
        """How many events tell one of some values; of hours, which are not counted, all."""
        if fact is Fact.HOURS:
            return len(self._rows)
        counts = self._distinct[told_column((window, fact))].counts
        return sum(counts[value] for value in values)

    def read(self, sought: Mapping[Key, Iterable[int]] | None) -> pa.Table:
        """Read events: number, part, position, and all columns that exclusions ask for.

        Args:
            sought: Only those that tell, of one of these, one of some values; None for all.
        """
        keys = {
            (window, fact): None
            for window, some in self._asked.items()
            for fact in _facts(some)
            if fact not in NO_COLUMN
        }
        names = dict.fromkeys(map(told_column, keys))
        minute = f", {_MINUTE} AS minute" if self._span_of else ""
        where = [self._is_inside()]
        if sought is not None:
            where.append(f"({' OR '.join(self._is_sought(sought)) or 'false'})")
        query = (
            f"SELECT rowid AS event, part, position{minute}{''.join(f', {one}' for one in names)} "
            f"FROM events WHERE {' AND '.join(where)}"
        )
        rows = self._con.sql(query).to_arrow_table()
        for number in range(len(sought or ())):
            self._con.unregister(f"sought_{number}")
        return rows

    def _is_sought(self, sought: Mapping[Key, Iterable[int]]) -> Iterator[str]:
        for number, ((window, fact), wanted) in enumerate(sought.items()):
            values = pa.array(sorted(wanted), pa.int32())
            if fact is Fact.HOURS:
                name = _MINUTE
                values = pc.indices_nonzero(pc.is_in(self._span_of[window], value_set=values))
            else:
                name = told_column((window, fact))
                values = self._distinct[name].values.take(values)
            self._con.register(f"sought_{number}", pa.table({"value": values}))
            yield f"{name} IN (SELECT value FROM sought_{number})"

    def events(self, rows: pa.Table) -> dict[timedelta | None, Events]:
        """Window to events that were read, with what their values meet."""
        return {window: self._events(rows, window) for window in self._asked}

    def _events(self, rows: pa.Table, window: timedelta | None) -> Events:
        judged, asked = self.judged[window], self._asked[window]
        codes: dict[Fact, pa.Int32Array] = {}
        for fact in judged.values:
            name = told_column((window, fact))
            column = rows[name].combine_chunks()
            if fact is Fact.HOURS:
                codes[fact] = self._span_of[window].take(column)
            else:
                codes[fact] = pc.index_in(column, value_set=self._distinct[name].values)
        others: dict[Fact, pa.Array] = {}
        for fact in _facts(asked) - judged.values.keys():
            column = rows[told_column((window, fact))].combine_chunks()
            encoded = pc.dictionary_encode(column)
            codes[fact], others[fact] = encoded.indices, self._texts(fact, encoded.dictionary)
        if others:
            judged |= Judged.of((one.exclusion.when for one in asked), others)
        coded = {fact: Coded(some, judged.values[fact]) for fact, some in codes.items()}
        return Events(rows.num_rows, judged, coded)


def _facts(asked: Iterable[Asked]) -> frozenset[Fact]:
    return frozenset(chain.from_iterable(one.facts for one in asked))


def _first(asked: Iterable[Asked]) -> frozenset[Fact]:
    """Facts whose values are judged before events are read: so many that each exclusion has one.

    The others' values are judged of the events that are read, which are few.
    """
    first: set[Fact] = set()
    ways = []
    for one in asked:
        way = narrowing_facts(one.exclusion.when)
        if one.fact is not None or not way:
            first |= one.facts
        # To judge hours no event has to be read, but they narrow down little.
        first |= one.facts & {Fact.HOURS}
        ways.append(way - {Fact.HOURS})
    while ways := [way for way in ways if way and not way & first]:
        counts = Counter(chain.from_iterable(ways))
        first.add(max(sorted(counts), key=counts.__getitem__))
    return frozenset(first)


def _spans(asked: Iterable[Asked]) -> tuple[pa.Int32Array, pa.StringArray]:
    """Minute of the week to the number of a span in which no hours begin or end; and their starts.

    One minute of a span then speaks for all.
    """
    starts = {
        minute
        for one in asked
        if Fact.HOURS in one.facts
        for condition in conditions(one.exclusion.when)
        for pattern in condition.patterns
        if isinstance(pattern, HoursPattern)
        for minute in (pattern.start, pattern.end)
        if minute < MINUTES_A_WEEK
    }
    ordered = sorted({0, *starts})
    spans = list(pairwise([*ordered, MINUTES_A_WEEK]))
    span_of = [number for number, (start, end) in enumerate(spans) for _ in range(start, end)]
    return pa.array(span_of, pa.int32()), pa.array(map(str, ordered), pa.string())
