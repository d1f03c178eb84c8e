"""The hunt for a terminal: the conclusion, what is open, then everything that qualifies it."""

from __future__ import annotations

import io
from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from foxhunt.findings import Coverage, CoverageStatus, Finding, HuntResult, Severity, Verdict
from foxhunt.reports.summary import Conclusion, Summary, summarise
from foxhunt.reports.text import also_listed, plural, prose, shown, span

_LIMIT = 300
_QUARANTINED_SHOWN = 3
# A name longer than this folds, so that one does not push all indicators to the right.
_HOST_WIDTH = 34
# Of each verdict: nobody scrolls further, and laying out more takes seconds.
FINDINGS_SHOWN = 1_000

_CONCLUSION_STYLES = {
    Conclusion.INCOMPLETE: "bold yellow",
    Conclusion.NOT_LOOKED: "bold yellow",
    Conclusion.OPEN: "bold red",
    Conclusion.NOTHING_OPEN: "bold green",
    Conclusion.CLEAN: "bold green",
}
_SEVERITY_STYLES = {
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}
_OTHER_VERDICTS = {
    Verdict.INBOUND: "they came to us, we did not call them",
    Verdict.STALE: "outside the time in which the indicator is valid",
    Verdict.SUPPRESSED: "covered by exclusions",
}


def render(result: HuntResult, *, width: int = 100, colour: bool = False) -> str:
    """See `Report.render`.

    Args:
        result: What to show.
        width: Columns of the terminal.
        colour: Whether escape sequences may be used; only for a terminal.
    """
    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        color_system="standard" if colour else None,
        force_terminal=colour,
        no_color=not colour,
        legacy_windows=False,
        # Nothing of a log may be read as markup, an emoji code or something to highlight.
        markup=False,
        emoji=False,
        highlight=False,
        # Else COLUMNS, FORCE_COLOR and the like would change what the same result gives.
        _environ={},
    )
    for block in _blocks(result, summarise(result)):
        console.print(block)
    # Rich pads cells with blanks, which copy badly out of a terminal.
    return "".join(f"{line.rstrip(' ')}\n" for line in out.getvalue().split("\n")[:-1])


def _blocks(result: HuntResult, summary: Summary) -> Iterator[Text | Table]:
    yield Text(prose(summary.headline), _CONCLUSION_STYLES[summary.conclusion])
    for detail in summary.details:
        yield Text(prose(detail))
    if summary.conclusion is Conclusion.INCOMPLETE:
        yield _heading("Not evaluated")
        yield _gaps(summary.gaps)
    for verdict in Verdict:
        findings = [finding for finding in result.findings if finding.verdict is verdict]
        if not findings:
            continue
        if verdict is Verdict.OPEN:
            yield _heading(f"Open ({len(findings):,})")
        else:
            yield _heading(f"{verdict} ({len(findings):,}): {_OTHER_VERDICTS[verdict]}")
        yield _findings(findings[:FINDINGS_SHOWN], is_open=verdict is Verdict.OPEN)
        if len(findings) > FINDINGS_SHOWN:
            more = len(findings) - FINDINGS_SHOWN
            yield _text(f"  and {more:,} more; the other formats have them")
    if result.coverage:
        yield _heading("Coverage")
        yield _coverage(result.coverage)
    yield from _exclusions(result)
    yield from _quarantined(result)


def _heading(text: str) -> Text:
    return Text(f"\n{text[:1].upper()}{text[1:]}", "bold")


def _grid(*columns: Column | str, header: bool = True) -> Table:
    # SIMPLE_HEAD draws one rule below the header and no borders: it greps and copies well.
    style = box.SIMPLE_HEAD if header else None
    table = Table(*columns, box=style, show_header=header, show_edge=False, pad_edge=False)
    table.padding = (0, 2, 0, 0)
    return table


def _text(text: str, style: str = "") -> Text:
    return Text(text, style, overflow="fold")


def _gaps(entries: tuple[Coverage, ...]) -> Table:
    table = _grid("Table", "Status", "Reason")
    for entry in entries:
        files = f" ({', '.join(entry.files)})" if entry.files else ""
        table.add_row(
            _text(prose(entry.table) or "-"),
            _text(entry.status, "yellow"),
            _text(prose(entry.reason + files, limit=_LIMIT)),
        )
    return table


def _findings(findings: list[Finding], *, is_open: bool) -> Table:
    """Two lines a finding: who met what; then how, where, how often and when."""
    table = _grid("Severity", "Host", "Indicator", header=False)
    table.columns[1].max_width = _HOST_WIDTH
    for finding in findings:
        by = f", suppressed by {', '.join(finding.suppressed_by)}" if finding.suppressed_by else ""
        known = f"; known: {', '.join(finding.labels)}" if finding.labels else ""
        also = "".join(f"; also listed by {feed}" for feed in also_listed(finding))
        action = f", {finding.action}" if finding.action else ""
        how = (
            f"{finding.match} in {finding.table}: {plural(finding.events, 'event')}, "
            f"{span(finding.first_event, finding.last_event)}{action}{by}{known}{also}"
        )
        what = _text(shown(finding.indicator.value, limit=_LIMIT), "bold" if is_open else "")
        what.append(f"  {prose(finding.indicator.malware_printable, limit=_LIMIT)}", "not bold")
        what.append(f"\n{prose(how)}", "dim not bold")
        table.add_row(
            _text(finding.severity, _SEVERITY_STYLES[finding.severity]),
            _text(prose(finding.host or "-", limit=_LIMIT)),
            what,
        )
    return table


def _coverage(entries: tuple[Coverage, ...]) -> Table:
    table = _grid(
        Column("Table", no_wrap=True),
        Column("Rows", justify="right"),
        Column("Refused", justify="right"),
        Column("Events of (UTC)", no_wrap=True),
        "Status",
        Column("Reason", ratio=1),
    )
    for entry in entries:
        plain = entry.status is CoverageStatus.HUNTED
        table.add_row(
            _text(prose(entry.table) or "(unread files)"),
            _text(f"{entry.rows:,}"),
            _text(f"{entry.rows_refused:,}", "bold yellow" if entry.rows_refused else ""),
            _text(span(entry.first_time, entry.last_time)),
            _text(entry.status, "green" if plain else "yellow"),
            _text(prose(entry.reason, limit=_LIMIT)),
        )
    return table


def _exclusions(result: HuntResult) -> Iterator[Text]:
    if not result.exclusions:
        return
    yield _heading("Exclusions")
    for use in result.exclusions:
        findings = plural(use.suppressed_findings, "finding")
        text = f"{use.id}: covers {plural(use.suppressed_events, 'event')} of {findings}"
        if use.not_applicable_to:
            text += f"; not applicable to {', '.join(use.not_applicable_to)}"
        yield _text(prose(text))
        for warning in use.warnings:
            yield _text(prose(f"  warning: {warning}", limit=_LIMIT), "yellow")


def _quarantined(result: HuntResult) -> Iterator[Text]:
    count = len(result.quarantined)
    if not count:
        return
    yield _heading(f"Quarantined ({count:,}): records of the feed that are no indicators")
    for record in result.quarantined[:_QUARANTINED_SHOWN]:
        value = shown(record.value, limit=_LIMIT)
        yield _text(f"  {value}: {prose(record.reason, (record.value,), limit=_LIMIT)}")
    if count > _QUARANTINED_SHOWN:
        yield _text(f"  and {count - _QUARANTINED_SHOWN:,} more; the json format has them all")
