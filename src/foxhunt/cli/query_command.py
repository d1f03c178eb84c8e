"""`foxhunt query`: any KQL over the same logs."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from foxhunt.cli import Exit, options
from foxhunt.cli.options import Out, Tables

if TYPE_CHECKING:
    from foxhunt.hunt import QueryResult


def query_command(
    arguments: Annotated[
        list[str],
        typer.Argument(metavar="[KQL] LOGS", help="The query (unless --file), then the logs."),
    ],
    *,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="File with the query; - is standard input."),
    ] = None,
    table: Tables = None,
    plain: Annotated[
        bool,
        typer.Option("--plain", help="Compare long lists row by row: slow, the same rows."),
    ] = False,
    format_name: Annotated[
        Literal["table", "json", "ndjson", "csv"],
        typer.Option("--format", help="How to print the result."),
    ] = "table",
    out: Out = None,
) -> None:
    """Run a KQL query over LOGS, tables named as in Sentinel.

    Exit code 3 means that the result is incomplete: a file could not be read, or a table
    that the query names had no data.

    \b
      foxhunt query 'DnsEvents | summarize count() by Computer | top 10 by count_' logs/
      foxhunt query --file hunt.kql logs/ --format csv
    """
    from foxhunt.cli.output import deliver, note, terminal_width
    from foxhunt.errors import UsageError
    from foxhunt.hunt import query_logs
    from foxhunt.reports.query_result import write_rows

    text, name, logs = _query(arguments, file)
    if not logs and not table:
        raise UsageError("no logs to query", hint="foxhunt query 'DnsEvents | take 5' logs/")
    result = query_logs(text, logs, options.forced_tables(table), name=name, plain=plain)
    rendered = io.StringIO()
    write_rows(format_name, result.columns, result.rows, rendered, width=terminal_width() or 110)
    deliver(rendered.getvalue(), out)
    if result.accelerated:
        note(f"over distinct values: {'; '.join(result.accelerated)} (--plain: row by row)")
    for failure in result.failures:
        note(f"not read: {failure.error}")
    for empty in result.tables_without_data:
        note(f"not evaluated: no file with rows of {empty}")
    raise typer.Exit(_exit_code(result))


def _query(arguments: list[str], file: Path | None) -> tuple[str, str, list[str]]:
    """The query, what messages call it, and the logs."""
    from foxhunt.errors import UsageError

    if file is None:
        return arguments[0], "query", arguments[1:]
    if str(file) == "-":
        return typer.get_text_stream("stdin").read(), "standard input", arguments
    try:
        return file.read_text("utf-8-sig"), str(file), arguments
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not UTF-8 text: {error.reason}") from error


def _exit_code(result: QueryResult) -> Exit:
    is_complete = not result.failures and not result.tables_without_data
    return Exit.CLEAN if is_complete else Exit.INCOMPLETE
