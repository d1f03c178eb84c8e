"""`foxhunt indicators` and `foxhunt families`: what there is to hunt for."""

from __future__ import annotations

import io
from typing import Annotated, Literal

import typer

from foxhunt.cli import options
from foxhunt.cli.options import Families, Indicators, MinConfidence, Out, WarningListFolder

RowFormat = Annotated[
    Literal["table", "json", "ndjson", "csv"],
    typer.Option("--format", help="How to print them; values are defanged in the table only."),
]


def indicators_command(
    value: Annotated[
        str | None,
        typer.Argument(metavar="VALUE", help="Only this value, defanged or not."),
    ] = None,
    *,
    indicators: Indicators = None,
    family: Families = None,
    type_names: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="TYPE", help="Only this type, e.g. ip:port. Repeatable."),
    ] = None,
    min_confidence: MinConfidence = 0,
    warninglists: WarningListFolder = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only first seen from this time (UTC) on.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only first seen before this time (UTC).")
    ] = None,
    quarantined: Annotated[
        bool, typer.Option("--quarantined", help="Show the refused records instead, with reasons.")
    ] = False,
    format_name: RowFormat = "table",
    out: Out = None,
) -> None:
    """List indicators of the store, or of files.

    \b
      foxhunt indicators --family AsyncRAT --type ip:port
      foxhunt indicators texornacu[.]com --indicators recent.json
      foxhunt indicators --quarantined
      foxhunt indicators --type domain --warninglists misp-warninglists/
    """
    from foxhunt.cli import listing
    from foxhunt.cli.selecting import load, select, warning_lists
    from foxhunt.exclusions import label_indicators

    if quarantined:
        rows = listing.quarantined_rows(load(indicators), is_defanged=format_name == "table")
        _deliver(format_name, listing.QUARANTINED, rows, out)
        return
    seen_since, seen_until = options.time_range(since, until)
    chosen = select(
        indicators,
        families=family,
        min_confidence=min_confidence,
        seen_since=seen_since,
        seen_until=seen_until,
    )
    chosen = listing.narrowed(chosen, value, type_names)
    labels = label_indicators(chosen, warning_lists(warninglists))
    rows = listing.indicator_rows(chosen, labels, is_defanged=format_name == "table")
    _deliver(format_name, listing.INDICATORS, rows, out)


def families_command(
    indicators: Indicators = None, format_name: RowFormat = "table", out: Out = None
) -> None:
    """List malware families: how many indicators, since when, last active when.

    \b
      foxhunt families
      foxhunt families --indicators recent.json --format csv
    """
    from foxhunt.cli import listing
    from foxhunt.cli.selecting import load

    _deliver(format_name, listing.FAMILIES, listing.family_rows(load(indicators)), out)


def _deliver(
    format_name: str, columns: tuple[str, ...], rows: list[tuple[object, ...]], out: object
) -> None:
    from pathlib import Path

    from foxhunt.cli.output import deliver, terminal_width
    from foxhunt.reports.query_result import write_rows

    rendered = io.StringIO()
    write_rows(format_name, columns, rows, rendered, width=terminal_width() or 160)
    deliver(rendered.getvalue(), out if isinstance(out, Path) else None)
