"""The one module that wires the verbs: indicators and logs in, findings and coverage out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

import duckdb

from foxhunt import __version__
from foxhunt.engines import (
    LocalEngine,
    TimeRange,
    collect_findings,
    coverage_of,
    exclusion_uses,
    fact_columns,
    fold_listings,
    suppress,
    take_back,
    timeline,
    witnessed_facts,
)
from foxhunt.errors import LogError, SourceSpan
from foxhunt.exclusions import Exclusion, ExclusionSet, FalsePositives, WarningLists, lint_one
from foxhunt.findings import (
    ExclusionUse,
    Finding,
    HuntResult,
    Match,
    ValidityPolicy,
    finding_id,
)
from foxhunt.indicators import IndicatorSet, IndicatorType
from foxhunt.logs import (
    LoadReport,
    LogFailure,
    LogPart,
    LogReader,
    connect,
    fault_of,
    load_report,
    open_logs,
)
from foxhunt.rules import MatchMode, build_rule
from foxhunt.sql import identifier

EventSink = Callable[[Iterator[Match]], None]
Progress = Callable[[str, int, int], None]


def _silent(what: str, done: int, total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HuntRequest:
    """What to hunt for, where.

    Attributes:
        logs: Files, globs and folders.
        forced: ``--table``: table name and path.
        indicators: Already filtered to what is asked for.
        mode: How values are compared (R9).
        times: Which events count.
        policy: When an indicator counts (R6).
        exclusions: What was judged benign; expired ones are named and do nothing.
        warninglists: Lists of well-known values, which label findings and lower severity.
        false_positives: What abuse.ch took back; its findings are suppressed.
        today: The day (UTC) on which exclusions apply or have expired.
    """

    logs: Sequence[str]
    forced: Sequence[tuple[str, str]] = ()
    indicators: IndicatorSet
    mode: MatchMode = MatchMode.EXACT
    times: TimeRange = field(default_factory=TimeRange)
    policy: ValidityPolicy = field(default_factory=ValidityPolicy)
    exclusions: ExclusionSet = field(default_factory=ExclusionSet)
    warninglists: WarningLists | None = None
    false_positives: FalsePositives | None = None
    today: date = field(default_factory=lambda: datetime.now(UTC).date())


def hunt(
    request: HuntRequest,
    *,
    events: EventSink | None = None,
    progress: Progress = _silent,
) -> HuntResult:
    """Run the hunt.

    Args:
        request: What to hunt for, where.
        events: Is given every match, once, in file and row order.
        progress: Is told what is being read, how many parts are done, and of how many.

    Returns:
        Findings, and what was and was not evaluated; see `HuntResult.is_complete`.

    Raises:
        UsageError: A path that does not exist, or no file at all.
        TableError: A forced table that is not in the catalog.
    """
    started = datetime.now(UTC)
    indicators, active = request.indicators, request.exclusions.active(request.today)
    with connect() as con:
        rule = build_rule("all indicators", "*", indicators, request.mode)
        engine = LocalEngine(
            con, rule, policy=request.policy, times=request.times, facts=fact_columns(active)
        )
        logs = LogReader(con, request.logs, request.forced, engine.compared, progress)
        # Each part while it is at hand; see `LogReader`.
        outcomes = tuple(map(engine.run, logs))
        progress("findings", logs.files, logs.files)
        suppress(con, engine.parts, indicators, active)
        taken_back = take_back(con, indicators, request.false_positives)
        also_listed = fold_listings(con, indicators)
        findings = collect_findings(
            con,
            engine.parts,
            indicators,
            request.warninglists,
            kept=engine.evidence,
            also_listed=also_listed,
        )
        used = _uses(con, engine, request, findings)
        uses = (*_with_remarks(used, active, request.today), *taken_back)
        if events is not None:
            events(engine.matches(_finding_ids(indicators)))
        days = timeline(con)
    by_type = indicators.by_type()
    return HuntResult(
        started=started,
        finished=datetime.now(UTC),
        version=__version__,
        indicators_total=len(indicators),
        indicators_by_type=by_type,
        quarantined=indicators.quarantined,
        not_shown_by_any_table={
            name: count for name, count in by_type.items() if not IndicatorType(name).is_huntable
        },
        coverage=coverage_of(rule, outcomes, logs.failures),
        findings=findings,
        timeline=days,
        exclusions=uses,
        policy=request.policy.describe(),
    )


def _uses(
    con: duckdb.DuckDBPyConnection,
    engine: LocalEngine,
    request: HuntRequest,
    findings: Iterable[Finding],
) -> tuple[ExclusionUse, ...]:
    """What each exclusion did, by its own row's facts and those of witnesses."""
    witnessed = witnessed_facts(
        engine.parts, fact_columns(request.exclusions.active(request.today))
    )
    told = {table: facts | witnessed for table, facts in engine.told.items()}
    return exclusion_uses(con, request.exclusions, findings, told, request.today)


