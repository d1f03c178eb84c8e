"""Exclusions over the events of a hunt: which are suppressed, by which; none is removed.

Runs after matching: distinct combinations of indicator, table and facts are judged
(`foxhunt.exclusions.bulk`), and what holds is joined to the events, which are written once,
as the table ``judged`` that findings are made of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import duckdb

from foxhunt.engines.correlation import correlate, filled_column, windows_of
from foxhunt.engines.covering import load_covered
from foxhunt.engines.facts import column_of, fact_columns
from foxhunt.exclusions import (
    CORRELATED,
    FPLIST_ID,
    Exclusion,
    ExclusionSet,
    FalsePositives,
    can_hold,
)
from foxhunt.findings import ExclusionUse, Verdict
from foxhunt.indicators import IndicatorSet
from foxhunt.logs import LogPart
from foxhunt.rules import TYPES_MET
from foxhunt.tables import Fact, get_table

# An exclusion that covers most of what a hunt meets is named, unless that is next to nothing.
_GREEDY_FROM = 100
_STEP = 100_000_000_000_000_000_000
_VERDICT_RANK = " ".join(f"WHEN '{verdict}' THEN {verdict.rank}" for verdict in Verdict)
# `serious` orders a finding's events: most serious verdict first, then oldest.
_JUDGED = f"""
CREATE OR REPLACE TEMP TABLE judged AS
SELECT *, (CASE verdict {_VERDICT_RANK} END)::HUGEINT * {_STEP}
  + epoch_us(time)::HUGEINT * 1000 + part AS serious
FROM (
  SELECT events.* EXCLUDE (verdict{{facts}}), table_name, covering,
    CASE WHEN covering IS NULL THEN verdict ELSE 'suppressed' END AS verdict
  FROM events JOIN parts USING (part) LEFT JOIN covered ON events.rowid = covered.event
)
"""
# What covered an event before, and what it and one more id are numbered.
_MORE = """
CREATE OR REPLACE TEMP TABLE more AS
SELECT before, row_number() OVER () + (SELECT coalesce(max(covering), 0) FROM covering) AS after,
  list_append(coalesce(ids, []), $id) AS ids
FROM (SELECT DISTINCT covering AS before FROM judged
    WHERE position IN (SELECT unnest($positions::BIGINT[])))
  LEFT JOIN covering ON before = covering
"""


def suppress(
    con: duckdb.DuckDBPyConnection,
    parts: Sequence[LogPart],
    indicators: IndicatorSet,
    exclusions: Sequence[Exclusion],
) -> None:
    """Make ``judged``: the events with the number of the set of exclusions that cover each.

    The table ``covering`` has the ids of a set, in order; events that none covers have null.

    Args:
        con: With the temp tables ``events`` and ``parts`` of `LocalEngine`.
        parts: All logs; they may witness what an event's own row does not tell.
        indicators: The set that was hunted for.
        exclusions: Those that apply today.

    Raises:
        duckdb.Error: A witness's file cannot be read again.
    """
    facts, windows = fact_columns(exclusions), windows_of(exclusions)
    correlate(con, parts, facts, windows)
    load_covered(con, indicators, exclusions, facts, windows)
    filled = [filled_column(fact, w) for fact in facts if fact in CORRELATED for w in windows]
    collected = "".join(f", {name}" for name in (*map(column_of, facts), *filled))
    con.execute(_JUDGED.format(facts=collected))


def take_back(
    con: duckdb.DuckDBPyConnection, indicators: IndicatorSet, taken: FalsePositives | None
) -> tuple[ExclusionUse, ...]:
    """Mark the events of indicators that abuse.ch took back, by `FPLIST_ID`; and say how many."""
    if taken is None:
        return ()
    positions = list(taken.covered(indicators))
    con.execute(_MORE, {"id": FPLIST_ID, "positions": positions})
    con.execute("INSERT INTO covering SELECT after, ids FROM more")
    con.execute(
        f"UPDATE judged SET verdict = 'suppressed', serious = serious "
        f"+ {_STEP} * ({Verdict.SUPPRESSED.rank} - (CASE verdict {_VERDICT_RANK} END)), "
        "covering = after FROM more WHERE covering IS NOT DISTINCT FROM before "
        "AND position IN (SELECT unnest($positions::BIGINT[]))",
        {"positions": positions},
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
            "SELECT id, sum(events)::BIGINT, count(DISTINCT finding) FROM ("
            "  SELECT unnest(ids) AS id, events, (position, table_name, host_key) AS finding FROM ("
            "    SELECT covering, position, table_name, coalesce(host_key, '') AS host_key, "
            "      count(*) AS events FROM judged WHERE covering IS NOT NULL GROUP BY ALL"
            "  ) JOIN covering USING (covering)) GROUP BY id"
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
    ((events,),) = con.execute("SELECT count(*) FROM judged").fetchall()
    return tuple(
        ExclusionUse(
            id=one.id,
            suppressed_events=counts.get(one.id, (0, 0))[0],
            suppressed_findings=counts.get(one.id, (0, 0))[1],
            not_applicable_to=_not_applicable(one, told),
            warnings=tuple(_warnings(one, counts.get(one.id, (0, 0))[0], events, told, today)),
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
    exclusion: Exclusion,
    events: int,
    of_all: int,
    told: Mapping[str, frozenset[Fact]],
    today: date,
) -> Iterable[str]:
    if exclusion.is_expired(today):
        yield f"expired on {exclusion.expires}: it suppresses nothing any more"
        return
    for table in _not_applicable(exclusion, told):
        lacking = ", ".join(sorted(exclusion.facts - told[table]))
        yield f"{table} tells no {lacking}: its events stay as they are"
    if not events:
        yield "covered no event of this hunt"
    if events >= _GREEDY_FROM and events * 2 > of_all:
        yield f"covered {events:,} of all {of_all:,} events of this hunt: is it meant to?"
