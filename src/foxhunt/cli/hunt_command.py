"""`foxhunt hunt`: which machines met which malware."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from foxhunt.cli import Exit, options
from foxhunt.cli.options import (
    Exclusions,
    FalsePositiveFiles,
    Families,
    Indicators,
    Logs,
    Mapping,
    Match,
    MinConfidence,
    Out,
    Tables,
    WarningListFolder,
)

if TYPE_CHECKING:
    from foxhunt.findings import HuntResult
    from foxhunt.findings import Match as FoundMatch
    from foxhunt.hunt import EventSink

Since = Annotated[
    str | None, typer.Option(metavar="TIME", help="Only events from this day or time (UTC) on.")
]
Until = Annotated[
    str | None, typer.Option(metavar="TIME", help="Only events before this day or time (UTC).")
]
Format = Annotated[
    Literal["table", "json", "ndjson", "csv", "md", "html"],
    typer.Option("--format", help="How to print what was found."),
]
Events = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Also write every matching event, one JSON line each."),
]
NoHistory = Annotated[
    bool,
    typer.Option(
        "--no-history", help="Do not remember what was found and which exclusions did anything."
    ),
]


def hunt_command(
    logs: Logs = None,
    *,
    indicators: Indicators = None,
    mapping: Mapping = None,
    family: Families = None,
    min_confidence: MinConfidence = 0,
    exclusions: Exclusions = None,
    warninglists: WarningListFolder = None,
    fplist: FalsePositiveFiles = None,
    match: Match = "exact",
    since: Since = None,
    until: Until = None,
    table: Tables = None,
    format_name: Format = "table",
    out: Out = None,
    events: Events = None,
    no_history: NoHistory = False,
) -> None:
    """Hunt LOGS for indicators: which machines met which malware.

    Exit code 1 means open findings, 3 that something was not evaluated: a file that could
    not be read, or no data at all that could show the indicators.

    \b
      foxhunt hunt /var/log/zeek --indicators recent.json
      foxhunt hunt 'export/*.csv' --family "Unknown RAT" --format html --out report.html
      foxhunt hunt --table DnsEvents=dns.csv logs/ --since 2026-06-01
      foxhunt hunt logs/ --exclusions exclusions/
    """
    from foxhunt.cli.output import deliver
    from foxhunt.cli.progress import progress_bar
    from foxhunt.cli.selecting import false_positives, select, warning_lists
    from foxhunt.engines import TimeRange
    from foxhunt.exclusions import read_exclusions
    from foxhunt.hunt import HuntRequest, hunt
    from foxhunt.rules import MatchMode

    request = HuntRequest(
        logs=logs or (),
        forced=options.forced_tables(table),
        times=TimeRange(*options.time_range(since, until)),
        mode=MatchMode(match),
        exclusions=read_exclusions(exclusions or ()),
        warninglists=warning_lists(warninglists),
        false_positives=false_positives(fplist, is_store_used=not indicators),
        indicators=select(
            indicators, mapping=mapping, families=family, min_confidence=min_confidence
        ),
    )
    with progress_bar() as progress:
        result = hunt(request, events=_event_writer(events), progress=progress)
    deliver(_rendered(result, format_name, is_file=out is not None), out)
    if not no_history:
        _remember(result)
    if format_name != "table" or out is not None:
        _tell(result)
    raise typer.Exit(_exit_code(result))


def _event_writer(path: Path | None) -> EventSink | None:
    if path is None:
        return None
    from foxhunt import atomic
    from foxhunt.reports.events import write_events

    def sink(matches: Iterator[FoundMatch]) -> None:
        with atomic.replacing(path) as out:
            write_events(matches, out)

    return sink


def _remember(result: HuntResult) -> None:
    from foxhunt.cli.output import note
    from foxhunt.errors import StoreError
    from foxhunt.findings.history import FindingStore
    from foxhunt.indicators import default_home
    from foxhunt.state import State

    try:
        FindingStore(State(default_home())).add(result)
    except StoreError as error:  # what was found is delivered; that it is not kept is no failure
        note(f"the hunt is not in the history: {error}")


def _tell(result: HuntResult) -> None:
    """Say the conclusion to the person, whatever reads the result: some formats hold no counts."""
    from foxhunt.cli.output import note
    from foxhunt.reports.summary import summarise

    summary = summarise(result)
    note("\n".join([summary.headline, *summary.details]))


def _rendered(result: HuntResult, format_name: str, *, is_file: bool) -> str:
    from foxhunt.cli.output import terminal_width
    from foxhunt.reports import get_report, table

    width = terminal_width()
    if format_name == "table" and width is not None and not is_file:
        # https://no-color.org, 2024: set and not empty.
        return table.render(result, width=width, colour=not os.environ.get("NO_COLOR"))
    return get_report(format_name).render(result)


def _exit_code(result: HuntResult) -> Exit:
    from foxhunt.reports.summary import Conclusion, summarise

    conclusion = summarise(result).conclusion
    if conclusion in (Conclusion.INCOMPLETE, Conclusion.NOT_LOOKED):
        return Exit.INCOMPLETE
    return Exit.OPEN if conclusion is Conclusion.OPEN else Exit.CLEAN