def _with_remarks(
    uses: Iterable[ExclusionUse], active: Iterable[Exclusion], today: date
) -> Iterator[ExclusionUse]:
    """What exclusions did, and what `foxhunt exclusions check` says of each that applies."""
    by_id = {one.id: one for one in active}
    for use in uses:
        remarks = lint_one(by_id[use.id], today) if use.id in by_id else ()
        # What its tables do not tell is among the warnings already.
        said = (f"{r.code}: {r.message}" for r in remarks if r.code != "X109")
        yield replace(use, warnings=(*use.warnings, *said))


@dataclass(frozen=True, slots=True)
class Inspection:
    """What log files are read as.

    Attributes:
        reports: One a table and file, in the order of the files.
        failures: What could not be recognised or read.
    """

    reports: tuple[LoadReport, ...]
    failures: tuple[LogFailure, ...]


def inspect_logs(
    paths: Sequence[str],
    forced: Sequence[tuple[str, str]] = (),
    *,
    progress: Progress = _silent,
) -> Inspection:
    """Read log files whole, and say what is in them.

    Raises:
        UsageError: A path that does not exist, or no file at all.
        TableError: A forced table that is not in the catalog.
    """
    reports: list[LoadReport] = []
    failures: list[LogFailure] = []
    with connect() as con:
        logs = LogReader(con, paths, forced, lambda _: {}, progress)
        for part in logs:
            try:
                reports.append(load_report(con, part, identifier(part.staged or part.view)))
            except (duckdb.Error, MemoryError) as error:
                failures.append(_failure(part, error))
            except LogError as error:
                failures.append(LogFailure(part.file.name, error))
    return Inspection(tuple(reports), (*logs.failures, *failures))


def _failure(part: LogPart, error: duckdb.Error | MemoryError) -> LogFailure:
    """A file that broke off while it was read."""
    return LogFailure(part.file.name, LogError(fault_of(error), at=SourceSpan(part.file.name)))


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The answer of a KQL query, and what it does not cover.

    Attributes:
        columns: Names, in order.
        rows: Values in DuckDB's Python types.
        failures: Files that were not read.
        tables_without_data: Tables that the query names and no file has rows of.
        accelerated: Comparisons with long lists that were evaluated over distinct values.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    failures: tuple[LogFailure, ...]
    tables_without_data: tuple[str, ...]
    accelerated: tuple[str, ...] = ()


def query_logs(
    text: str,
    paths: Sequence[str],
    forced: Sequence[tuple[str, str]] = (),
    *,
    name: str = "query",
    plain: bool = False,
) -> QueryResult:
    """Run a KQL query over log files, tables named as in Sentinel.

    Args:
        text: The query.
        paths: Files, globs and folders.
        forced: ``--table``: table name and path.
        name: What errors call the query.
        plain: Leave long lists to duckdb-kql, for comparison.

    Raises:
        QueryError: It cannot be parsed or run.
        UsageError: A path that does not exist, or no file at all.
        TableError: A forced table that is not in the catalog.
    """
    from foxhunt.engines.query import create_tables, run_query

    with connect() as con:
        logs = open_logs(con, paths, forced)
        create_tables(con, logs.parts)
        answer = run_query(con, text, name, plain=plain)
    present = {part.table for part in logs.parts}
    return QueryResult(
        answer.columns,
        answer.rows,
        logs.failures,
        tuple(table for table in answer.tables if table not in present),
        answer.accelerated,
    )


def _finding_ids(indicators: IndicatorSet) -> Callable[[int, str, str | None], str]:
    """A finding's id by position, remembered: a million events belong to few findings."""
    known: dict[tuple[int, str, str | None], str] = {}

    def lookup(position: int, table: str, host: str | None) -> str:
        key = (position, table, host)
        if key not in known:
            known[key] = finding_id(indicators[position], table, host)
        return known[key]

    return lookup
