"""`foxhunt lint`: is this content right, within the limits, and free of the known mistakes?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from foxhunt.cli import Exit
from foxhunt.cli.options import Out

if TYPE_CHECKING:
    from foxhunt.lint import Report


def lint_command(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH...", help="Files, or folders: kql, yaml, json, bicep."),
    ],
    *,
    format_name: Annotated[
        Literal["table", "json"], typer.Option("--format", help="How to print.")
    ] = "table",
    out: Out = None,
) -> None:
    """Check hunting content: syntax, schema, limits, and the mistakes that hunting pages teach.

    Reads KQL, Azure-Sentinel YAML, ARM and Defender JSON, and Bicep, of foxhunt or of anybody.
    Microsoft's own parser judges when it is installed (make kusto, or FOXHUNT_KUSTO).

    \b
      foxhunt lint rules/
      foxhunt lint hunt.kql
      foxhunt lint rules/ --format json

    Exit codes: 0 no errors; 1 errors; 2 wrong usage; 3 a file or name that nobody could judge.
    """
    from foxhunt.cli.output import deliver
    from foxhunt.cli.progress import progress_bar
    from foxhunt.lint import Level, lint_paths

    with progress_bar() as tell:
        report = lint_paths(paths, tell=tell)
    deliver(_as_json(report) if format_name == "json" else _as_table(report), out)
    if report.count(Level.NOT_JUDGED):
        raise typer.Exit(Exit.INCOMPLETE)
    if report.count(Level.ERROR):
        raise typer.Exit(Exit.OPEN)


def _as_table(report: Report) -> str:
    from foxhunt.lint import Level
    from foxhunt.reports.text import prose

    lines = [
        prose(f"{one.at}: {one.code} {one.level}: {one.message} ({one.fix})")
        for one in report.issues
    ]
    counts = ", ".join(
        f"{report.count(level):,} {word}"
        for level, word in (
            (Level.ERROR, "errors"),
            (Level.WARNING, "warnings"),
            (Level.NOT_JUDGED, "not judged"),
        )
    )
    skipped = f"; {len(report.skipped):,} files without content" if report.skipped else ""
    lines.append(
        f"{report.files:,} files, {report.queries:,} queries: {counts}; "
        f"parsers: {', '.join(report.judges)}{skipped}"
    )
    return "\n".join(lines) + "\n"


def _as_json(report: Report) -> str:
    value = {
        "schema": "foxhunt.lint/1",
        "files": report.files,
        "queries": report.queries,
        "judges": list(report.judges),
        "skipped": list(report.skipped),
        "issues": [
            {
                "code": one.code,
                "level": str(one.level),
                "file": one.at.name,
                "line": one.at.line,
                "column": one.at.column,
                "message": one.message,
                "fix": one.fix,
            }
            for one in report.issues
        ],
    }
    return json.dumps(value, indent=2, ensure_ascii=True) + "\n"
