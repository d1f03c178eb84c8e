"""Which exclusions cover which events: each value is judged once, and most events never looked at.

What an exclusion asks is judged for the distinct values of each fact (`Events`). One that asks
for one fact alone covers all events of some values, and says so for the values; only events of
the others are looked up. Combinations of facts are nearly as many as the events.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from foxhunt.engines.correlation import filled_column
from foxhunt.engines.facts import NO_COLUMN, column_of
from foxhunt.engines.numbering import CoverSets
from foxhunt.exclusions import CORRELATED, Exclusion, Predicate, Scope, conditions
from foxhunt.exclusions.patterns import MINUTES_A_DAY, MINUTES_A_WEEK, HoursPattern
from foxhunt.exclusions.places import Coded, Events
from foxhunt.indicators import IndicatorSet
from foxhunt.tables import Fact

# Events that are looked at together: memory stays bounded however many there are.
_BATCH_ROWS = 1 << 20
_TABLES = "SELECT table_name FROM parts ORDER BY part"


# A window that witnesses count in, or None where none does; and a fact.
_Key = tuple[timedelta | None, Fact]


@dataclass(frozen=True, slots=True)
class _Asked:
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
    def by(cls, exclusion: Exclusion) -> _Asked:
        """Read it off an exclusion, once: it is needed for every batch."""
        facts = exclusion.facts
        window = exclusion.within if facts & CORRELATED else None
        return cls(exclusion, facts, window, next(iter(facts)) if len(facts) == 1 else None)


def load_covered(
    con: duckdb.DuckDBPyConnection, indicators: IndicatorSet, exclusions: Sequence[Exclusion]
) -> str:
    """Say of the events in ``con`` which exclusions cover each.

    Needs the temp tables ``events``, with what the exclusions ask for, and ``parts``. Makes
    ``covering`` (covering, ids): sets of exclusions; ``covered_values`` (value, number): the
    set that covers all events with a value; and ``covered`` (event, number): the whole set of
    those events, by rowid, that another set covers. To join all events by their rowids costs four
    times as much as by a few values.

    Args:
        con: Where they are.
        indicators: The set that was hunted for.
        exclusions: Those that apply today.

    Returns:
        The column of ``events`` whose values stand in ``covered_values``.
    """
    sets, found = CoverSets(), [_NOTHING]
    asked = [_Asked.by(one) for one in exclusions]
    key = _key(asked)
    values: dict[str, int] = {}
    if exclusions:
        tables = [name for (name,) in con.execute(_TABLES).fetchall()]
        for rows in _batches(con, asked):
            batch = _Batch(rows, tables, indicators, asked)
            found.append(_covered(batch, asked, sets, key, values))
    _load(con, "covered", pa.concat_tables(found))
    columns = {
        "value": pa.array(values.keys(), pa.string()),
        "number": pa.array(values.values(), pa.int32()),
    }
    _load(con, "covered_values", pa.table(columns))
    ids = [[exclusions[number].id for number in numbers] for numbers in sets.numbers]
    columns = {
        "covering": pa.array(sets.numbers.values(), pa.int32()),
        "ids": pa.array(ids, pa.list_(pa.string())),
    }
    _load(con, "covering", pa.table(columns))
    return _column(key)


_NOTHING = pa.table({"event": pa.array([], pa.int64()), "number": pa.array([], pa.int32())})


def _load(con: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    con.register("loaded_rows", rows)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM loaded_rows")
    con.unregister("loaded_rows")


def _key(asked: Iterable[_Asked]) -> _Key:
    """What most of the exclusions ask for that ask for one column alone."""
    counts = Counter(
        (one.window, one.fact)
        for one in asked
        if one.fact is not None and one.fact not in NO_COLUMN
    )
    return max(counts, key=counts.__getitem__, default=(None, Fact.HOST))


def _batches(con: duckdb.DuckDBPyConnection, asked: Iterable[_Asked]) -> Iterator[pa.Table]:
    """Events with their number, part, indicator, minute of the week and facts."""
    keys = {(one.window, fact) for one in asked for fact in one.facts}
    names = sorted({_column(key) for key in keys if key[1] not in NO_COLUMN})
    events = con.sql(
        f"SELECT rowid AS event, part, position, CAST((isodow(time) - 1) * {MINUTES_A_DAY} "
        f"+ hour(time) * 60 + minute(time) AS INTEGER) AS minute"
        f"{''.join(f', {name}' for name in names)} FROM events"
    )
    waiting: list[pa.RecordBatch] = []
    for some in events.to_arrow_reader(_BATCH_ROWS):
        # DuckDB gives what it has at hand, which may be far fewer than it is asked for.
        waiting += [some] if some.num_rows else []
        if sum(one.num_rows for one in waiting) >= _BATCH_ROWS:
            yield pa.Table.from_batches(waiting)
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting)


def _column(key: _Key) -> str:
    """The column of the events that has a fact, filled from witnesses if there can be some."""
    window, fact = key
    if window is None or fact not in CORRELATED:
        return column_of(fact)
    return filled_column(fact, window)


class _Batch:
    """Events that are looked at together, and what scopes and conditions see of them."""

    def __init__(
        self,
        rows: pa.Table,
        tables: Sequence[str],
        indicators: IndicatorSet,
        asked: Sequence[_Asked],
    ) -> None:
        """Judge the events' values.

        Args:
            rows: See `_batches`.
            tables: That of each part.
            indicators: The set that was hunted for.
            asked: All that will be asked.
        """
        self.rows, self._tables = rows, tables
        self._parts = Coded(rows["part"].combine_chunks(), pa.array(tables, pa.string()))
        self._met = self._coded("position")
        positions = self._met.values.to_pylist()
        taken = indicators.take(positions)
        self._indicators = [taken[position] for position in positions]
        self._within: dict[Scope, list[tuple[Coded, frozenset[int]]]] = {}
        grouped: defaultdict[timedelta | None, list[_Asked]] = defaultdict(list)
        for one in asked:
            grouped[one.window].append(one)
        self.events = {window: self._judged(window, some) for window, some in grouped.items()}

    def within(self, scope: Scope) -> list[tuple[Coded, frozenset[int]]]:
        """What narrows events down to those of a scope; nothing if all are."""
        if scope not in self._within:
            tables = {n for n, name in enumerate(self._tables) if scope.has_table(name)}
            narrow = [(self._parts, frozenset(tables))] if len(tables) < len(self._tables) else []
            # Also when all of this batch are met: what covers a value does so in every batch.
            if "*" not in scope.families or "*" not in scope.types:
                has = (n for n, one in enumerate(self._indicators) if scope.has_indicator(one))
                narrow.append((self._met, frozenset(has)))
            self._within[scope] = narrow
        return self._within[scope]

    def _judged(self, window: timedelta | None, asked: Sequence[_Asked]) -> Events:
        facts = frozenset[Fact]().union(*(one.facts for one in asked))
        predicates = [one.exclusion.when for one in asked]
        names = {fact: _column((window, fact)) for fact in facts.difference(NO_COLUMN)}
        with ThreadPoolExecutor() as pool:
            columns = dict(zip(names, pool.map(self._coded, names.values()), strict=True))
        if Fact.INDICATOR in facts:
            values = pa.array([one.value for one in self._indicators], pa.string())
            columns[Fact.INDICATOR] = Coded(self._met.codes, values)
        if Fact.HOURS in facts:
            span_of, minutes = _spans(predicates)
            columns[Fact.HOURS] = Coded(
                pc.take(span_of, self.rows["minute"].combine_chunks()), minutes
            )
        return Events.of(predicates, columns, self.rows.num_rows)

    def _coded(self, name: str) -> Coded:
        encoded = pc.dictionary_encode(self.rows[name])
        # Chunks share a dictionary; codes are cheaper to join than texts.
        codes = pa.concat_arrays([chunk.indices for chunk in encoded.chunks])
        return Coded(codes, encoded.chunk(0).dictionary)


def _spans(predicates: Iterable[Predicate]) -> tuple[pa.Int32Array, pa.StringArray]:
    """Minute of the week to the number of a span in which no hours begin or end; and their starts.

    One minute of a span then speaks for all.
    """
    starts = {
        minute
        for predicate in predicates
        for condition in conditions(predicate)
        for pattern in condition.patterns
        if isinstance(pattern, HoursPattern)
        for minute in (pattern.start, pattern.end)
        if minute < MINUTES_A_WEEK
    }
    ordered = sorted({0, *starts})
    spans = list(pairwise([*ordered, MINUTES_A_WEEK]))
    span_of = [number for number, (start, end) in enumerate(spans) for _ in range(start, end)]
    return pa.array(span_of, pa.int32()), pa.array(map(str, ordered), pa.string())


def _covered(
    batch: _Batch,
    asked: Sequence[_Asked],
    sets: CoverSets,
    key: _Key,
    values: dict[str, int],
) -> pa.Table:
    """The events whose set is another than that of their value, and the number of that set.

    Args:
        batch: Events.
        asked: What all exclusions ask.
        sets: Gets those that are met for the first time.
        key: What the values are of.
        values: Gets the values of these events that some exclusions cover, with their set.
    """
    whole: defaultdict[_Key, dict[int, frozenset[int]]] = defaultdict(dict)
    places: dict[int, pa.Array] = {}
    for number, one in enumerate(asked):
        events, when = batch.events[one.window], one.exclusion.when
        within = batch.within(one.exclusion.scope)
        if one.fact is None or within:
            places[number] = events.places(when, within)
        elif one.fact in events.coded:
            whole[one.window, one.fact][number] = events.values(when, one.fact)
    by_value = numbers = pa.nulls(batch.rows.num_rows, pa.int32())
    for (window, fact), met in sorted(whole.items(), key=lambda item: item[0] != key):
        coded = batch.events[window].coded[fact]
        of_values = sets.of_values(len(coded.values), met)
        layer = pa.array(of_values, pa.int32()).take(coded.codes)
        numbers = sets.united(numbers, layer)
        if (window, fact) == key:
            by_value = layer
            known = zip(coded.values.to_pylist(), of_values, strict=True)
            values |= {value: number for value, number in known if number is not None}
    numbers = sets.added(numbers, places)
    # No set of an event is smaller than that of its value.
    is_other = pc.and_(
        pc.is_valid(numbers), pc.fill_null(pc.not_equal(numbers, by_value), fill_value=True)
    )
    covered = pa.table({"event": batch.rows["event"], "number": numbers})
    return covered.filter(is_other)
