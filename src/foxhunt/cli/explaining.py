"""Why an event is or is not suppressed: each exclusion's conditions over what a row tells."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from foxhunt.errors import TableError, UsageError
from foxhunt.exclusions import AllOf, AnyOf, Condition, Exclusion, NotOf, Predicate, holds
from foxhunt.exclusions.patterns import (
    DAYS,
    MINUTES_A_DAY,
    DomainPattern,
    HoursPattern,
    Pattern,
    RegexPattern,
)
from foxhunt.indicators import Indicator, IndicatorType
from foxhunt.reports.text import prose, shown
from foxhunt.tables import Fact, Observable, Table, get_table

_WORDS = {True: "yes", False: "no", None: "unknown"}
# What a row tells of these is a stranger's, and may be clicked.
_DEFANGED = frozenset({Fact.DOMAIN, Fact.URL, Fact.REMOTE_IP, Fact.INDICATOR})


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedRow:
    """A row to explain.

    Attributes:
        table: Of the row.
        observable: The column that matched.
        indicator: What was met, as a report has it, without aliases; None for a row alone.
        values: Column to value.
        suppressed_by: The exclusions that cover events of the row's finding.
    """

    table: Table
    observable: Observable
    indicator: Indicator | None
    values: Mapping[str, object]
    suppressed_by: tuple[str, ...] = ()


def rows_of(what: str, report: Path | None, table: str | None) -> list[ExplainedRow]:
    """The rows of a finding in a report, or the one row given as JSON.

    Raises:
        UsageError: Neither, no such finding, or no JSON.
    """
    if report is not None:
        return _finding_rows(what, report)
    if table is None:
        raise UsageError("a row needs --table, a finding's id --report", hint="--table DnsEvents")
    text = sys.stdin.read() if what == "-" else what
    try:
        values = json.loads(text)
    except ValueError as error:
        raise UsageError(f"the row is not JSON: {error}") from None
    if not isinstance(values, dict):
        raise UsageError("the row is no JSON object")
    known = get_table(table)
    matched = next(
        (one for one in known.observables if values.get(one.column)), known.observables[0]
    )
    return [ExplainedRow(table=known, observable=matched, indicator=None, values=values)]


def _finding_rows(id_: str, report: Path) -> list[ExplainedRow]:
    refused = f"{report} is no report of `hunt --format json`"
    try:
        found = json.loads(report.read_text("utf-8"))["findings"]
        chosen = [one for one in found if one["id"].startswith(id_)]
        if len(chosen) != 1:
            raise UsageError(
                f"{len(chosen)} findings of {report} have an id that begins with {id_!r}"
            )
        return list(_rows(chosen[0]))
    except OSError as error:
        raise UsageError(f"cannot read {report}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, TableError) as error:
        raise UsageError(f"{refused}: {error}") from error


def _rows(finding: Mapping[str, Any]) -> Iterator[ExplainedRow]:  # Any: JSON
    table = get_table(finding["table"])
    (matched,) = (one for one in table.observables if one.column == finding["column"])
    told = finding["indicator"]
    names = ("value", "source", "source_id", "threat_type", "malware", "malware_printable")
    texts = {name: told[name] for name in names}
    if not all(isinstance(text, str) for text in texts.values()):
        raise TypeError("a field of an indicator is no text")
    indicator = Indicator(
        **texts,
        type=IndicatorType(told["type"]),
        confidence_level=told["confidence_level"],
        first_seen=datetime.fromisoformat(told["first_seen"]).astimezone(UTC),
    )
    for row in finding["rows"]:
        yield ExplainedRow(
            table=table,
            observable=matched,
            indicator=indicator,
            values=dict(row),
            suppressed_by=tuple(finding["suppressed_by"]),
        )


def facts_of(row: ExplainedRow) -> dict[Fact, list[str]]:
    """What the row tells, fact by fact."""
    facts: dict[Fact, list[str]] = {}
    for fact in Fact:
        columns = row.table.fact_columns(fact, row.observable)
        told = [str(row.values[c]) for c in columns if row.values.get(c) not in (None, "")]
        if told:
            facts[fact] = told[:1] if fact is Fact.HOST else told
    if row.indicator is not None:
        facts[Fact.INDICATOR] = [row.indicator.value]
    time = _time(row.values.get(row.table.time))
    if time is not None:
        minute = time.weekday() * MINUTES_A_DAY + time.hour * 60 + time.minute
        facts[Fact.HOURS] = [str(minute)]
    return facts


def _time(value: object) -> datetime | None:
    """A row's time in UTC (R7), or None when it is not spelled as ISO 8601."""
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
        # One without an offset is UTC; another is, whatever this machine's zone is.
        return time if time is None or time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def explain(
    rows: Sequence[ExplainedRow], exclusions: Sequence[Exclusion], today: date
) -> Iterator[str]:
    """Yield lines: for each row each exclusion, and below it its conditions.

    Args:
        rows: Of one finding, or one row.
        exclusions: All of them are tried.
        today: The day (UTC) that expiry is judged by.
    """
    for number, row in enumerate(rows, start=1):
        facts = facts_of(row)
        values = tuple(text for fact in _DEFANGED for text in facts.get(fact, ()))
        told = f"row {number} of {row.table.name}: {json.dumps(dict(row.values))}"
        yield prose(told, values, limit=300)
        for one in exclusions:
            yield from _explained(one, row, facts, today)


