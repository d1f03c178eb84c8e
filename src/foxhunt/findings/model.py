"""From matches to findings: what was met, by whom, how sure we are, and what was not looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from foxhunt.indicators import Indicator, Quarantined
from foxhunt.rules import MatchKind


class Verdict(StrEnum):
    """What an event means, most serious first; a finding carries the first any event has."""

    OPEN = "open"
    INBOUND = "inbound"
    STALE = "stale"
    SUPPRESSED = "suppressed"

    @property
    def rank(self) -> int:
        """Position in the order above; lower is more serious."""
        return list(Verdict).index(self)


class Severity(StrEnum):
    """How urgent a finding is, most urgent first."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """Position in the order above; lower is more urgent."""
        return list(Severity).index(self)


class CoverageStatus(StrEnum):
    """Whether the part of a rule that is about one table was evaluated."""

    HUNTED = "hunted"
    NO_DATA = "no-data"
    NOT_EVALUATED = "not-evaluated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What became of the part of the hunt that is about one table.

    Attributes:
        table: Its name; for files of no known table ``""``.
        files: Files its rows came from.
        rows: Readable rows.
        rows_refused: Records that could not be read.
        first_time: Earliest event, None without rows.
        last_time: Latest.
        indicator_types: Types of indicator that were looked up in it.
        status: ``no-data`` is not ``hunted`` and neither is a clean bill.
        reason: Why, in words; empty when hunted without a remark.
    """

    table: str
    files: tuple[str, ...]
    rows: int
    rows_refused: int
    first_time: datetime | None
    last_time: datetime | None
    indicator_types: tuple[str, ...]
    status: CoverageStatus
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One event that met one indicator: a line of ``--events``.

    Attributes:
        finding: Id of its finding.
        table: Table.
        file: Name of the file.
        row: Number of the record in its file, from 1.
        time: Of the event; aware, UTC.
        host: Our machine, or None.
        observed: The value as logged.
        match: How it met the indicator.
        verdict: What it means.
        suppressed_by: Ids of the exclusions that cover it.
    """

    finding: str
    table: str
    file: str
    row: int
    time: datetime
    host: str | None
    observed: str
    match: MatchKind
    verdict: Verdict
    suppressed_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """All events in one table in which one of our machines met one indicator.

    Attributes:
        id: Stable over runs: from indicator, table and host.
        verdict: The most serious of its events.
        severity: From match, confidence and action; docs/SEMANTICS.md has the table.
        indicator: What was met.
        table: Where.
        column: The column of the strongest match.
        match: The strongest match.
        observed: Values as logged, most frequent first, at most 20.
        host: Our machine, or None when the table names none.
        user: A user of the most serious events, or None.
        process: A process of them, or None.
        direction: ``outbound``, ``inbound`` or None (unknown).
        action: ``allowed``, ``blocked`` or None (unknown).
        first_event: Aware, UTC.
        last_event: Aware, UTC.
        events: How many.
        by_verdict: Verdict to count, only those that occur.
        suppressed_by: Ids of exclusions that cover an event of it.
        labels: Why the indicator's value may be benign (`foxhunt.exclusions.benign`).
        also_listed_by: The same value as other feeds have it.
        rows: Up to five whole rows of the most serious events, each with ``_file`` and
            ``_row``; values are str, int, float, bool or ISO 8601 text.
    """

    id: str
    verdict: Verdict
    severity: Severity
    indicator: Indicator
    table: str
    column: str
    match: MatchKind
    observed: tuple[str, ...]
    host: str | None
    user: str | None
    process: str | None
    direction: str | None
    action: str | None
    first_event: datetime
    last_event: datetime
    events: int
    by_verdict: Mapping[Verdict, int]
    suppressed_by: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    also_listed_by: tuple[Indicator, ...] = ()
    rows: tuple[Mapping[str, object], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExclusionUse:
    """What one exclusion did in a hunt."""

    id: str
    suppressed_events: int
    suppressed_findings: int
    not_applicable_to: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HuntResult:
    """Everything a hunt has to say; what every report renders.

    Attributes:
        started: Aware, UTC.
        finished: Aware, UTC.
        version: Of foxhunt.
        indicators_total: How many were hunted for.
        indicators_by_type: Type to count.
        quarantined: Records of the feed that were no indicators.
        not_shown_by_any_table: Type to count of indicators no table can show.
        coverage: One entry a table that the rule is about, plus one for files that
            could not be read (table ``""``).
        findings: Ordered: verdict, severity, last_event newest first, id.
        timeline: Host (or ``""``), day (``YYYY-MM-DD``), verdict, number of events; ordered.
        exclusions: What each exclusion did.
        policy: The validity policy in words, one line an indicator type.
    """

    started: datetime
    finished: datetime
    version: str
    indicators_total: int
    indicators_by_type: Mapping[str, int]
    quarantined: tuple[Quarantined, ...]
    not_shown_by_any_table: Mapping[str, int]
    coverage: tuple[Coverage, ...]
    findings: tuple[Finding, ...]
    timeline: tuple[tuple[str, str, Verdict, int], ...]
    exclusions: tuple[ExclusionUse, ...]
    policy: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Whether everything that was asked for was evaluated."""
        return all(c.status is not CoverageStatus.NOT_EVALUATED for c in self.coverage)

    def count(self, verdict: Verdict) -> int:
        """How many findings carry ``verdict``."""
        return sum(finding.verdict is verdict for finding in self.findings)
