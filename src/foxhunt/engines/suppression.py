"""Exclusions over the events of a hunt: which are suppressed, by which; none is removed.

Runs after matching: what covers values and events (`covering`) is joined to the events, which are
written once, as the table ``judged`` that findings are made of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from foxhunt.findings import ExclusionUse, Finding, Verdict
from foxhunt.indicators import IndicatorSet, IndicatorType
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
  SELECT events.* EXCLUDE (verdict{{facts}}), table_name,
    coalesce(covered.number, covered_values.number) AS covering,
    CASE WHEN covering IS NULL THEN verdict ELSE 'suppressed' END AS verdict
  FROM events JOIN parts USING (part)
    LEFT JOIN covered ON events.rowid = covered.event
    LEFT JOIN covered_values ON events.{{by}} = covered_values.value
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
_EVENTS_OF_EACH = """
SELECT id, sum(events)::BIGINT FROM (
  SELECT unnest(ids) AS id, events FROM covering JOIN (
    SELECT covering, count(*) AS events FROM judged WHERE covering IS NOT NULL GROUP BY covering
  ) USING (covering)
) GROUP BY id
"""
_COUNTS = """
SELECT count(*), count(DISTINCT (position, table_name, coalesce(host_key, '')))
FROM judged JOIN covering USING (covering) WHERE list_contains(ids, $id)
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
    by = load_covered(con, indicators, exclusions)
    filled = [filled_column(fact, w) for fact in facts if fact in CORRELATED for w in windows]
    collected = "".join(f", {name}" for name in (*map(column_of, facts), *filled))
    con.execute(_JUDGED.format(facts=collected, by=by))


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
    ((events, findings),) = con.execute(_COUNTS, {"id": FPLIST_ID}).fetchall()
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


def exclusion_uses(
    con: duckdb.DuckDBPyConnection,
    exclusions: ExclusionSet,
    findings: Iterable[Finding],
    told: Mapping[str, frozenset[Fact]],
    today: date,
) -> tuple[ExclusionUse, ...]:
    """What each exclusion did: events and findings, tables it cannot answer for, warnings.

    Args:
        con: With the temp tables ``judged`` and ``covering``.
        exclusions: All that were given, expired ones too.
        findings: Those of ``judged``, which need not be grouped again to count them.
        told: Table that was hunted to the facts that its events tell.
        today: The day (UTC) of the hunt.
    """
    suppressed = dict(con.execute(_EVENTS_OF_EACH).fetchall())
    touched = Counter(id_ for finding in findings for id_ in finding.suppressed_by)
    ((events,),) = con.execute("SELECT count(*) FROM judged").fetchall()
    types = {name: frozenset(_types_met(name)) for name in told}
    uses = []
    for one in exclusions:
        covered = suppressed.get(one.id, 0)
        untold = _untold(one, told, types)
        use = ExclusionUse(
            id=one.id,
            suppressed_events=covered,
            suppressed_findings=touched[one.id],
            not_applicable_to=tuple(untold),
            warnings=tuple(_warnings(one, covered, events, untold, today)),
        )
        uses.append(use)
    return tuple(uses)


def _types_met(name: str) -> Iterator[IndicatorType]:
    """The types of indicator that rows of a table can meet."""
    for one in get_table(name).observables:
        yield from TYPES_MET[one.shows]


def _untold(
    exclusion: Exclusion,
    told: Mapping[str, frozenset[Fact]],
    types: Mapping[str, frozenset[IndicatorType]],
) -> dict[str, frozenset[Fact]]:
    """Hunted tables in the scope that cannot tell what the exclusion asks for; what they lack."""
    return {
        name: exclusion.facts - facts
        for name, facts in told.items()
        if exclusion.scope.has_table(name)
        and not can_hold(exclusion.when, facts)
        and any(map(exclusion.scope.has_type, types[name]))
    }


def _warnings(
    exclusion: Exclusion,
    events: int,
    of_all: int,
    untold: Mapping[str, frozenset[Fact]],
    today: date,
) -> Iterable[str]:
    if exclusion.is_expired(today):
        yield f"expired on {exclusion.expires}: it suppresses nothing any more"
        return
    for table, facts in untold.items():
        yield f"{table} tells no {', '.join(sorted(facts))}: its events stay as they are"
    if not events:
        yield "covered no event of this hunt"
    if events >= _GREEDY_FROM and events * 2 > of_all:
        yield f"covered {events:,} of all {of_all:,} events of this hunt: is it meant to?"
