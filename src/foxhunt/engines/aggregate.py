"""From events to findings, in DuckDB: one a (indicator, table, host)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any

import duckdb

from foxhunt.exclusions import WarningLists, label_indicators
from foxhunt.findings import Finding, MatchKind, Verdict, finding_id, severity_of
from foxhunt.indicators import Indicator, IndicatorSet
from foxhunt.logs import LogPart
from foxhunt.sql import identifier

_MOST_OBSERVED = 20
_MOST_ROWS = 5

# Most serious verdict first, then oldest; arg_min skips
# events whose value is NULL, so a process known for one event is not lost to another's silence.
_GROUPS = """
CREATE OR REPLACE TEMP TABLE grouped AS
SELECT position, table_name, host_key, row_number() OVER () - 1 AS finding,
  count(*) AS events, min(time) AS first_event, max(time) AS last_event,
  min_by(kind, kind_rank) AS kind, min_by(col, kind_rank * 100 + col_rank) AS col,
  min_by(host, serious) AS host, min_by("user", serious) AS "user",
  min_by(process, serious) AS process, min_by(direction, serious) AS direction,
  CASE WHEN bool_and(action IS NOT DISTINCT FROM 'blocked') THEN 'blocked'
    WHEN bool_or(action = 'allowed') THEN 'allowed' END AS action,
  count(*) FILTER (verdict = 'open') AS open, count(*) FILTER (verdict = 'inbound') AS inbound,
  count(*) FILTER (verdict = 'stale') AS stale,
  count(*) FILTER (verdict = 'suppressed') AS suppressed,
  list(DISTINCT covering) FILTER (covering IS NOT NULL) AS coverings
