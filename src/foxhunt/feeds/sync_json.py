"""A sync as JSON, for programs: ``foxhunt.sync/1``, described in docs/feeds.md."""

from __future__ import annotations

import json

from foxhunt.feeds.activity import Departures
from foxhunt.feeds.report import FileReport, SyncReport

SCHEMA = "foxhunt.sync/1"
_EXAMPLES = 10


def render(report: SyncReport, *, is_line: bool = False) -> str:
    """Return the report as one JSON object.

    Values are exact, not defanged.

    Args:
        report: What a sync did.
        is_line: Whether to write it on one line, where one follows the other.
    """
    document = {
        "schema": SCHEMA,
        "counts": report.counts,
        "retracted": {
            "is_guess": False,
            "count": len(report.taken_back),
            "examples": list(report.taken_back[:_EXAMPLES]),
        },
        "departures": _departures(report.departures),
        "store": {
            "before": report.before,
            "total": report.total,
            "quarantined": report.quarantined_total,
            "snapshot": report.snapshot,
            "previous": report.previous,
        },
        "alarms": [
            {"kind": alarm.kind, "message": alarm.message, "accepted": alarm.is_doubt}
            for alarm in report.alarms
        ],
        "files": [_file(file) for file in report.files],
    }
    return json.dumps(document, indent=None if is_line else 2) + "\n"


def _departures(gone: Departures | None) -> dict[str, object] | None:
    if gone is None:
        return None
    guess = {"is_guess": True, "count": gone.retracted, "examples": list(gone.examples)}
    return {"expired": gone.expired, "retracted": guess}


def _file(file: FileReport) -> dict[str, object]:
    return {
        "name": file.name,
        "format": file.format,
        "read": file.read,
        "indicators": file.indicators,
        "unknown_columns": list(file.unknown_columns),
        "notes": list(file.notes),
        "quarantined": [
            {
                "source_id": record.source_id,
                "value": record.value,
                "type": record.type,
                "reason": record.reason,
            }
            for record in file.quarantined
        ],
    }
