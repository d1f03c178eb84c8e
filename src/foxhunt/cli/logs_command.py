"""`foxhunt logs`: what each file is read as, before anything is hunted."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from foxhunt.cli import Exit, options
from foxhunt.cli.options import Logs, Out, Tables


def logs_command(
    logs: Logs = None,
    table: Tables = None,
    format_name: Annotated[
        Literal["table", "json"], typer.Option("--format", help="How to print it.")
    ] = "table",
    out: Out = None,
) -> None:
    """Show what each log file is read as: table, rows, time span, what was refused and why.

    Exit code 3 means that a file could not be recognised or read.

    \b
      foxhunt logs /var/log/zeek
      foxhunt logs --table DnsEvents=dns.csv capture/
    """
    from foxhunt.cli.output import deliver, terminal_width
    from foxhunt.cli.progress import progress_bar
    from foxhunt.hunt import inspect_logs
    from foxhunt.reports import logs_report

    with progress_bar() as progress:
        inspection = inspect_logs(logs or (), options.forced_tables(table), progress=progress)
    reports, failures = inspection.reports, inspection.failures
    if format_name == "json":
        text = logs_report.as_json(reports, failures)
    else:
        text = logs_report.as_table(reports, failures, width=terminal_width() or 110)
    deliver(text, out)
    raise typer.Exit(Exit.INCOMPLETE if inspection.failures else Exit.CLEAN)
