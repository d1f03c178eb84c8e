"""The hunt as Markdown (GFM) for a ticket or a wiki: defanged, and nothing in it links or runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from foxhunt.findings import Finding, HuntResult, Verdict
from foxhunt.reports.summary import Summary, summarise
from foxhunt.reports.text import also_listed, iso, minute, plural, prose, shown, span

_QUARANTINED_SHOWN = 200

_ENTITIES = {char: f"&#{ord(char)};" for char in "\\`*{}[]<>#|~&!"}
# Within a word an underscore is only itself (CommonMark 0.31, 6.2), and labels are full of them.
_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
# Where GFM begins a link without any markup (GFM 0.29, 6.9).
_AUTOLINK = re.compile(r"(?i)(?<=www)\.|(?:(?<=http)|(?<=https)|(?<=ftp)):(?=//)")
# Markers of lists, rules and headings, which count only where a line begins.
_MARKER = re.compile(r"^(\s*)([-+=:]|\d+(?=[.)](?:\s|$)))")


def escaped(text: str) -> str:
    """Return printable one-line ``text`` so that Markdown reads it as text, in tables too.

    Numeric entities rather than backslashes: renderers disagree on what ``\\\\|`` means in a
    table, and CommonMark 0.31 (2.5) forbids entities to stand for structure.

    >>> escaped("a|b <i>")
    'a&#124;b &#60;i&#62;'
    """
    text = "".join(_ENTITIES.get(char, char) for char in text)
    text = _AUTOLINK.sub(lambda found: f"&#{ord(found[0])};", text)
    text = _UNDERSCORE.sub("&#95;", text)
    return _MARKER.sub(lambda found: f"{found[1]}&#{ord(found[2][0])};{found[2][1:]}", text)


def code(text: str) -> str:
    """Return printable one-line ``text`` as a code span, in which renderers link nothing.

    Text that would end the span or the table's cell is `escaped` instead.

    >>> code("evil[.]example[.]org")
    '`evil[.]example[.]org`'
    """
    if not text.strip() or "`" in text or "|" in text:
        return escaped(text)
    return f"`{text}`"


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Yield the lines of a table and a blank one; cells must be escaped, without line breaks."""
    names = list(header)
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def render(result: HuntResult) -> str:
    """See `Report.render`. The evidence rows of findings are left to the JSON and HTML reports."""
    return "\n".join(_lines(result, summarise(result))).rstrip("\n") + "\n"


def _lines(result: HuntResult, summary: Summary) -> Iterator[str]:
    yield f"# {escaped(prose(summary.headline))}"
    yield ""
    yield from (f"- {escaped(prose(detail))}" for detail in summary.details)
    yield ""
    yield from _gaps(summary)
    for verdict in Verdict:
        found = [finding for finding in result.findings if finding.verdict is verdict]
        if found:
            yield f"## {verdict.capitalize()} ({len(found):,})"
            yield ""
            yield from _findings(found)
    yield from _coverage(result)
    yield from _exclusions(result)
    yield from _quarantined(result)
    if result.policy:
        yield "## Validity policy"
        yield ""
        yield from (f"- {escaped(prose(rule))}" for rule in result.policy)
        yield ""
    times = f"{iso(result.started)} to {iso(result.finished)}"
    yield f"foxhunt {escaped(prose(result.version))}, {times}. Values are defanged."


def _gaps(summary: Summary) -> Iterator[str]:
    if not summary.gaps:
        return
    yield "## Not evaluated"
    yield ""
    for entry in summary.gaps:
        files = f" ({', '.join(code(prose(name)) for name in entry.files)})" if entry.files else ""
        name = f"**{escaped(prose(entry.table))}** " if entry.table else ""
        yield f"- {name}{entry.status}: {escaped(prose(entry.reason))}{files}"
    yield ""


def _findings(findings: list[Finding]) -> Iterator[str]:
    header = ("Severity", "Host", "Indicator", "Family", "Match", "Table", "Observed", "Events")
    yield from table((*header, "First (UTC)", "Last (UTC)", "Excluded by"), map(_finding, findings))


def _family(finding: Finding) -> str:
    known = f" (known: {', '.join(finding.labels)})" if finding.labels else ""
    also = "".join(f" (also listed by {feed})" for feed in also_listed(finding))
    return finding.indicator.malware_printable + known + also


def _finding(finding: Finding) -> tuple[str, ...]:
    more = len(finding.observed) - 1
    observed = code(shown(finding.observed[0])) if finding.observed else ""
    return (
        finding.severity,
        code(prose(finding.host or "")),
        code(shown(finding.indicator.value)),
        escaped(prose(_family(finding))),
        finding.match,
        code(prose(finding.table)),
        f"{observed} and {more} more" if more > 0 else observed,
        f"{finding.events:,}",
        minute(finding.first_event),
        minute(finding.last_event),
        ", ".join(code(prose(name)) for name in finding.suppressed_by),
    )


def _coverage(result: HuntResult) -> Iterator[str]:
    yield "## Coverage"
    yield ""
    yield from table(
        ("Table", "Rows", "Refused", "Events of (UTC)", "Status", "Reason"),
        (
            (
                code(prose(entry.table)) or "(unread files)",
                f"{entry.rows:,}",
                f"{entry.rows_refused:,}",
                span(entry.first_time, entry.last_time),
                entry.status,
                escaped(prose(entry.reason)),
            )
            for entry in result.coverage
        ),
    )


def _exclusions(result: HuntResult) -> Iterator[str]:
    if not result.exclusions:
        return
    yield "## Exclusions"
    yield ""
    yield from table(
        ("Exclusion", "Events", "Findings", "Not applicable to", "Warnings"),
        (
            (
                code(prose(use.id)),
                f"{use.suppressed_events:,}",
                f"{use.suppressed_findings:,}",
                ", ".join(code(prose(name)) for name in use.not_applicable_to),
                "; ".join(escaped(prose(warning)) for warning in use.warnings),
            )
            for use in result.exclusions
        ),
    )


def _quarantined(result: HuntResult) -> Iterator[str]:
    count = len(result.quarantined)
    if not count:
        return
    yield f"## Quarantined ({count:,})"
    yield ""
    yield f"{plural(count, 'record')} of the feed that are no indicators and were not hunted."
    yield ""
    yield from table(
        ("Id", "Type", "Value", "Reason"),
        (
            (
                code(prose(record.source_id)),
                code(prose(record.type)),
                code(shown(record.value)),
                escaped(prose(record.reason, (record.value,))),
            )
            for record in result.quarantined[:_QUARANTINED_SHOWN]
        ),
    )
    if count > _QUARANTINED_SHOWN:
        yield f"{count - _QUARANTINED_SHOWN:,} more are in the JSON report."
        yield ""
