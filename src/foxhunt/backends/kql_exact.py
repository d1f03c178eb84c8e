"""Exact mode: R1 to R6 as KQL, one query a column, or several when the list is long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

from foxhunt.backends import Delivery, Emission, Query, TimeBound
from foxhunt.backends.kql_exclusions import NOTHING_EXCLUDED, Excluding, exclude
from foxhunt.backends.kql_indicators import (
    SHAPES,
    Shape,
    entries_of,
    from_external_data,
    from_ti_table,
    from_watchlist,
)
from foxhunt.backends.kql_matching import lookups, steps_for
from foxhunt.backends.kql_parts import Part, split
from foxhunt.backends.kql_text import comment, timespan
from foxhunt.backends.kql_urls import functions_used
from foxhunt.backends.kql_verdict import verdict_steps
from foxhunt.errors import UnsupportedError
from foxhunt.exclusions import Exclusion
from foxhunt.rules import Observes, Rule
from foxhunt.tables import Table, get_table

# has_any takes up to 10,000 distinct values (Kusto docs, has-any-operator, 2024-09).
_MOST_VALUES = 10_000
# A workspace has room for 512 enabled rules (Sentinel docs, service limits, 2025): a family
# that needs more parts than these is looked up in a table instead.
_MOST_PARTS = 8


def exact_queries(
    rule: Rule, exclusions: Sequence[Exclusion], emission: Emission
) -> Iterator[Query]:
    """Yield the queries for each table and column.

    Raises:
        UnsupportedError: A value has no KQL literal, or a text gets too long.
    """
    for search in rule.searches:
        table = get_table(search.table)
        for part in search.predicate.parts:
            whole = listed_for(rule, part)
            if whole is not None:
                column = _Column(rule, table, part, _time_of(table, emission), emission)
                excluding = _excluded(column, exclusions)
                yield from _delivered(replace(column, excluding=excluding), whole)


def listed_for(rule: Rule, part: Observes) -> Part | None:
    """What is looked up in a column; None for nothing.

    Many columns show the same kind of thing, and a family is compiled once for each way in
    which it is deployed: it is made once.
    """
    shows, types = part.observable.shows, part.types
    key = listed_for, shows, types
    if key not in rule.memo:
        entries = [
            entry
            for one in rule.indicators
            if one.type in types
            for entry in entries_of(shows, one)
        ]
        rule.memo[key] = Part(SHAPES[shows], entries) if entries else None
    # The memo is of anybody's values; under this key is what was put there.
    return cast("Part | None", rule.memo[key])


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of a table that a rule's indicators are looked up in.

    Attributes:
        rule: Whose indicators.
        table: Of the column.
        part: The column, and the types of indicator that it can show.
        time: The column of the event's time.
        emission: How it is to be said.
        excluding: What leaves out the excluded.
    """

    rule: Rule
    table: Table
    part: Observes
    time: str
    emission: Emission
    excluding: Excluding = NOTHING_EXCLUDED

    @property
    def shape(self) -> Shape:
        return SHAPES[self.part.observable.shows]


def _time_of(table: Table, emission: Emission) -> str:
    wanted = emission.time_column
    return wanted if wanted is not None and wanted == table.other_time else table.time


def _excluded(column: _Column, exclusions: Sequence[Exclusion]) -> Excluding:
    return exclude(
        column.rule,
        column.table,
        column.part,
        exclusions,
        column.emission,
        has_indicator=True,
        time=column.time,
    )


def watchlist_alias(malware: str) -> str:
    """The alias of the watchlist that holds a family's indicators.

    >>> watchlist_alias("win.asyncrat")
    'foxhunt-win-asyncrat'
    """
    kept = "".join(char if char.isascii() and char.isalnum() else "-" for char in malware)
    return f"foxhunt-{kept}"[:64]


def _delivered(column: _Column, whole: Part) -> Iterator[Query]:
    match column.emission.delivery:
        case Delivery.INLINE | Delivery.PARTS:
            yield from _in_text(column, whole)
        case Delivery.AUTO:
            queries = _few_parts(column, whole)
            yield from queries or [_read_from(column, whole, Delivery.TI_TABLE)]
        case delivery:
            yield _read_from(column, whole, delivery)


def _few_parts(column: _Column, whole: Part) -> list[Query]:
    """The queries in parts, or none when there would be many."""
    most = column.emission.most_characters
    # An entry has its value and some 30 characters of dates: not worth building to count.
    if most and whole.value_length + 30 * len(whole.entries) > most * _MOST_PARTS:
        return []
    queries = list(_in_text(column, whole))
    return queries if len(queries) <= _MOST_PARTS else []


def _in_text(column: _Column, whole: Part) -> Iterator[Query]:
    most = column.emission.most_characters
    is_whole = column.emission.delivery is Delivery.INLINE

    tried: dict[str, Query] = {}

    def fits(part: Part) -> bool:
        if len(part.entries) > _MOST_VALUES:
            return False
        if is_whole or most is None:
            return True
        # Seen without building its text: a value has quotes, a comma and a space.
        if part.value_length + 4 * len(part.entries) > most or part.length > most:
            return False
        tried[part.name] = _listed(column, part)
        return len(tried[part.name].text) <= most

    for part in split(whole, fits):
        query = tried.get(part.name) or _listed(column, part)
        if most is not None and len(query.text) > most:
            raise UnsupportedError(
                f"{query.heading} has {len(query.text):,} characters; a rule has room for {most:,}",
                hint="--delivery parts, or ti-table",
            )
        yield query