FROM judged GROUP BY position, table_name, host_key
"""


def collect_findings(
    con: duckdb.DuckDBPyConnection,
    parts: Sequence[LogPart],
    indicators: IndicatorSet,
    warninglists: WarningLists | None = None,
    *,
    kept: Mapping[int, str] = MappingProxyType({}),
    also_listed: Mapping[int, tuple[Indicator, ...]] = MappingProxyType({}),
) -> tuple[Finding, ...]:
    """Build the findings of the events in ``con``; most serious, most urgent, newest first.

    Needs the temp table ``judged`` of `suppress`.

    Args:
        con: With the events.
        parts: Where they were found.
        indicators: The set that was hunted for.
        warninglists: Lists that label findings.
        kept: `LocalEngine.evidence`.
        also_listed: What `fold_listings` gave.

    Raises:
        duckdb.Error: A file that was read before cannot be read again for its evidence.
    """
    con.execute(_GROUPS)
    observed = _observed(con)
    evidence = _evidence(con, parts, kept)
    cursor = con.execute("SELECT * FROM grouped ORDER BY finding")
    names = [column[0] for column in cursor.description or ()]
    groups = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    wanted = indicators.take(group["position"] for group in groups)
    builtin = label_indicators(indicators.subset(wanted))
    labels = {at: builtin.get(number, ()) for number, at in enumerate(wanted)}
    listed = _listed(wanted, warninglists)
    sets: dict[int, list[str]] = dict(con.execute("FROM covering").fetchall())
    findings = [
        _finding(
            group,
            wanted[group["position"]],
            observed,
            evidence,
            suppressed_by=tuple(
                sorted({id_ for number in group["coverings"] or () for id_ in sets[number]})
            ),
            labels=labels[group["position"]],
            listed=listed[group["position"]],
            also=also_listed.get(group["position"], ()),
        )
        for group in groups
    ]
    return tuple(sorted(findings, key=_order))


def _listed(
    wanted: Mapping[int, Indicator], warninglists: WarningLists | None
) -> Mapping[int, tuple[str, ...]]:
    """Position of an indicator to the names of the warning lists that know its value."""
    if warninglists is None:
        return dict.fromkeys(wanted, ())
    values = [(str(one.type), one.value) for one in wanted.values()]
    return dict(zip(wanted, warninglists.labels_of(values), strict=True))


def _finding(
    group: Mapping[str, Any],  # a row of `grouped`: DuckDB's rows carry no types
    indicator: Indicator,
    observed: Mapping[int, tuple[str, ...]],
    evidence: Mapping[int, tuple[Mapping[str, object], ...]],
    *,
    suppressed_by: tuple[str, ...],
    labels: tuple[str, ...],
    listed: tuple[str, ...],
    also: tuple[Indicator, ...],
) -> Finding:
    kind = MatchKind(group["kind"])
    by_verdict = {verdict: group[verdict] for verdict in Verdict if group[verdict]}
    is_blocked = group["action"] == "blocked"
    return Finding(
        id=finding_id(indicator, group["table_name"], group["host"]),
        verdict=next(iter(by_verdict)),
        severity=severity_of(
            kind,
            max(one.confidence_level for one in (indicator, *also)),
            is_blocked=is_blocked,
            is_well_known=bool(listed),
        ),
        indicator=indicator,
        also_listed_by=also,
        table=group["table_name"],
        column=group["col"],
        match=kind,
        observed=observed[group["finding"]],
        host=group["host"],
        user=group["user"],
        process=group["process"],
        direction=group["direction"],
        action=group["action"],
        first_event=group["first_event"].replace(tzinfo=UTC),
        last_event=group["last_event"].replace(tzinfo=UTC),
        events=group["events"],
        by_verdict=by_verdict,
        suppressed_by=suppressed_by,
        labels=(*labels, *listed),
        rows=evidence.get(group["finding"], ()),
    )


def _order(finding: Finding) -> tuple[int, int, float, str]:
    newest_first = -finding.last_event.timestamp()
    return finding.verdict.rank, finding.severity.rank, newest_first, finding.id


def _observed(con: duckdb.DuckDBPyConnection) -> dict[int, tuple[str, ...]]:
    """Finding number to its values as logged, most frequent first."""
    rows = con.execute(
        "SELECT finding, observed FROM (SELECT finding, observed, count(*) AS n FROM judged "
        "JOIN grouped ON judged.position = grouped.position "
        "AND judged.table_name = grouped.table_name "
        "AND judged.host_key IS NOT DISTINCT FROM grouped.host_key GROUP BY ALL) "
        "QUALIFY row_number() OVER (PARTITION BY finding ORDER BY n DESC, observed) <= ? "
        "ORDER BY finding, n DESC, observed",
        [_MOST_OBSERVED],
    ).fetchall()
    found: defaultdict[int, list[str]] = defaultdict(list)
    for finding, value in rows:
        found[finding].append(value)
    return {finding: tuple(values) for finding, values in found.items()}


def _evidence(
    con: duckdb.DuckDBPyConnection, parts: Sequence[LogPart], kept: Mapping[int, str]
) -> dict[int, tuple[Mapping[str, object], ...]]:
    """Finding number to whole rows of its most serious events, fetched once a part."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE evidence AS "
        "SELECT finding, part, row, serious FROM judged JOIN grouped "
        "ON judged.position = grouped.position AND judged.table_name = grouped.table_name "
        "AND judged.host_key IS NOT DISTINCT FROM grouped.host_key "
        "QUALIFY row_number() OVER (PARTITION BY finding ORDER BY serious, row) <= ?",
        [_MOST_ROWS],
    )
    needed = con.execute("SELECT DISTINCT part FROM evidence ORDER BY part").fetchall()
    rows = {
        (part, row["_row"]): row
        for (part,) in needed
        for row in _whole_rows(con, parts[part], part, kept.get(part))
    }
    found: defaultdict[int, list[Mapping[str, object]]] = defaultdict(list)
    for finding, part, row in con.execute(
        "SELECT finding, part, row FROM evidence ORDER BY finding, serious, row"
    ).fetchall():
        # Counted as an event when it was there: the finding stays, and says what it lacks.
        gone = {"_file": parts[part].file.name, "_row": row, "_gone": "the file changed since"}
        found[finding].append(rows.get((part, row), gone))
    return {finding: tuple(whole) for finding, whole in found.items()}


def _whole_rows(
    con: duckdb.DuckDBPyConnection, part: LogPart, number: int, kept: str | None
) -> Iterator[Mapping[str, object]]:
    columns = ", ".join(["_row", *map(identifier, part.columns)])
    try:
        cursor = con.execute(
            f"SELECT {columns} FROM {identifier(kept or part.view)} "
            "WHERE _row IN (SELECT row FROM evidence WHERE part = ?)",
            [number],
        )
        found = cursor.fetchall()
    except duckdb.Error:
        return  # the file is not what it was: each row it should have given says so
    names = [column[0] for column in cursor.description or ()]
    for values in found:
        row = dict(zip(names, values, strict=True))
        yield {"_file": part.file.name, **{n: _plain(v) for n, v in row.items() if v is not None}}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).isoformat().replace("+00:00", "Z")
    return value if isinstance(value, str | int | float | bool) else str(value)


def timeline(con: duckdb.DuckDBPyConnection) -> tuple[tuple[str, str, Verdict, int], ...]:
    """Host (``""`` for none), day, verdict, number of events; of the table ``judged``."""
    rows: Iterable[tuple[str, date, str, int]] = con.execute(
        "SELECT min(coalesce(host, '')), time::DATE AS day, verdict, count(*) FROM judged "
        "GROUP BY host_key, day, verdict ORDER BY 1, 2, 3"
    ).fetchall()
    return tuple((host, day.isoformat(), Verdict(verdict), n) for host, day, verdict, n in rows)
