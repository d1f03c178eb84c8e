"""Why an event is or is not suppressed: each exclusion's conditions over what a row tells."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from foxhunt.errors import UsageError
from foxhunt.exclusions import AllOf, AnyOf, Condition, Exclusion, NotOf, Predicate, holds
from foxhunt.exclusions.patterns import (
    DAYS,
    MINUTES_A_DAY,
    DomainPattern,
    HoursPattern,
    Pattern,
    RegexPattern,
)
from foxhunt.reports.text import prose
from foxhunt.tables import Fact, Observable, Table, get_table

_WORDS = {True: "yes", False: "no", None: "unknown"}


@dataclass(frozen=True, slots=True)
class ExplainedRow:
    """A row to explain: its table, the column that matched, what was met, its values."""

    table: Table
    observable: Observable
    indicator: str | None
    values: Mapping[str, object]


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
    return [ExplainedRow(known, matched, None, values)]


def _finding_rows(id_: str, report: Path) -> list[ExplainedRow]:
    try:
        found = json.loads(report.read_text("utf-8"))["findings"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{report} is no report of `hunt --format json`: {error}") from None
    chosen = [one for one in found if str(one.get("id", "")).startswith(id_)]
    if len(chosen) != 1:
        raise UsageError(f"{len(chosen)} findings of {report} have an id that begins with {id_!r}")
    (finding,) = chosen
    table = get_table(finding["table"])
    matched = next(one for one in table.observables if one.column == finding["column"])
    value = finding["indicator"]["value"]
    return [ExplainedRow(table, matched, value, row) for row in finding["rows"]]


def facts_of(row: ExplainedRow) -> dict[Fact, list[str]]:
    """What the row tells, fact by fact."""
    facts: dict[Fact, list[str]] = {}
    for fact in Fact:
        columns = row.table.fact_columns(fact, row.observable)
        told = [str(row.values[c]) for c in columns if row.values.get(c) not in (None, "")]
        if told:
            facts[fact] = told[:1] if fact is Fact.HOST else told
    if row.indicator is not None:
        facts[Fact.INDICATOR] = [row.indicator]
    time = row.values.get(row.table.time)
    if isinstance(time, str):
        try:
            at = datetime.fromisoformat(time)
        except ValueError:
            return facts
        facts[Fact.HOURS] = [str(at.weekday() * 1440 + at.hour * 60 + at.minute)]
    return facts


def explain(rows: Sequence[ExplainedRow], exclusions: Sequence[Exclusion]) -> Iterator[str]:
    """Yield lines: for each row each exclusion, and below it its conditions."""
    for number, row in enumerate(rows, start=1):
        yield prose(f"row {number} of {row.table.name}: {json.dumps(dict(row.values))}", limit=300)
        facts = facts_of(row)
        for one in exclusions:
            if not one.scope.has_table(row.table.name):
                yield f"  {one.id}: not about {row.table.name}"
                continue
            yield f"  {one.id}: {_WORDS[holds(one.when, facts)]}, until {one.expires}"
            yield from _tree(one.when, facts, "    ")


def _tree(predicate: Predicate, facts: Mapping[Fact, Sequence[str]], indent: str) -> Iterator[str]:
    answer = _WORDS[holds(predicate, facts)]
    match predicate:
        case Condition(fact, patterns):
            told = facts.get(fact)
            if told and fact is Fact.HOURS:
                told = [_minute(int(told[0]))]
            seen = ", ".join(told) if told else "the row does not tell"
            wanted = ", ".join(map(_spelled, patterns))
            yield indent + prose(f"{answer}: {fact} is one of {wanted}? {seen}", limit=300)
        case NotOf(part):
            yield f"{indent}{answer}: not"
            yield from _tree(part, facts, indent + "  ")
        case AllOf(parts) | AnyOf(parts):
            yield f"{indent}{answer}: {'all' if isinstance(predicate, AllOf) else 'any'} of"
            for part in parts:
                yield from _tree(part, facts, indent + "  ")


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


def _minute(minute: int) -> str:
    day, rest = divmod(minute, MINUTES_A_DAY)
    return f"{DAYS[day].title()} {rest // 60:02}:{rest % 60:02}"