def _explained(
    one: Exclusion, row: ExplainedRow, facts: Mapping[Fact, Sequence[str]], today: date
) -> Iterator[str]:
    outside = _outside(one, row)
    if outside:
        yield f"  {one.id}: not about {prose(outside)}"
        return
    answer = holds(one.when, facts)
    until = f"until {one.expires}"
    if one.is_expired(today):
        until = f"but expired on {one.expires}: it covers nothing any more"
    yield f"  {one.id}: {_WORDS[answer]}, {until}"
    if answer is None and one.id in row.suppressed_by:
        told = "in other logs of the host, for events of this finding"
        yield f"    yes: by what the hunt found {told}"
    if row.indicator is None:
        for what in ("families", "types"):
            names = getattr(one.scope, what)
            if "*" not in names:
                yield f"    unknown: {what} are {prose(', '.join(names))}; the row does not tell"
    yield from _tree(one.when, facts, "    ")


def _outside(one: Exclusion, row: ExplainedRow) -> str | None:
    """What of a row is not in an exclusion's scope; None when it is, or cannot be told."""
    if not one.scope.has_table(row.table.name):
        return row.table.name
    met = row.indicator
    # A report has no aliases: that the hunt took it for the family is the better witness.
    if met is None or one.scope.has_indicator(met) or one.id in row.suppressed_by:
        return None
    return met.malware_printable if one.scope.has_type(met.type) else str(met.type)


def _tree(predicate: Predicate, facts: Mapping[Fact, Sequence[str]], indent: str) -> Iterator[str]:
    answer = _WORDS[holds(predicate, facts)]
    match predicate:
        case Condition(fact, patterns):
            told = facts.get(fact)
            if told and fact is Fact.HOURS:
                told = [_minute(int(told[0]))]
            elif told and fact in _DEFANGED:
                told = list(map(shown, told))
            seen = ", ".join(told) if told else "the row does not tell"
            wanted = ", ".join(_spelled_all(patterns))
            yield indent + prose(f"{answer}: {fact} is one of {wanted}? {seen}", limit=300)
        case NotOf(part):
            yield f"{indent}{answer}: not"
            yield from _tree(part, facts, indent + "  ")
        case AllOf(parts) | AnyOf(parts):
            yield f"{indent}{answer}: {'all' if isinstance(predicate, AllOf) else 'any'} of"
            for part in parts:
                yield from _tree(part, facts, indent + "  ")


def _spelled_all(patterns: Sequence[Pattern]) -> Iterator[str]:
    """Patterns as they may be written; hours of every day once, not seven times."""
    days = Counter(_clocks(one) for one in patterns if isinstance(one, HoursPattern))
    for pattern in dict.fromkeys(patterns):
        if not isinstance(pattern, HoursPattern) or days[_clocks(pattern)] != len(DAYS):
            yield _spelled(pattern)
        elif pattern.start < MINUTES_A_DAY:
            yield f"{_clocks(pattern)} UTC"


def _spelled(pattern: Pattern) -> str:
    match pattern:
        case DomainPattern(name, is_exact):
            return f"={name}" if is_exact else name
        case HoursPattern(start, end):
            return f"{_minute(start)}-{_minute(end)} UTC"
        case RegexPattern(expression):
            return f"/{expression}/"
        case _:
            # The others are one value.
            return str(getattr(pattern, pattern.__slots__[0]))


def _clocks(span: HoursPattern) -> str:
    return f"{_clock(span.start)}-{_clock(span.end)}"


def _minute(minute: int) -> str:
    return f"{DAYS[minute // MINUTES_A_DAY].title()} {_clock(minute)}"


def _clock(minute: int) -> str:
    hours, minutes = divmod(minute % MINUTES_A_DAY, 60)
    return f"{hours:02}:{minutes:02}"
