"""`foxhunt indicators` and `foxhunt families`: what there is to hunt for."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from foxhunt.cli import options
from foxhunt.cli.options import Families, Indicators, MinConfidence, Out, WarningListFolder

if TYPE_CHECKING:
    from foxhunt.indicators.lookup import Found
    from foxhunt.snapshot_files import SnapshotBytes

RowFormat = Annotated[
    Literal["table", "json", "ndjson", "csv"],
    typer.Option("--format", help="How to print them; values are defanged in the table only."),
]
Value = Annotated[
    str | None,
    typer.Argument(
        metavar="VALUE",
        help="Only this value, in any spelling, defanged or not; an address is every ip:port "
        "with it.",
    ),
]
Types = Annotated[
    list[str] | None,
    typer.Option("--type", metavar="TYPE", help="Only this type, e.g. ip:port. Repeatable."),
]
Under = Annotated[
    str | None,
    typer.Option(
        metavar="DOMAIN",
        help="Only this domain, the names below it and URLs on them; or all on an address.",
    ),
]
Tags = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="TAG", help="Only with this tag, in any case. Repeatable."),
]
Reporters = Annotated[
    list[str] | None,
    typer.Option(
        "--reporter", metavar="NAME", help="Only from this reporter, in any case. Repeatable."
    ),
]
Sources = Annotated[
    list[str] | None,
    typer.Option("--source", metavar="FEED", help="Only of this feed, e.g. threatfox. Repeatable."),
]
Since = Annotated[
    str | None, typer.Option(metavar="TIME", help="Only first seen from this time (UTC) on.")
]
Until = Annotated[
    str | None, typer.Option(metavar="TIME", help="Only first seen before this time (UTC).")
]
ActiveSince = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Only first or last seen from this time (UTC) on."),
]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, metavar="N", help="At most N; the first of them.")
]
AreQuarantined = Annotated[
    bool, typer.Option("--quarantined", help="Show the refused records instead, with reasons.")
]


def indicators_command(
    value: Value = None,
    *,
    indicators: Indicators = None,
    family: Families = None,
    type_names: Types = None,
    under: Under = None,
    tag: Tags = None,
    reporter: Reporters = None,
    source: Sources = None,
    min_confidence: MinConfidence = 0,
    warninglists: WarningListFolder = None,
    since: Since = None,
    until: Until = None,
    active_since: ActiveSince = None,
    limit: Limit = None,
    quarantined: AreQuarantined = False,
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
    if quarantined:
        _list_quarantined(indicators, limit, format_name, out)
        return
    begun = None if indicators else _begun()
    from foxhunt.cli import listing

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
    found = listing.find(listing.opened(indicators, begun), filters)
    _list_found(found, limit, warninglists, format_name, out)


def _begun() -> SnapshotBytes | None:
    """The current snapshot, hashed while Arrow is imported: call it before what needs Arrow."""
    from foxhunt.home import default_home
    from foxhunt.snapshot_files import begin_current

    return begin_current(default_home())


def _list_found(
    found: Found, limit: int | None, warninglists: Path | None, format_name: str, out: Path | None
) -> None:
    from foxhunt.cli import listing
    from foxhunt.cli.output import note
    from foxhunt.cli.selecting import warning_lists
    from foxhunt.exclusions import label_indicators

    labels_of = partial(label_indicators, lists=warning_lists(warninglists))
    rows = listing.IndicatorRows(found, limit, labels_of, is_table=format_name == "table")
    deliver_rows(format_name, listing.INDICATORS, rows, out)
    if len(rows) < found.count:
        note(f"{len(rows):,} of {found.count:,} indicators, as --limit asks")


def _list_quarantined(
    files: Sequence[str] | None, limit: int | None, format_name: str, out: Path | None
) -> None:
    from foxhunt.cli import listing
    from foxhunt.cli.selecting import load

    is_table = format_name == "table"
    refused = listing.quarantined_rows(load(files), limit, is_defanged=is_table)
    deliver_rows(format_name, listing.QUARANTINED, refused, out)


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
    begun = None if indicators else _begun()
    from foxhunt.cli import listing

    reader = listing.opened(indicators, begun)
    rows = listing.family_rows(reader, name, is_table=format_name == "table")
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
