"""The events file: one JSON line for every match of an event with an indicator.

schema/events-1.schema.json describes a line. Exact values, ASCII text (see json_report).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from foxhunt.findings import Match
from foxhunt.reports.json_report import line
from foxhunt.reports.text import iso


def write_events(matches: Iterable[Match], out: TextIO) -> int:
    """Write ``matches`` to ``out`` as they come, never holding more than one.

    Returns:
        How many lines were written.
    """
    written = 0
    for match in matches:
        out.write(event_line(match))
        written += 1
    return written


def event_line(match: Match) -> str:
    """Return the line of ``match``, line break included."""
    return line(
        {
            "finding": match.finding,
            "table": match.table,
            "file": match.file,
            "row": match.row,
            "time": iso(match.time),
            "host": match.host,
            "observed": match.observed,
            "match": str(match.match),
            "verdict": str(match.verdict),
            "suppressed_by": list(match.suppressed_by),
        }
    )
