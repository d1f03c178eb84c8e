"""Which exclusions cover which events, as few of which as can be are looked at.

What an exclusion asks is judged for the distinct values of each fact (`judging`). One that asks
for one fact alone covers all events of some values, and says so for the values; of the others,
and of what values cannot say together, the events are looked up.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import reduce

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from foxhunt.engines.facts import NO_COLUMN
from foxhunt.engines.judging import Asked, Batch, Key, told_column
from foxhunt.engines.numbering import CoverSets
from foxhunt.exclusions import Exclusion, Scope
from foxhunt.exclusions.places import Coded
from foxhunt.indicators import IndicatorSet
from foxhunt.tables import Fact

# Events that are looked at together: memory stays bounded however many there are.
_BATCH_ROWS = 1 << 20
_TABLES = "SELECT table_name FROM parts ORDER BY part"
_NOTHING = pa.table({"event": pa.array([], pa.int64()), "number": pa.array([], pa.int32())})


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
    asked = [Asked.by(one) for one in exclusions]
    key = _key(asked)
    values: dict[str, int] = {}
    if exclusions:
        scopes = _Scopes([name for (name,) in con.execute(_TABLES).fetchall()], indicators)
        for rows in _ranges(con):
            batch = Batch(con, rows, asked, indicators)
            found.append(_covered(batch, asked, scopes, sets=sets, key=key, values=values))
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
    return told_column(key)


def _load(con: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    con.register("loaded_rows", rows)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM loaded_rows")
    con.unregister("loaded_rows")


def _key(asked: Iterable[Asked]) -> Key:
    """What most of the exclusions ask for that ask for one column alone."""
    counts = Counter(
        (one.window, one.fact)
        for one in asked
        if one.fact is not None and one.fact not in NO_COLUMN
    )
    return max(counts, key=counts.__getitem__, default=(None, Fact.HOST))


def _ranges(con: duckdb.DuckDBPyConnection) -> Iterator[range]:
    """The numbers of all events, in as many ranges as are needed."""
    ((last,),) = con.execute("SELECT max(rowid) FROM events").fetchall()
    end = 0 if last is None else last + 1
    return (range(at, min(at + _BATCH_ROWS, end)) for at in range(0, end, _BATCH_ROWS))


class _Scopes:
    """What scopes see of events."""

    def __init__(self, tables: Sequence[str], indicators: IndicatorSet) -> None:
        self._tables, self._indicators = tables, indicators

    def is_narrow(self, scope: Scope) -> bool:
        """Whether some event may lie outside, which does not depend on the batch.

        What covers a value does so in every batch.
        """
        return (
            "*" not in scope.families
            or "*" not in scope.types
            or not all(map(scope.has_table, self._tables))
        )

    def within(
        self, scopes: Iterable[Scope], rows: pa.Table
    ) -> Mapping[Scope, list[tuple[Coded, frozenset[int]]]]:
        """What narrows events down to those of each scope; nothing if all are."""
        parts = Coded(rows["part"].combine_chunks(), pa.array(self._tables, pa.string()))
        encoded = pc.dictionary_encode(rows["position"].combine_chunks())
        met = Coded(encoded.indices, encoded.dictionary)
        taken = self._indicators.take(met.values.to_pylist())
        found = {}
        for scope in scopes:
            tables = {n for n, name in enumerate(self._tables) if scope.has_table(name)}
            narrow = [(parts, frozenset(tables))] if len(tables) < len(self._tables) else []
            if "*" not in scope.families or "*" not in scope.types:
                has = (
                    n
                    for n, one in enumerate(met.values.to_pylist())
                    if scope.has_indicator(taken[one])
                )
                narrow.append((met, frozenset(has)))
            found[scope] = narrow
        return found


def _covered(
    batch: Batch,
    asked: Sequence[Asked],
    scopes: _Scopes,
    *,
    sets: CoverSets,
    key: Key,
    values: dict[str, int],
) -> pa.Table:
    """The events whose set is another than that of their value, and the number of that set.

    Args:
        batch: Events.
        asked: What all exclusions ask.
        scopes: What scopes see.
        sets: Gets those that are met for the first time.
        key: What the values are of.
        values: Gets the values of these events that some exclusions cover, with their set.
    """
    others = {
        number: one
        for number, one in enumerate(asked)
        if one.fact is None or scopes.is_narrow(one.exclusion.scope)
    }
    by_value = _by_value(batch, asked, others, sets)
    values |= _known(batch, by_value, key)
    rows = batch.read(_sought(batch, others.values(), by_value, key))
    events = batch.events(rows)
    nothing = pa.nulls(rows.num_rows, pa.int32())
    layers = {
        (window, fact): pa.array(of_values, pa.int32()).take(events[window].coded[fact].codes)
        for (window, fact), of_values in by_value.items()
    }
    within = scopes.within({one.exclusion.scope for one in others.values()}, rows)
    places = {
        number: events[one.window].places(one.exclusion.when, within[one.exclusion.scope])
        for number, one in others.items()
    }
    numbers = sets.added(reduce(sets.united, layers.values(), nothing), places)
    # No set of an event is smaller than that of its value.
    is_other = pc.fill_null(pc.not_equal(numbers, layers.get(key, nothing)), fill_value=True)
    covered = pa.table({"event": rows["event"], "number": numbers})
    return covered.filter(pc.and_(pc.is_valid(numbers), is_other))


def _by_value(
    batch: Batch, asked: Iterable[Asked], others: Container[int], sets: CoverSets
) -> Mapping[Key, Sequence[int | None]]:
    """What is asked about to the set that covers each of its values, or None.

    Args:
        batch: Events.
        asked: What all exclusions ask.
        others: The numbers of those that cover no values as such.
        sets: Gets those that are met for the first time.
    """
    whole: defaultdict[Key, dict[int, frozenset[int]]] = defaultdict(dict)
    for number, one in enumerate(asked):
        if one.fact is not None and number not in others:
            judged = batch.judged[one.window]
            whole[one.window, one.fact][number] = judged.holding(one.exclusion.when, one.fact)
    return {
        (window, fact): sets.of_values(len(batch.judged[window].values[fact]), met)
        for (window, fact), met in whole.items()
    }


def _known(
    batch: Batch, by_value: Mapping[Key, Sequence[int | None]], key: Key
) -> Mapping[str, int]:
    """Value of ``key`` to its set, if it has one."""
    if key not in by_value:
        return {}
    told = batch.judged[key[0]].values[key[1]].to_pylist()
    known = zip(told, by_value[key], strict=True)
    return {value: number for value, number in known if number is not None}


def _sought(
    batch: Batch,
    others: Iterable[Asked],
    by_value: Mapping[Key, Sequence[int | None]],
    key: Key,
) -> Mapping[Key, set[int]] | None:
    """Which events have to be looked at, by the values that they tell; None for all."""
    found: defaultdict[Key, set[int]] = defaultdict(set)
    for one, numbers in by_value.items():
        if one != key:
            found[one] |= {value for value, number in enumerate(numbers) if number is not None}
    for asked in others:
        some = batch.sought(asked)
        if some is None:
            return None
        for fact, values in some.items():
            found[asked.window, fact] |= values
    return found
