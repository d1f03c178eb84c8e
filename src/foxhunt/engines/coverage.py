"""What became of a rule, table by table: hunted, no data, or not evaluated and why."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from foxhunt.engines.local import Outcome
from foxhunt.findings import Coverage, CoverageStatus
from foxhunt.indicators import IndicatorType
from foxhunt.logs import LogFailure
from foxhunt.rules import Rule
from foxhunt.tables import catalog


def coverage_of(
    rule: Rule, outcomes: Sequence[Outcome], failures: Sequence[LogFailure]
) -> tuple[Coverage, ...]:
    """One entry a table that the rule is about or that had rows, then one a failed file."""
    by_table: defaultdict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_table[outcome.part.table].append(outcome)
    wanted = {search.table for search in rule.searches}
    entries = [
        _table_coverage(name, rule, by_table[name])
        for name in catalog()
        if name in wanted or name in by_table
    ]
    entries += [
        Coverage(
            table="",
            files=(failure.name,),
            rows=0,
            rows_refused=0,
            first_time=None,
            last_time=None,
            indicator_types=(),
            status=CoverageStatus.NOT_EVALUATED,
            reason=str(failure.error),
        )
        for failure in failures
    ]
    return tuple(entries)


def _table_coverage(name: str, rule: Rule, outcomes: Sequence[Outcome]) -> Coverage:
    reports = [outcome.report for outcome in outcomes if outcome.report is not None]
    looked_up = {type_ for o in outcomes for types in o.looked_up.values() for type_ in types}
    status, reason = _status(name, rule, outcomes)
    firsts = [report.first_time for report in reports if report.first_time is not None]
    lasts = [report.last_time for report in reports if report.last_time is not None]
    return Coverage(
        table=name,
        files=tuple(dict.fromkeys(outcome.part.file.name for outcome in outcomes)),
        rows=sum(report.rows for report in reports),
        rows_refused=sum(report.rows_refused for report in reports),
        first_time=min(firsts, default=None),
        last_time=max(lasts, default=None),
        indicator_types=tuple(str(type_) for type_ in IndicatorType if type_ in looked_up),
        status=status,
        reason=reason,
    )


def _status(name: str, rule: Rule, outcomes: Sequence[Outcome]) -> tuple[CoverageStatus, str]:
    """Whether the table's part of the rule was evaluated, and every remark about it."""
    errors = [str(outcome.error) for outcome in outcomes if outcome.error is not None]
    if errors:
        return CoverageStatus.NOT_EVALUATED, "; ".join(errors)
    if not outcomes:
        return CoverageStatus.NO_DATA, "no file with rows of this table"
    remarks = list(_remarks(outcomes))
    search = rule.search(name)
    if search is None:
        remarks.insert(0, "nothing to look for: no hunted indicator is of a type it shows")
    elif not any(outcome.looked_up for outcome in outcomes):
        columns = ", ".join(part.observable.column for part in search.predicate.parts)
        remarks.insert(0, f"none of the columns to look in is there: {columns}")
        return CoverageStatus.NOT_EVALUATED, "; ".join(remarks)
    if not any(outcome.report and outcome.report.rows for outcome in outcomes):
        return CoverageStatus.NO_DATA, "; ".join(["no readable row", *remarks])
    return CoverageStatus.HUNTED, "; ".join(remarks)


def _remarks(outcomes: Sequence[Outcome]) -> Iterator[str]:
    missing = set.intersection(*(set(outcome.missing) for outcome in outcomes))
    if missing:
        yield f"no file has {', '.join(sorted(missing))}"
    nulled: Counter[str] = Counter()
    for outcome in outcomes:
        report = outcome.report
        if report is None:
            continue
        nulled.update(report.nulled)
        if report.refused_samples:
            row, why = report.refused_samples[0]
            yield (f"{report.rows_refused} refused in {report.file}, first record {row}: {why}")
    for column, count in sorted(nulled.items()):
        yield f"{count} values of {column} have the wrong type and read as empty"
