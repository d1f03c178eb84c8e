"""One finding a record of CSV (RFC 4180: comma, CRLF, quotes doubled), for spreadsheets.

Values are exact, not defanged, but for two things that would harm the reader:

* A cell that begins with ``=``, ``+``, ``-``, ``@`` (or their full-width forms), a tab or a line
  break gets a leading apostrophe, since spreadsheets run such cells as formulas (OWASP,
  "CSV Injection", 2025).
* Characters that do not print, other than tab and line breaks, are spelled out (`visible`).

The JSON formats change nothing.
"""

from __future__ import annotations

import csv
import io

from foxhunt.findings import Coverage, Finding, HuntResult, Verdict
from foxhunt.reports.summary import gaps
from foxhunt.reports.text import also_listed, guarded, iso

HEADER = (
    "id",
    "verdict",
    "severity",
    "indicator",
    "type",
    "malware",
    "malware_printable",
    "threat_type",
    "confidence_level",
    "first_seen",
    "last_seen",
    "source",
    "source_id",
    "reference",
    "table",
    "column",
    "match",
    "observed",
    "host",
    "user",
    "process",
    "direction",
    "action",
    "first_event",
    "last_event",
    "events",
    "open",
    "inbound",
    "stale",
    "suppressed",
    "suppressed_by",
    "labels",
    "also_listed_by",
    "reason",
)

_SEPARATOR = "; "


def render(result: HuntResult) -> str:
    """See `Report.render`.

    The header always comes. What `gaps` names follows the findings, one record each with the
    coverage status as ``verdict``, no ``id``, and the ``reason``: a header alone is a hunt that
    looked everywhere and found nothing. Several observed values or exclusions share their
    cell, with "; " between them.
    """
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, HEADER, restval="", lineterminator="\r\n")
    writer.writeheader()
    records = [_finding(finding) for finding in result.findings]
    records += [_gap(entry) for entry in gaps(result)]
    for record in records:
        writer.writerow({name: guarded(text) for name, text in record.items()})
    return out.getvalue()


def _finding(finding: Finding) -> dict[str, str]:
    indicator = finding.indicator
    return {
        "id": finding.id,
        "verdict": finding.verdict,
        "severity": finding.severity,
        "indicator": indicator.value,
        "type": indicator.type,
        "malware": indicator.malware,
        "malware_printable": indicator.malware_printable,
        "threat_type": indicator.threat_type,
        "confidence_level": str(indicator.confidence_level),
        "first_seen": iso(indicator.first_seen),
        "last_seen": iso(indicator.last_seen) if indicator.last_seen else "",
        "source": indicator.source,
        "source_id": indicator.source_id,
        "reference": indicator.reference or "",
        "table": finding.table,
        "column": finding.column,
        "match": finding.match,
        "observed": _SEPARATOR.join(finding.observed),
        "host": finding.host or "",
        "user": finding.user or "",
        "process": finding.process or "",
        "direction": finding.direction or "",
        "action": finding.action or "",
        "first_event": iso(finding.first_event),
        "last_event": iso(finding.last_event),
        "events": str(finding.events),
        **{str(verdict): str(finding.by_verdict.get(verdict, 0)) for verdict in Verdict},
        "suppressed_by": _SEPARATOR.join(finding.suppressed_by),
        "labels": _SEPARATOR.join(finding.labels),
        "also_listed_by": _SEPARATOR.join(also_listed(finding)),
    }


def _gap(entry: Coverage) -> dict[str, str]:
    files = f" ({_SEPARATOR.join(entry.files)})" if entry.files else ""
    return {"verdict": entry.status, "table": entry.table, "reason": entry.reason + files}
