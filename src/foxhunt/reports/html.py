"""The hunt as one self-contained HTML file to hand around: no script, no remote asset, no link.

Every value is defanged and escaped. What would make the file too large to open is left out with
a note that says so and how much: findings, hosts, files and quarantined records beyond a number,
evidence rows beyond a budget. The most serious findings come first, so they are what stays.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from foxhunt.findings import Coverage, Finding, HuntResult, Verdict
from foxhunt.indicators import Indicator, IndicatorType
from foxhunt.reports.hosts import open_hosts
from foxhunt.reports.html_page import render_page
from foxhunt.reports.summary import Conclusion, Summary, summarise
from foxhunt.reports.text import also_listed, iso, minute, plural, prose, shown, span
from foxhunt.reports.timeline import draw
from foxhunt.tables import catalog

FINDINGS_SHOWN = 5_000
# Characters of evidence in the whole file: with 5,000 findings it stays below 10 MB.
_EVIDENCE_BUDGET = 2_000_000
_CELL_LIMIT = 2_000
_FACT_LIMIT = 500
QUARANTINED_SHOWN = 200
HOSTS_SHOWN = 25
# A table of files that could not be read has an entry for each.
COVERAGE_SHOWN = 300
_FAMILIES_SHOWN = 6
# So few open findings are shown unfolded, as somebody will read all of them at once.
_UNFOLDED = 3

_MEANINGS = {
    Verdict.OPEN: "to be looked into",
    Verdict.INBOUND: "they came to us, we did not call them",
    Verdict.STALE: "outside the time in which the indicator is valid",
    Verdict.SUPPRESSED: "covered by exclusions",
}

# What stands around the host in a URL: scheme and credentials, port and path.
_URL_HOST = re.compile(r"^[^/?#]*://(?:[^/?#@]*@)?|(?::\d*)?(?:[/?#].*)?$", re.DOTALL)

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _EvidenceRow:
    """Where a row stands, and its cells that hold something."""

    place: str
    cells: Pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class _FindingView:
    """A finding as the template shows it; every text is safe to read."""

    severity: str
    host: str
    under_host: str
    indicator: str
    family: str
    match: str
    table: str
    events: str
    event_count: str
    first: str
    last: str
    facts: Pairs
    evidence: tuple[_EvidenceRow, ...]
    evidence_note: str
    is_unfolded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """The findings of one verdict."""

    title: str
    count: str
    meaning: str
    is_folded: bool
    findings: tuple[_FindingView, ...]
    note: str


def render(result: HuntResult) -> str:
    """See `Report.render`."""
    summary = summarise(result)
    gaps = summary.gaps if _shows_gaps(summary) else ()
    return render_page(
        "hunt.html.j2",
        conclusion=str(summary.conclusion),
        headline=prose(summary.headline),
        details=[prose(detail) for detail in summary.details],
        gaps=_coverage(gaps),
        gaps_note=_left_out(len(gaps), COVERAGE_SHOWN, "entry", "entries"),
        cards=_cards(result, summary),
        hosts=_hosts(result),
        hosts_note=_left_out(len(open_hosts(result.findings)), HOSTS_SHOWN, "host"),
        timeline=draw(result.timeline),
        groups=_groups(result),
        nothing=_nothing(summary),
        coverage=_coverage(result.coverage),
        coverage_note=_left_out(len(result.coverage), COVERAGE_SHOWN, "entry", "entries"),
        indicators_total=f"{result.indicators_total:,}",
        by_type=_counts(result.indicators_by_type),
        not_shown=_counts(result.not_shown_by_any_table),
        exclusions=_exclusions(result),
        quarantined=_quarantined(result),
        quarantined_count=plural(len(result.quarantined), "feed record"),
        quarantined_note=_left_out(len(result.quarantined), QUARANTINED_SHOWN, "record"),
        policy=[prose(rule) for rule in result.policy],
        version=prose(result.version),
        started=iso(result.started),
        finished=iso(result.finished),
    )


def _left_out(count: int, shown_count: int, one: str, many: str = "") -> str:
    """What a table ends with whose rows beyond ``shown_count`` are not here; else ``""``."""
    if count <= shown_count:
        return ""
    more = plural(count - shown_count, f"more {one}", many and f"more {many}")
    return f"{more}, left out to keep this file small; the JSON report has all."


def _shows_gaps(summary: Summary) -> bool:
    return summary.conclusion in (Conclusion.INCOMPLETE, Conclusion.NOT_LOOKED)


def _nothing(summary: Summary) -> str:
    if summary.conclusion is Conclusion.CLEAN:
        return "Everything that was asked for was evaluated, and no event met an indicator."
    return "No event met an indicator, as far as anything was looked at. See what was not, above."


def _cards(result: HuntResult, summary: Summary) -> list[dict[str, str]]:
    found = (
        ("open findings", summary.counts[Verdict.OPEN], "c-open"),
        ("hosts with open findings", summary.hosts, "c-open"),
        ("inbound", summary.counts[Verdict.INBOUND], "c-inbound"),
        ("stale", summary.counts[Verdict.STALE], "c-stale"),
        ("suppressed", summary.counts[Verdict.SUPPRESSED], ""),
        ("matched events", summary.events, "minor"),
    )
    given = (
        ("log rows read", summary.rows, "minor"),
        ("log records unreadable", summary.rows_refused, "minor c-warn"),
        ("indicators hunted for", result.indicators_total, "minor"),
        ("feed records quarantined", len(result.quarantined), "minor"),
    )
    # A 0 would claim that somebody looked.
    unknown = "" if summary.has_looked else "?"
    return [_card(label, unknown or f"{number:,}", style) for label, number, style in found] + [
        _card(label, f"{number:,}", style) for label, number, style in given
    ]


def _card(label: str, count: str, style: str) -> dict[str, str]:
    dull = " zero" if count in ("0", "?") else ""
    return {"label": label, "count": count, "style": style + dull}


def _hosts(result: HuntResult) -> list[dict[str, str]]:
    """The machines to look at first; none when the findings themselves say it as fast."""
    if result.count(Verdict.OPEN) <= _UNFOLDED:
        return []
    return [
        {
            "host": _host_name(host.host),
            "severity": str(host.severity),
            "findings": f"{host.findings:,}",
            "events": f"{host.events:,}",
            "families": _some(host.families),
            "span": span(host.first_event, host.last_event),
        }
        for host in open_hosts(result.findings)[:HOSTS_SHOWN]
    ]


def _host_name(host: str | None) -> str:
    return "(no host)" if host is None else prose(host, limit=_FACT_LIMIT)


def _some(families: Sequence[str]) -> str:
    more = len(families) - _FAMILIES_SHOWN
    text = ", ".join(prose(name, limit=_FACT_LIMIT) for name in families[:_FAMILIES_SHOWN])
    return f"{text} and {plural(more, 'other')}" if more > 0 else text


def _groups(result: HuntResult) -> list[_Group]:
    groups = []
    evidence_left, room = _EVIDENCE_BUDGET, FINDINGS_SHOWN
    for verdict in Verdict:
        found = [finding for finding in result.findings if finding.verdict is verdict]
        if not found:
            continue
        is_open = verdict is Verdict.OPEN
        views = []
        for finding in found[:room]:
            view, used = _finding(finding, evidence_left, is_open and len(found) <= _UNFOLDED)
            evidence_left -= used
            views.append(view)
        group = _Group(
            title=verdict.capitalize(),
            count=plural(len(found), "finding"),
            meaning=_MEANINGS[verdict],
            is_folded=not is_open,
            findings=tuple(views),
            note=_left_out(len(found), room, "finding"),
        )
        groups.append(group)
        room -= len(views)
    return groups


def _finding(finding: Finding, budget: int, is_unfolded: bool) -> tuple[_FindingView, int]:
    """The view of a finding, and how many characters of evidence it holds."""
    note = ""
    evidence: tuple[_EvidenceRow, ...] = ()
    size = sum(_size(row) for row in finding.rows)
    if size <= budget:
        evidence = tuple(_evidence(row, finding) for row in finding.rows)
    else:
        size = 0
        note = f"{plural(len(finding.rows), 'evidence row')} left out to keep this file small; "
        note += "the JSON report has them."
    view = _FindingView(
        severity=str(finding.severity),
        host=_host_name(finding.host),
        under_host=prose(finding.user or "", limit=_FACT_LIMIT),
        indicator=shown(finding.indicator.value, limit=_FACT_LIMIT),
        family=prose(finding.indicator.malware_printable, limit=_FACT_LIMIT),
        match=str(finding.match),
        table=prose(finding.table),
        events=f"{finding.events:,}",
        event_count=plural(finding.events, "event"),
        first=minute(finding.first_event),
        last=minute(finding.last_event),
        facts=_facts(finding),
        evidence=evidence,
        evidence_note=note,
        is_unfolded=is_unfolded,
    )
    return view, size


def _size(row: Mapping[str, object]) -> int:
    """Characters of a row, about."""
    return sum(len(name) + min(len(str(value)), _CELL_LIMIT) for name, value in row.items())


def _facts(finding: Finding) -> Pairs:
    indicator = finding.indicator
    seen = iso(indicator.first_seen)
    if indicator.last_seen is not None:
        seen += f", last {iso(indicator.last_seen)}"
    by_verdict = [f"{finding.by_verdict[v]:,} {v}" for v in Verdict if v in finding.by_verdict]
    pairs = (
        ("Logged as", _observed(finding)),
        ("Column", prose(finding.column)),
        ("Process", prose(finding.process or "", limit=_FACT_LIMIT)),
        ("Direction", finding.direction or "unknown"),
        ("Action", finding.action or "unknown"),
        ("Events", ", ".join(by_verdict)),
        ("Excluded by", prose(", ".join(finding.suppressed_by))),
        ("Well known as", prose(", ".join(finding.labels))),
        ("Threat", prose(f"{indicator.type}, {indicator.threat_type}, {indicator.malware}")),
        ("Confidence", f"{indicator.confidence_level} %"),
        ("Seen by the feed", seen),
        ("Source", prose(f"{indicator.source} {indicator.source_id}")),
        ("Also listed by", prose(", ".join(also_listed(finding)), limit=_FACT_LIMIT)),
        ("Reference", prose(indicator.reference or "", limit=_FACT_LIMIT)),
        ("Finding", prose(finding.id)),
    )
    return tuple((name, value) for name, value in pairs if value)


def _observed(finding: Finding) -> str:
    # Twenty values a finding would make most of the file when there are thousands of findings.
    text = ", ".join(shown(value, limit=_FACT_LIMIT) for value in finding.observed[:3])
    more = len(finding.observed) - 3
    return f"{text} and {plural(more, 'more value')}, in the JSON report" if more > 0 else text


def _evidence(row: Mapping[str, object], finding: Finding) -> _EvidenceRow:
    known = (*finding.observed, finding.indicator.value, _host_of(finding.indicator))
    watched = _watched(finding.table)
    cells = []
    for name, value in row.items():
        if name in ("_file", "_row") or value is None or value == "":
            continue
        text = str(value)
        # Our own address is nothing to fear, and people search for it.
        if name in watched and text != finding.host:
            text = shown(text, limit=_CELL_LIMIT)
        else:
            text = prose(text, known, limit=_CELL_LIMIT)
        cells.append((prose(str(name)), text))
    place = f"{row.get('_file', '')}, record {row.get('_row', '')}"
    return _EvidenceRow(prose(place), tuple(cells))


@cache
def _watched(table: str) -> frozenset[str]:
    """Columns whose values may be indicators, whether or not one matched."""
    known = catalog().get(table)
    return frozenset(one.column for one in known.observables) if known else frozenset()


def _host_of(indicator: Indicator) -> str:
    """The address or host name in an indicator, ``""`` if that is nothing of its own."""
    if indicator.type is IndicatorType.IP_PORT:
        return indicator.value.rpartition(":")[0].strip("[]")
    if indicator.type is IndicatorType.URL:
        return _URL_HOST.sub("", indicator.value)
    return ""


def _coverage(entries: Sequence[Coverage]) -> list[dict[str, str]]:
    return [
        {
            "table": prose(entry.table) or "(unread files)",
            "rows": f"{entry.rows:,}",
            "refused": f"{entry.rows_refused:,}",
            "span": span(entry.first_time, entry.last_time),
            "types": prose(", ".join(entry.indicator_types)),
            "status": str(entry.status),
            "reason": prose(entry.reason),
            "files": prose(", ".join(entry.files)),
            "file_count": plural(len(entry.files), "file"),
        }
        for entry in entries[:COVERAGE_SHOWN]
    ]


def _counts(counts: Mapping[str, int]) -> Pairs:
    return tuple((prose(str(kind)), f"{count:,}") for kind, count in counts.items())


def _exclusions(result: HuntResult) -> list[dict[str, str]]:
    return [
        {
            "id": prose(use.id),
            "events": f"{use.suppressed_events:,}",
            "findings": f"{use.suppressed_findings:,}",
            "not_applicable": prose(", ".join(use.not_applicable_to)),
            "warnings": prose("; ".join(use.warnings)),
        }
        for use in result.exclusions
    ]


def _quarantined(result: HuntResult) -> list[dict[str, str]]:
    return [
        {
            "source_id": prose(record.source_id),
            "type": prose(record.type),
            "value": shown(record.value),
            "reason": prose(record.reason, (record.value,)),
        }
        for record in result.quarantined[:QUARANTINED_SHOWN]
    ]