def _listed(column: _Column, part: Part) -> Query:
    """The query with a list in its text: time, index, exact comparison, in this order."""
    steps = steps_for(column.part.observable, part)
    source = [*part.lines]
    source[-1] += ";"
    if "lookups" in steps.prefilter:
        source.append(lookups(column.shape))
    body = [
        column.table.name,
        *_bound(column),
        f"| where {steps.prefilter}",
        *(f"| {step}" for step in steps.observing),
        f"| extend Match = {steps.match}",
        '| where Match != ""',
    ]
    return _query(column, part, source, body)


def _read_from(column: _Column, whole: Part, delivery: Delivery) -> Query:
    """The query over a list kept elsewhere: distinct values are compared, then their rows read."""
    shape, types, emission = column.shape, column.part.types, column.emission
    match delivery:
        case Delivery.WATCHLIST:
            source = from_watchlist(types, shape, watchlist_alias(column.rule.malware))
        case Delivery.EXTERNALDATA:
            if emission.data_url is None:
                raise UnsupportedError(
                    "externaldata needs the address its list is read from", hint="--data-url URL"
                )
            url = f"{emission.data_url.rstrip('/')}/indicators.csv"
            source = from_external_data(types, shape, url)
        case _:
            rule = column.rule
            # The table does not say under which of several names an indicator was listed, and an
            # exclusion of one of them must not cover the others' rows.
            shown = rule.name if whole.is_of_one_name else rule.malware
            source = from_ti_table(types, shape, rule.malware, shown)
    source[-1] += ";"
    steps = steps_for(column.part.observable, None)
    name = column.part.observable.column
    read = [column.table.name, *_bound(column), f"| where {steps.prefilter}"]
    source += [
        f"let observed = materialize({read[0]}",
        *read[1:],
        f"| summarize by {name}",
        *(f"| {step}" for step in steps.observing),
        ");",
    ]
    body = [
        *read,
        f"| where {name} in ((observed | project {name}))",
        f"| join kind=inner (observed) on {name}",
        f"| extend Match = {steps.match}",
        '| where Match != ""',
    ]
    return _query(column, whole, source, body, is_listed=False)


def _bound(column: _Column) -> Iterator[str]:
    match column.emission.bound:
        case TimeBound.AGO:
            yield f"| where {column.time} > ago({timespan(column.emission.lookback)})"
        case TimeBound.PORTAL:
            yield f"| where {column.time} between (starttime .. endtime)"
        case TimeBound.RUNNER:
            pass
    if column.emission.ingested is not None:
        # An event that came in late is looked at once, and one that was looked at is not again.
        yield f"| where ingestion_time() > ago({timespan(column.emission.ingested)})"


_PORTAL = (
    "let starttime = todatetime('{{StartTimeISO}}');",
    "let endtime = todatetime('{{EndTimeISO}}');",
)


def _query(
    column: _Column,
    part: Part,
    source: Sequence[str],
    body: Sequence[str],
    *,
    is_listed: bool = True,
) -> Query:
    table, observable = column.table, column.part.observable
    kinds = ", ".join(column.part.types)
    may_be_stale = part.has_validity or not is_listed
    verdict = verdict_steps(table, observable, column.time, may_be_stale=may_be_stale)
    name = part.name if is_listed else ""
    algorithm = 'extend HashAlgorithm = toupper(replace_string(IndicatorType, "_hash", ""))'
    shown = _shown(column)
    found = [
        *body,
        *(f"| {step}" for step in verdict),
        *(['| where Verdict == "open"'] if column.emission.is_alert else []),
        *([f"| {algorithm}"] if column.shape is Shape.HASH else []),
    ]
    lines = [
        *column.excluding.after(source, found),
        f"| project {', '.join(shown)}",
        f"| order by {column.time} desc",
    ]
    heading = f"{table.name}.{observable.column}: {kinds}"
    key = f"{table.name}-{observable.column}".lower()
    return Query(
        table=table.name,
        columns=(observable.column,),
        heading=f"{heading}, part {name}" if name else heading,
        text="\n".join([*_head(column, name), *functions_used(lines), *lines]),
        key=f"{key}-{name}" if name else key,
        shown=shown,
        threat_types=part.threat_types,
        confidence=part.confidence,
    )


def _head(column: _Column, name: str) -> Iterator[str]:
    where = f"{column.table.name}.{column.part.observable.column}"
    yield comment(f"Hunt for {', '.join(column.part.types)} of {column.rule.name} in {where}")
    yield comment(f"Source: ThreatFox - {column.rule.name}" + (f" - part {name}" if name else ""))
    if column.emission.bound is TimeBound.PORTAL:
        yield from _PORTAL


def _shown(column: _Column) -> tuple[str, ...]:
    """Whose machine, user, process and port it was, then what was met and how."""
    table, observable = column.table, column.part.observable
    context = [*observable.host, *observable.user, *table.process]
    context += [observable.port] if observable.port else []
    context += [table.action.column] if table.action else []
    names = [
        column.time,
        *(name for name in (*column.emission.event_keys, *context) if name in table.columns),
        observable.column,
        *(["HashAlgorithm"] if column.shape is Shape.HASH else []),
        *("Indicator", "IndicatorType", "Malware", "ConfidenceLevel", "Match", "Verdict"),
    ]
    return tuple(dict.fromkeys(names))
