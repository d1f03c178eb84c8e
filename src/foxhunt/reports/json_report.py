"""The hunt as one JSON object, ``foxhunt.hunt/1``; schema/hunt-1.schema.json describes it.

Values are exact, never defanged. The text is ASCII: everything else is escaped, so what a log
holds can neither reach a terminal nor fail to be stored, and lone surrogates survive.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from foxhunt.findings import Coverage, ExclusionUse, Finding, HuntResult, Verdict
from foxhunt.indicators import Indicator
from foxhunt.reports.summary import summarise
from foxhunt.reports.text import iso

# JSON values have no narrower type than Any that mypy and json.dumps would both take.
Json = dict[str, Any]


def render(result: HuntResult) -> str:
    """See `Report.render`; a line a member, and a line an element of a list.

    So findings can be searched by line, and Python's fast encoder can be used, which does not
    indent.
    """
    members = (f"  {_encoded(name)}: {_laid_out(it)}" for name, it in hunt_object(result).items())
    return "{\n" + ",\n".join(members) + "\n}\n"


def _laid_out(value: object) -> str:
    if not isinstance(value, list) or not value:
        return _encoded(value)
    return "[\n    " + ",\n    ".join(map(_encoded, value)) + "\n  ]"


def _encoded(value: object) -> str:
    return json.dumps(value, ensure_ascii=True, allow_nan=False)


def line(value: Json) -> str:
    """Return ``value`` as one line of NDJSON, line break included."""
    return _encoded(value) + "\n"


def hunt_object(result: HuntResult) -> Json:
    """Return the object of ``foxhunt.hunt/1``."""
    summary = summarise(result)
    return {
        "schema": "foxhunt.hunt/1",
        "started": iso(result.started),
        "finished": iso(result.finished),
        "version": result.version,
        "indicators": {
            "total": result.indicators_total,
            "by_type": {str(kind): count for kind, count in result.indicators_by_type.items()},
            "quarantined": [
                {"source_id": q.source_id, "value": q.value, "reason": q.reason}
                for q in result.quarantined
            ],
        },
        "coverage": [coverage_object(entry) for entry in result.coverage],
        "findings": [finding_object(finding) for finding in result.findings],
        "exclusions": [_exclusion(use) for use in result.exclusions],
        "summary": {
            "open": summary.counts[Verdict.OPEN],
            "suppressed": summary.counts[Verdict.SUPPRESSED],
            "stale": summary.counts[Verdict.STALE],
            "inbound": summary.counts[Verdict.INBOUND],
            "hosts": summary.hosts,
            "events": summary.events,
        },
    }


def coverage_object(entry: Coverage) -> Json:
    """Return one element of ``coverage``."""
    return {
        "table": entry.table,
        "files": list(entry.files),
        "rows": entry.rows,
        "rows_refused": entry.rows_refused,
        "first_time": iso(entry.first_time) if entry.first_time else None,
        "last_time": iso(entry.last_time) if entry.last_time else None,
        "indicator_types": list(entry.indicator_types),
        "status": str(entry.status),
        "reason": entry.reason,
    }


def finding_object(finding: Finding) -> Json:
    """Return one element of ``findings``."""
    return {
        "id": finding.id,
        "verdict": str(finding.verdict),
        "severity": str(finding.severity),
        "indicator": _indicator(finding.indicator),
        "also_listed_by": [_indicator(one) for one in finding.also_listed_by],
        "table": finding.table,
        "column": finding.column,
        "match": str(finding.match),
        "observed": list(finding.observed),
        "host": finding.host,
        "user": finding.user,
        "process": finding.process,
        "direction": finding.direction,
        "action": finding.action,
        "first_event": iso(finding.first_event),
        "last_event": iso(finding.last_event),
        "events": finding.events,
        "by_verdict": {str(v): finding.by_verdict[v] for v in Verdict if v in finding.by_verdict},
        "suppressed_by": list(finding.suppressed_by),
        "labels": list(finding.labels),
        "rows": [_row(row) for row in finding.rows],
    }


def _indicator(indicator: Indicator) -> Json:
    return {
        "value": indicator.value,
        "type": str(indicator.type),
        "malware": indicator.malware,
        "malware_printable": indicator.malware_printable,
        "threat_type": indicator.threat_type,
        "confidence_level": indicator.confidence_level,
        "first_seen": iso(indicator.first_seen),
        "last_seen": iso(indicator.last_seen) if indicator.last_seen else None,
        "source": indicator.source,
        "source_id": indicator.source_id,
        "reference": indicator.reference,
    }


def _row(row: Mapping[str, object]) -> Json:
    # A log that says "nan" in a real column reads as one; JSON has no number for it (RFC 8259, 6).
    return {
        name: str(value) if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
    }


def _exclusion(use: ExclusionUse) -> Json:
    return {
        "id": use.id,
        "suppressed_events": use.suppressed_events,
        "suppressed_findings": use.suppressed_findings,
        "not_applicable_to": list(use.not_applicable_to),
        "warnings": list(use.warnings),
    }
