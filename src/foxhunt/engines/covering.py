"""Which exclusions cover which events: judged once for each combination of what they can see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from foxhunt.engines.combinations import combinations
from foxhunt.engines.correlation import filled_column
from foxhunt.engines.facts import column_of
from foxhunt.exclusions import CORRELATED, Exclusion, conditions
from foxhunt.exclusions.bulk import places
from foxhunt.exclusions.patterns import MINUTES_A_DAY, MINUTES_A_WEEK, HoursPattern
from foxhunt.indicators import Indicator, IndicatorSet
from foxhunt.tables import Fact

# Events that are looked at together: memory stays bounded however many there are.
_BATCH_ROWS = 1 << 20


def load_covered(
    con: duckdb.DuckDBPyConnection,
    indicators: IndicatorSet,
    exclusions: Sequence[Exclusion],
    facts: Sequence[Fact],
    windows: Sequence[timedelta],
) -> None:
    """Make the temp tables ``covered`` (event, covering) and ``covering`` (covering, ids).

    Needs the temp tables ``events``, with the columns of ``facts``, and ``parts``; an event is
    a rowid of the former. Events that no exclusion covers are in neither.

    Args:
        con: Where they are.
        indicators: The set that was hunted for.
        exclusions: Those that apply today.
        facts: What was collected with each event.
        windows: Those that facts were filled from witnesses for.
    """
    sets: dict[tuple[int, ...], int] = {}
    found = []
    if exclusions:
        minutes = _spans(exclusions)
        for events in _batches(con, facts, windows):
            slots = pc.take(minutes, events["minute"])
            seen = events.drop_columns(["event", "minute"]).append_column("slot", slots)
            keys, key_of = combinations(seen)
            covering = _judged(_Keys(keys, indicators), exclusions, facts, windows, sets)
            found.append(pa.table({"event": events["event"], "covering": covering.take(key_of)}))
    _load(con, "covered", pa.concat_tables(found) if found else _NOTHING, "covering IS NOT NULL")
    ids = [[exclusions[number].id for number in numbers] for numbers in sets]
    columns = {
        "covering": pa.array(list(sets.values()), pa.int32()),
        "ids": pa.array(ids, pa.list_(pa.string())),
    }
    _load(con, "covering", pa.table(columns), "true")


_NOTHING = pa.table({"event": pa.array([], pa.int64()), "covering": pa.array([], pa.int32())})


def _load(con: duckdb.DuckDBPyConnection, name: str, rows: pa.Table, where: str) -> None:
    con.register("loaded_rows", rows)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM loaded_rows WHERE {where}")
    con.unregister("loaded_rows")


def _batches(
    con: duckdb.DuckDBPyConnection, facts: Sequence[Fact], windows: Sequence[timedelta]
) -> Iterator[pa.Table]:
    """Events with their number, indicator, table, minute of the week and facts."""
    names = [
        *map(column_of, facts),
        *(filled_column(fact, w) for fact in facts if fact in CORRELATED for w in windows),
    ]
    events = con.sql(
        f"SELECT events.rowid AS event, CAST((isodow(time) - 1) * {MINUTES_A_DAY} "
        f"+ hour(time) * 60 + minute(time) AS INTEGER) AS minute, position, table_name"
        f"{''.join(f', {name}' for name in names)} FROM events JOIN parts USING (part)"
    )
    for batch in events.to_arrow_reader(_BATCH_ROWS):
        yield pa.Table.from_batches([batch])


def _spans(exclusions: Sequence[Exclusion]) -> pa.Array:
    """Minute of the week to the last minute at which some span of hours begins or ends."""
    borders = {
        minute
        for exclusion in exclusions
        for condition in conditions(exclusion.when)
        for pattern in condition.patterns
        if isinstance(pattern, HoursPattern)
        for minute in (pattern.start, pattern.end)
    }
    last, spans = 0, []
    for minute in range(MINUTES_A_WEEK):
        last = minute if minute in borders else last
        spans.append(last)
    return pa.array(spans, pa.int32())


class _Keys:
    """Distinct combinations of what conditions and scopes can see."""

    def __init__(self, rows: pa.Table, indicators: IndicatorSet) -> None:
        self.rows = rows
        self._tables = pc.dictionary_encode(_plain(rows["table_name"]))
        self._positions = pc.dictionary_encode(_plain(rows["position"]))
        positions = self._positions.dictionary.to_pylist()
        by_position = indicators.take(positions)
        self._indicators: list[Indicator] = [by_position[position] for position in positions]
        self._known: dict[object, pa.BooleanArray] = {}

    def values(self) -> pa.Array:
        """The indicators' values."""
        values = pa.array([one.value for one in self._indicators], pa.string())
        return pc.take(values, self._positions.indices)

    def in_scope(self, exclusion: Exclusion) -> pa.BooleanArray:
        """Which an exclusion's scope takes in; worked out once a scope."""
        scope = exclusion.scope
        if scope not in self._known:
            tables = [scope.has_table(name) for name in self._tables.dictionary.to_pylist()]
            members = [scope.has_indicator(one) for one in self._indicators]
            self._known[scope] = pc.and_(
                pc.take(pa.array(tables, pa.bool_()), self._tables.indices),
                pc.take(pa.array(members, pa.bool_()), self._positions.indices),
            )
        return self._known[scope]


def _plain(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks()


def _judged(
    keys: _Keys,
    exclusions: Sequence[Exclusion],
    facts: Sequence[Fact],
    windows: Sequence[timedelta],
    sets: dict[tuple[int, ...], int],
) -> pa.Array:
    """For each key the number of the set of exclusions that cover it, or null.

    Args:
        keys: What is judged.
        exclusions: By all of these.
        facts: See `load_covered`.
        windows: Likewise.
        sets: Set to its number; gets those that are met for the first time.
    """
    columns = {
        Fact.HOURS: pc.cast(_plain(keys.rows["slot"]), pa.string()),
        Fact.INDICATOR: keys.values(),
        **{fact: _plain(keys.rows[column_of(fact)]) for fact in facts},
    }
    found: dict[int, pa.Array] = {}
    for window in {one.within for one in exclusions}:
        chosen = [number for number, one in enumerate(exclusions) if one.within == window]
        seen = {
            fact: _plain(keys.rows[filled_column(fact, window)])
            for fact in facts
            if fact in CORRELATED and window in windows
        }
        met = places([exclusions[n] for n in chosen], columns | seen, keys.rows.num_rows)
        found |= {number: some for number, some in zip(chosen, met, strict=True) if len(some)}
    return _numbered(
        keys.rows.num_rows,
        {n: some.filter(keys.in_scope(exclusions[n]).take(some)) for n, some in found.items()},
        sets,
    )


def _numbered(
    length: int, found: Mapping[int, pa.Array], sets: dict[tuple[int, ...], int]
) -> pa.Array:
    """For each key the number of its set: it grows exclusion by exclusion, from none."""
    numbers: list[int | None] = [None] * length
    members: dict[int | None, tuple[int, ...]] = {None: ()}
    for exclusion in sorted(found):
        grown: dict[int | None, int] = {}
        for place in found[exclusion].to_pylist():
            before = numbers[place]
            if before not in grown:
                joined = (*members[before], exclusion)
                grown[before] = sets.setdefault(joined, len(sets))
                members[grown[before]] = joined
            numbers[place] = grown[before]
    return pa.array(numbers, pa.int32())
