"""Exclusions over the events of a hunt: which are suppressed, by which; none is removed.

Runs after matching, on the events table: distinct combinations of indicator, table and
facts are judged (`foxhunt.exclusions.bulk`), and what holds is joined back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from foxhunt.engines.correlation import correlate, filled_column, windows_of
from foxhunt.engines.facts import column_of, fact_columns
from foxhunt.exclusions import (
    CORRELATED,
    FPLIST_ID,
    Exclusion,
    ExclusionSet,
    FalsePositives,
    can_hold,
    conditions,
)
from foxhunt.exclusions.bulk import judge
from foxhunt.exclusions.patterns import MINUTES_A_DAY, HoursPattern
from foxhunt.findings import ExclusionUse
from foxhunt.indicators import Indicator, IndicatorSet
from foxhunt.logs import LogPart
from foxhunt.rules import TYPES_MET
from foxhunt.tables import Fact, get_table


def suppress(
    con: duckdb.DuckDBPyConnection,
    parts: Sequence[LogPart],
    indicators: IndicatorSet,
    exclusions: Sequence[Exclusion],
) -> None:
    """Mark the events that ``exclusions`` cover: ``suppressed_by`` gets their ids, in order.

    Args:
        con: With the temp tables ``events`` and ``parts`` of `LocalEngine`.
        parts: All logs; they may witness what an event's own row does not tell.
        indicators: The set that was hunted for.
        exclusions: Those that apply today.

    Raises:
        duckdb.Error: A witness's file cannot be read again.
    """
    if not exclusions:
        return
    facts = fact_columns(exclusions)
    windows = windows_of(exclusions)
    correlate(con, parts, facts, windows)
    filled = [filled_column(f, w) for f in facts if f in CORRELATED for w in windows]
    names = [*map(column_of, facts), *filled]
    _make_keys(con, names, exclusions)
    keys: pa.Table = con.table("keys").order("key").to_arrow_table().combine_chunks()
    if not keys.num_rows:
        return
    by_position = indicators.take(set(keys["position"].to_pylist()))
    columns = {
        Fact.HOURS: pc.cast(_plain(keys["slot"]), pa.string()),
        Fact.INDICATOR: _values(keys["position"], by_position),
        **{fact: _plain(keys[column_of(fact)]) for fact in facts},
    }
    scopes = _Scopes(keys, by_position)
    pairs: list[tuple[int, pa.Array]] = []
    for window in {one.within for one in exclusions}:
        chosen = [n for n, one in enumerate(exclusions) if one.within == window]
        seen = {
            fact: _plain(keys[filled_column(fact, window)])
            for fact in facts
            if fact in CORRELATED and window in windows
        }
        results = judge([exclusions[n] for n in chosen], columns | seen, keys.num_rows)
        for number, holds in zip(chosen, results, strict=True):
            covered = pc.and_kleene(scopes.of(exclusions[number]), holds)
            pairs.append((number, pc.indices_nonzero(pc.fill_null(covered, False))))
    _mark(con, names, exclusions, pairs)


def _plain(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _make_keys(
    con: duckdb.DuckDBPyConnection, names: Sequence[str], exclusions: Sequence[Exclusion]
) -> None:
    """Number the distinct combinations of what conditions and scopes can see."""
    listed = "".join(f", {name}" for name in names)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE keys AS SELECT row_number() OVER () - 1 AS key, * FROM "
        f"(SELECT DISTINCT position, table_name, {_slot_sql(exclusions)} AS slot{listed} "
        f"FROM events JOIN parts USING (part))"
    )


def _slot_sql(exclusions: Sequence[Exclusion]) -> str:
    """SQL: the last minute of the week, of those at which some span of hours begins or ends."""
    borders = sorted(
        {
            minute
            for exclusion in exclusions
            for condition in conditions(exclusion.when)
            for pattern in condition.patterns
            if isinstance(pattern, HoursPattern)
            for minute in (pattern.start, pattern.end)
        }
        | {0}
    )
    minute = f"((isodow(time) - 1) * {MINUTES_A_DAY} + hour(time) * 60 + minute(time))"
    if len(borders) == 1:
        return "0"
    listed = ", ".join(map(str, borders))
    return f"list_max(list_filter([{listed}], lambda border: border <= {minute}))"


def _values(positions: pa.ChunkedArray, by_position: dict[int, Indicator]) -> pa.Array:
    return pa.array([by_position[position].value for position in positions.to_pylist()])


class _Scopes:
    """Which keys an exclusion's scope takes in; worked out once a scope."""

    def __init__(self, keys: pa.Table, by_position: dict[int, Indicator]) -> None:
        self._tables = pc.dictionary_encode(_plain(keys["table_name"]))
        self._positions = pc.dictionary_encode(_plain(keys["position"]))
        self._indicators = [by_position[p] for p in self._positions.dictionary.to_pylist()]
        self._known: dict[object, pa.BooleanArray] = {}

    def of(self, exclusion: Exclusion) -> pa.BooleanArray:
        scope = exclusion.scope
        if scope not in self._known:
            tables = [scope.has_table(name) for name in self._tables.dictionary.to_pylist()]
            members = [scope.has_indicator(one) for one in self._indicators]
            self._known[scope] = pc.and_(
                pc.take(pa.array(tables, pa.bool_()), self._tables.indices),
                pc.take(pa.array(members, pa.bool_()), self._positions.indices),
            )
        return self._known[scope]


