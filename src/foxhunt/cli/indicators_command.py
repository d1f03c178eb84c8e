"""`foxhunt indicators` and `foxhunt families`: what there is to hunt for."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from foxhunt.cli import options
from foxhunt.cli.options import Families, Indicators, MinConfidence, Out, WarningListFolder

RowFormat = Annotated[
    Literal["table", "json", "ndjson", "csv"],
    typer.Option("--format", help="How to print them; values are defanged in the table only."),
]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, metavar="N", help="At most N; the first of them.")
]


def indicators_command(
    value: Annotated[
        str | None,
        typer.Argument(
            metavar="VALUE",
            help="Only this value, in any spelling, defanged or not; an address is every ip:port "
            "with it.",
        ),
    ] = None,
    *,
    indicators: Indicators = None,
    family: Families = None,
    type_names: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="TYPE", help="Only this type, e.g. ip:port. Repeatable."),
    ] = None,
    under: Annotated[
        str | None,
        typer.Option(
            metavar="DOMAIN",
            help="Only this domain, the names below it and URLs on them; or all on an address.",
        ),
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(metavar="TAG", help="Only with this tag, in any case. Repeatable."),
    ] = None,
    reporter: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only from this reporter, in any case. Repeatable."),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(metavar="FEED", help="Only of this feed, e.g. threatfox. Repeatable."),
    ] = None,
    min_confidence: MinConfidence = 0,
    warninglists: WarningListFolder = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only first seen from this time (UTC) on.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only first seen before this time (UTC).")
    ] = None,
    active_since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Only first or last seen from this time (UTC) on."),
    ] = None,
    limit: Limit = None,
    quarantined: Annotated[
        bool, typer.Option("--quarantined", help="Show the refused records instead, with reasons.")
    ] = False,
    format_name: RowFormat = "table",
    out: Out = None,
) -> None:
    """List indicators of the store, or of files; every filter narrows what the others leave.

    \b
      foxhunt indicators --family AsyncRAT --type ip:port
      foxhunt indicators --under texornacu[.]com --active-since 2026-06-01
      foxhunt indicators texornacu[.]com --indicators recent.json
      foxhunt indicators --quarantined
      foxhunt indicators --type domain --warninglists misp-warninglists/
    """
    from foxhunt.cli import listing
    from foxhunt.cli.output import note
    from foxhunt.cli.selecting import load, warning_lists

    is_table = format_name == "table"
    if quarantined:
        refused = listing.quarantined_rows(load(indicators), limit, is_defanged=is_table)
        deliver_rows(format_name, listing.QUARANTINED, refused, out)
        return
    seen_since, seen_until = options.time_range(since, until)
    filters = listing.Filters(
        value=value,
        under=under,
        families=family or (),
        types=type_names or (),
        tags=tag or (),
        reporters=reporter or (),
        sources=source or (),
        min_confidence=min_confidence,
        seen_since=seen_since,
        seen_until=seen_until,
        active_since=options.parse_time(active_since, "--active-since"),
    )
    reader = listing.opened(indicators)
    # Imported while the snapshot's bytes are hashed.
    from foxhunt.exclusions import label_indicators

    labels_of = partial(label_indicators, lists=warning_lists(warninglists))
    found = listing.find(reader, filters)
    rows = listing.IndicatorRows(found, limit, labels_of, is_table=is_table)
    deliver_rows(format_name, listing.INDICATORS, rows, out)
    if len(rows) < found.count:
        note(f"{len(rows):,} of {found.count:,} indicators, as --limit asks")


def families_command(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Only those with NAME in a name, alias or label."),
    ] = None,
    *,
    indicators: Indicators = None,
    format_name: RowFormat = "table",
    out: Out = None,
) -> None:
    """List malware families: aliases, how many indicators of which type, last active when.

    \b
      foxhunt families
      foxhunt families rat
      foxhunt families --indicators recent.json --format csv
    """
    from foxhunt.cli import listing

    rows = listing.family_rows(listing.opened(indicators), name, is_table=format_name == "table")
    deliver_rows(format_name, listing.FAMILIES, rows, out)


def deliver_rows(
    format_name: str, columns: tuple[str, ...], rows: Sequence[tuple[object, ...]], out: Path | None
) -> None:
    """Write rows to ``out`` or standard output, in one of the formats of `RowFormat`."""
    from foxhunt.cli.output import deliver, terminal_width
    from foxhunt.reports.query_result import write_rows

    rendered = io.StringIO()
    write_rows(format_name, columns, rows, rendered, width=terminal_width() or 160)
    deliver(rendered.getvalue(), out)
