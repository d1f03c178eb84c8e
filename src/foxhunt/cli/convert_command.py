"""`foxhunt convert`: logs as Parquet in their tables, for hunting again and again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from foxhunt.cli import Exit, options
from foxhunt.cli.options import Logs, Tables

if TYPE_CHECKING:
    from foxhunt.logs.convert import Conversion


def convert_command(
    logs: Logs = None,
    *,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="New or empty folder to write to.")
    ],
    table: Tables = None,
    format_name: Annotated[
        Literal["table", "json"], typer.Option("--format", help="How to print what was read.")
    ] = "table",
) -> None:
    """Write LOGS as Parquet, a folder a table and day, for hunting again and again.

    The folder appears whole or not at all. Exit code 3 means that a file could not be read;
    it is named in NOT-CONVERTED.txt, and hunts of the folder are incomplete too.

    \b
      foxhunt convert /var/log/zeek --out converted/
      foxhunt hunt converted/ --indicators recent.json
    """
    from foxhunt.cli.output import deliver, note, terminal_width
    from foxhunt.cli.progress import progress_bar
    from foxhunt.logs.convert import convert_logs
    from foxhunt.reports import logs_report

    forced = options.forced_tables(table)
    with progress_bar() as progress:
        conversion = convert_logs(logs or (), out, forced, progress=progress)
    reports, failures = conversion.reports, conversion.failures
    if format_name == "json":
        text = logs_report.as_json(reports, failures)
    else:
        text = logs_report.as_table(reports, failures, width=terminal_width() or 110)
    deliver(text, None)
    note(_said(conversion, out))
    is_whole = conversion.files and not failures
    raise typer.Exit(Exit.CLEAN if is_whole else Exit.INCOMPLETE)


def _said(conversion: Conversion, out: Path) -> str:
    from foxhunt.reports.text import plural

    if not conversion.files:
        return f"nothing to write: no row of a known table; {out} was not made"
    rows = plural(sum(file.rows for file in conversion.files), "row")
    tables = plural(len({file.table for file in conversion.files}), "table")
    return f"wrote {rows} of {tables} in {plural(len(conversion.files), 'file')} to {out}"