def _mark(
    con: duckdb.DuckDBPyConnection,
    names: Sequence[str],
    exclusions: Sequence[Exclusion],
    pairs: Sequence[tuple[int, pa.Array]],
) -> None:
    covered = pa.table(
        {
            "exclusion": pa.array([n for n, keys in pairs for _ in range(len(keys))], pa.int32()),
            "key": pa.array([key for _, keys in pairs for key in keys.to_pylist()], pa.int64()),
        }
    )
    if not covered.num_rows:
        return
    ids = pa.table(
        {
            "exclusion": pa.array(range(len(exclusions)), pa.int32()),
            "id": pa.array([one.id for one in exclusions], pa.string()),
        }
    )
    con.register("covered_keys", covered)
    con.register("exclusion_ids", ids)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE covered AS SELECT keys.*, ids FROM keys JOIN "
        "(SELECT key, list(id ORDER BY exclusion) AS ids FROM covered_keys "
        "JOIN exclusion_ids USING (exclusion) GROUP BY key) USING (key)"
    )
    con.unregister("covered_keys")
    con.unregister("exclusion_ids")
    same = "".join(f" AND events.{name} IS NOT DISTINCT FROM covered.{name}" for name in names)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE events AS "
        f"SELECT events.* EXCLUDE (table_name, slot) REPLACE (ids AS suppressed_by, "
        f"CASE WHEN ids IS NULL THEN verdict ELSE 'suppressed' END AS verdict) "
        f"FROM (SELECT events.*, table_name, {_slot_sql(exclusions)} AS slot FROM events "
        f"JOIN parts USING (part)) AS events LEFT JOIN covered "
        f"ON events.position = covered.position AND events.table_name = covered.table_name "
        f"AND events.slot = covered.slot{same}"
    )


def take_back(
    con: duckdb.DuckDBPyConnection, indicators: IndicatorSet, taken: FalsePositives | None
) -> tuple[ExclusionUse, ...]:
    """Mark the events of indicators that abuse.ch took back, by `FPLIST_ID`; and say how many."""
    if taken is None:
        return ()
    con.execute(
        "UPDATE events SET verdict = 'suppressed', "
        "suppressed_by = list_append(coalesce(suppressed_by, []), $id) "
        "WHERE position IN (SELECT unnest($positions::BIGINT[]))",
        {"id": FPLIST_ID, "positions": list(taken.covered(indicators))},
    )
    events, findings = _counts(con).get(FPLIST_ID, (0, 0))
    unread = len(taken.unread)
    warnings = (f"{unread:,} entries of the list cannot be read",) if unread else ()
    return (
        ExclusionUse(
            id=FPLIST_ID,
            suppressed_events=events,
            suppressed_findings=findings,
            not_applicable_to=(),
            warnings=warnings,
        ),
    )


def _counts(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, int]]:
    """Id of an exclusion to the events and findings that it covers."""
    return {
        id_: (events, findings)
        for id_, events, findings in con.execute(
            "SELECT id, count(*), count(DISTINCT (position, table_name, coalesce(host_key, ''))) "
            "FROM (SELECT unnest(suppressed_by) AS id, position, table_name, host_key "
            "FROM events JOIN parts USING (part)) GROUP BY id"
        ).fetchall()
    }


def exclusion_uses(
    con: duckdb.DuckDBPyConnection,
    exclusions: ExclusionSet,
    told: Mapping[str, frozenset[Fact]],
    today: date,
) -> tuple[ExclusionUse, ...]:
    """What each exclusion did: events and findings, tables it cannot answer for, warnings.

    Args:
        con: With the temp tables ``events`` and ``parts``.
        exclusions: All that were given, expired ones too.
        told: Table that was hunted to the facts that its events tell.
        today: The day (UTC) of the hunt.
    """
    counts = _counts(con)
    return tuple(
        ExclusionUse(
            id=one.id,
            suppressed_events=counts.get(one.id, (0, 0))[0],
            suppressed_findings=counts.get(one.id, (0, 0))[1],
            not_applicable_to=_not_applicable(one, told),
            warnings=tuple(_warnings(one, counts.get(one.id, (0, 0))[0], told, today)),
        )
        for one in exclusions
    )


def _not_applicable(exclusion: Exclusion, told: Mapping[str, frozenset[Fact]]) -> tuple[str, ...]:
    """Hunted tables in the exclusion's scope whose events cannot tell what it asks for."""
    return tuple(
        name
        for name, facts in told.items()
        if exclusion.scope.has_table(name)
        and any(
            exclusion.scope.has_type(type_)
            for one in get_table(name).observables
            for type_ in TYPES_MET[one.shows]
        )
        and not can_hold(exclusion.when, facts)
    )


def _warnings(
    exclusion: Exclusion, events: int, told: Mapping[str, frozenset[Fact]], today: date
) -> Iterable[str]:
    if exclusion.is_expired(today):
        yield f"expired on {exclusion.expires}: it suppresses nothing any more"
        return
    for table in _not_applicable(exclusion, told):
        lacking = ", ".join(sorted(exclusion.facts - told[table]))
        yield f"{table} tells no {lacking}: its events stay as they are"
    if not events:
        yield "covered no event of this hunt"
