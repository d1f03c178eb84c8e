"""What `foxhunt logs` shows: each file, the table it is read as, and what of it cannot be read."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from foxhunt.logs import LoadReport, LogFailure
from foxhunt.reports.text import iso, plural, prose, span, visible


def as_table(
    reports: Sequence[LoadReport], failures: Sequence[LogFailure], *, width: int = 100
) -> str:
    """Return both as text for a terminal of ``width`` columns."""
    out = io.StringIO()
    console = Console(
        file=out, width=width, color_system=None, markup=False, emoji=False, highlight=False
    )
    table = Table(
        "Table",
        Column("Rows", justify="right"),
        Column("Refused", justify="right"),
        Column("Events of (UTC)", no_wrap=True),
        "Format",
        # Last, so that a long name does not push the figures apart.
        Column("File", ratio=1, overflow="fold"),
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
    )
    for report in reports:
        table.add_row(
            report.table,
            f"{report.rows:,}",
            f"{report.rows_refused:,}",
            span(report.first_time, report.last_time),
            report.format,
            Text(visible(report.file)),
        )
    if reports:
        console.print(table)
    for remark in _remarks(reports):
        console.print(Text(remark))
    for failure in failures:
        console.print(Text(f"NOT READ {prose(str(failure.error))}"))
    rows = sum(report.rows for report in reports)
    refused = sum(report.rows_refused for report in reports)
    console.print(
        f"{plural(len({report.file for report in reports}), 'file')} read, "
        f"{plural(rows, 'row')}, {refused:,} refused; {len(failures):,} not read"
    )
    return "".join(f"{line.rstrip(' ')}\n" for line in out.getvalue().split("\n")[:-1])


def _remarks(reports: Sequence[LoadReport]) -> list[str]:
    remarks = []
    for report in reports:
        name = visible(report.file)
        remarks += [
            f"refused {name}, record {number}: {prose(reason)}"
            for number, reason in report.refused_samples
        ]
        more = report.rows_refused - len(report.refused_samples)
        if more > 0:
            remarks.append(f"refused {name}: {more:,} more")
        remarks += [
            f"{name}: {visible(column)} has {plural(count, 'value')} of a wrong type, read as empty"
            for column, count in report.nulled.items()
        ]
    return remarks


def as_json(reports: Sequence[LoadReport], failures: Sequence[LogFailure]) -> str:
    """Return both as one JSON object, ``foxhunt.logs/1``; times are UTC, None without rows."""
    value = {
        "schema": "foxhunt.logs/1",
        "files": [
            {
                "file": report.file,
                "format": report.format,
                "table": report.table,
                "rows": report.rows,
                "rows_refused": report.rows_refused,
                "refused": [
                    {"row": number, "reason": reason} for number, reason in report.refused_samples
                ],
                "nulled": report.nulled,
                "first_time": iso(report.first_time) if report.first_time else None,
                "last_time": iso(report.last_time) if report.last_time else None,
            }
            for report in reports
        ],
        "not_read": [{"file": failure.name, "reason": str(failure.error)} for failure in failures],
    }
    return json.dumps(value, indent=2, ensure_ascii=True) + "\n"
