"""What every report says first: the conclusion, its counts, and what was not looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from foxhunt.findings import Coverage, CoverageStatus, HuntResult, Verdict
from foxhunt.reports.text import minute, plural


class Conclusion(StrEnum):
    """What a hunt amounts to; the first that applies, in this order (as exit codes do)."""

    INCOMPLETE = "incomplete"
    NOT_LOOKED = "not-looked"
    OPEN = "open"
    NOTHING_OPEN = "nothing-open"
    CLEAN = "clean"


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The counts of a hunt and the sentence they make.

    Attributes:
        conclusion: What it amounts to.
        has_looked: Whether any indicator was looked up anywhere: else a count of 0 says nothing.
        headline: The same in one line.
        details: What was hunted and what stands in the way of trusting the headline.
        counts: Verdict to number of findings, every verdict.
        hosts: Distinct hosts of open findings; findings without a host count for none.
        events: Matched events of all findings.
        rows: Readable rows of all tables.
        rows_refused: Records that could not be read.
        gaps: See `gaps`.
    """

    conclusion: Conclusion
    has_looked: bool
    headline: str
    details: tuple[str, ...]
    counts: Mapping[Verdict, int]
    hosts: int
    events: int
    rows: int
    rows_refused: int
    gaps: tuple[Coverage, ...]


def summarise(result: HuntResult) -> Summary:
    """Count ``result`` and say what it amounts to."""
    counts = {verdict: result.count(verdict) for verdict in Verdict}
    open_hosts = {
        finding.host.casefold()  # R8: one machine, however its logs spell it
        for finding in result.findings
        if finding.verdict is Verdict.OPEN and finding.host is not None
    }
    conclusion = _conclusion(result, counts)
    return Summary(
        conclusion=conclusion,
        has_looked=_looked(result),
        headline=_headline(result, conclusion, counts, len(open_hosts)),
        details=_details(result),
        counts=counts,
        hosts=len(open_hosts),
        events=sum(finding.events for finding in result.findings),
        rows=sum(entry.rows for entry in result.coverage),
        rows_refused=sum(entry.rows_refused for entry in result.coverage),
        gaps=gaps(result),
    )


def gaps(result: HuntResult) -> tuple[Coverage, ...]:
    """What forbids to call a hunt without findings clean.

    That is every part that was not evaluated, and when no table was hunted at all, every
    table without data; when the rule is about no table, one entry that says so.
    """
    if _looked(result):
        return tuple(c for c in result.coverage if c.status is CoverageStatus.NOT_EVALUATED)
    return tuple(c for c in result.coverage if c.status is not CoverageStatus.HUNTED) or (
        Coverage(
            table="",
            files=(),
            rows=0,
            rows_refused=0,
            first_time=None,
            last_time=None,
            indicator_types=(),
            status=CoverageStatus.NO_DATA,
            reason=_why_not_looked(result),
        ),
    )


def _looked(result: HuntResult) -> bool:
    if result.findings:
        return True
    hunted = any(c.status is CoverageStatus.HUNTED for c in result.coverage)
    return hunted and result.indicators_total > 0


def _conclusion(result: HuntResult, counts: Mapping[Verdict, int]) -> Conclusion:
    if not result.is_complete:
        return Conclusion.INCOMPLETE
    if not _looked(result):
        return Conclusion.NOT_LOOKED
    if counts[Verdict.OPEN]:
        return Conclusion.OPEN
    return Conclusion.NOTHING_OPEN if result.findings else Conclusion.CLEAN


def _headline(
    result: HuntResult, conclusion: Conclusion, counts: Mapping[Verdict, int], hosts: int
) -> str:
    found = _found(counts, hosts)
    if conclusion is Conclusion.INCOMPLETE:
        if not _looked(result):
            return "INCOMPLETE: nothing was evaluated"
        return f"INCOMPLETE: not everything was evaluated; in what was: {found or 'nothing found'}"
    if conclusion is Conclusion.NOT_LOOKED:
        return f"DID NOT LOOK: {_why_not_looked(result)}"
    return found or "Looked and found nothing"


def _found(counts: Mapping[Verdict, int], hosts: int) -> str:
    if counts[Verdict.OPEN]:
        where = f" on {plural(hosts, 'host')}" if hosts else ", host unknown"
        return plural(counts[Verdict.OPEN], "open finding") + where
    others = [f"{count:,} {verdict}" for verdict, count in counts.items() if count]
    return f"nothing open ({', '.join(others)})" if others else ""


def _why_not_looked(result: HuntResult) -> str:
    if not result.indicators_total:
        return "there were no indicators to hunt for"
    if not result.coverage:
        return "no table can show these indicators"
    return "no table that can show these indicators had data"


def _details(result: HuntResult) -> tuple[str, ...]:
    hunted = [c for c in result.coverage if c.status is CoverageStatus.HUNTED]
    rows = sum(c.rows for c in hunted)
    details = [
        f"{plural(result.indicators_total, 'indicator')} looked up in {plural(rows, 'row')} "
        f"of {plural(len(hunted), 'table')}{_between(hunted)}"
    ]
    refused = sum(c.rows_refused for c in result.coverage)
    if refused:
        details.append(f"{plural(refused, 'log record')} unreadable, not hunted")
    if result.not_shown_by_any_table:
        kinds = ", ".join(f"{n:,} {kind}" for kind, n in result.not_shown_by_any_table.items())
        details.append(f"no table can show: {kinds}")
    if result.quarantined:
        count = plural(len(result.quarantined), "feed record")
        details.append(f"{count} quarantined, not hunted")
    return tuple(details)


def _between(hunted: list[Coverage]) -> str:
    firsts: list[datetime] = [c.first_time for c in hunted if c.first_time is not None]
    lasts: list[datetime] = [c.last_time for c in hunted if c.last_time is not None]
    if not firsts or not lasts:
        return ""
    return f", {minute(min(firsts))} to {minute(max(lasts))} UTC"
