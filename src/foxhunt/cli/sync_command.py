"""`foxhunt sync`: what ThreatFox publishes into the store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from foxhunt.cli import Exit
from foxhunt.cli.options import Mapping

if TYPE_CHECKING:
    from datetime import timedelta

    from foxhunt.feeds import SyncReport


Files = Annotated[
    list[str] | None,
    typer.Option(
        "--file",
        metavar="FILE",
        help="File instead of the network: ThreatFox, URLhaus, MalwareBazaar, Feodo Tracker, "
        "SSLBL, STIX, MISP (plain, zip, gz, zst). Repeatable.",
    ),
]
Feeds = Annotated[
    list[str] | None,
    typer.Option(
        "--feed",
        metavar="NAME",
        help="Fetch this feed: threatfox (without the option), urlhaus, malwarebazaar, "
        "feodotracker, sslbl. Repeatable.",
    ),
]
Accept = Annotated[
    bool,
    typer.Option(
        "--accept",
        help="Take what an alarm doubts: another format, a number of records that fell or "
        "jumped, many that are no indicators, a feed that stands still; go on without a key "
        "that is refused.",
    ),
]
Watch = Annotated[
    str | None,
    typer.Option(
        metavar="INTERVAL",
        help="Sync again and again, e.g. every 15m or 1h, until SIGINT or SIGTERM.",
    ),
]
ReportFormat = Annotated[
    Literal["text", "json"], typer.Option("--format", help="How to print what the sync did.")
]


def sync_command(
    file: Files = None,
    *,
    feed: Feeds = None,
    mapping: Mapping = None,
    accept: Accept = False,
    watch: Watch = None,
    format_name: ReportFormat = "text",
) -> None:
    """Merge ThreatFox indicators into the store; what is there stays.

    Without --file they are fetched from ThreatFox, the cheapest way that closes the gap since
    the last sync: the recent export, the API, or the full dump. The recent export and the dump
    need no key; the API's is taken from FOXHUNT_THREATFOX_KEY or the keyring. With a key
    abuse.ch's list of false positives is kept as well, once a day.

    What does not look like ThreatFox's answers so far, or is older than 24 hours, is refused
    with exit code 3, and a key that is refused or has expired with 2; the store is left as it
    was. It is in FOXHUNT_HOME, or the platform's data folder. Where only the list of false
    positives needed the key that is refused, the rest is merged, and the exit code is 3.

    \b
      foxhunt sync
      foxhunt sync --feed threatfox --feed urlhaus --watch 15m
      foxhunt sync --file recent.json
      foxhunt sync --file full.json.zip --file urlhaus.csv
      foxhunt sync --file ministry.csv --mapping ministry.yaml
    """
    from foxhunt.errors import UsageError

    if mapping is not None and not file:
        raise UsageError("--mapping is of files", hint="name them with --file")
    if file and (accept or watch is not None or feed):
        option = "--accept" if accept else "--feed" if feed else "--watch"
        raise UsageError(f"{option} is about the network, and --file is not")
    if watch is not None:
        _watch(watch, feed, accept=accept, format_name=format_name)
    elif file:
        _print(_from_files(file, mapping), format_name)
    elif _print_each(_from_network(feed, accept=accept), format_name):
        raise typer.Exit(Exit.INCOMPLETE)


def _print_each(reports: Iterator[SyncReport], format_name: str) -> bool:
    """Print reports; whether a key was refused that only a part of the sync needed."""
    from foxhunt.feeds.ledger import AlarmKind

    is_refused = False
    for report in reports:
        _print(report, format_name)
        is_refused = is_refused or any(
            alarm.kind is AlarmKind.KEY_REFUSED and not alarm.is_doubt for alarm in report.alarms
        )
    return is_refused


def _print(report: SyncReport, format_name: str, *, is_line: bool = False) -> None:
    from foxhunt.cli.output import deliver
    from foxhunt.feeds import describe_sync, sync_json

    if format_name == "json":
        deliver(sync_json.render(report, is_line=is_line), None)
    else:
        deliver("\n".join(describe_sync(report)) + "\n", None)


def _from_files(files: list[str], mapping: str | None) -> SyncReport:
    from foxhunt.cli.selecting import read_mapping_file
    from foxhunt.feeds import sync_files
    from foxhunt.feeds.ledger import Ledger
    from foxhunt.indicators import IndicatorStore, default_home
    from foxhunt.state import State

    home = default_home()
    return sync_files(
        IndicatorStore(home), files, Ledger(State(home)), mapping=read_mapping_file(mapping)
    )


def _feed_urls(feeds: list[str] | None) -> dict[str, str | None]:
    """The feeds to fetch, and where the file of each is; None for ThreatFox.

    Raises:
        UsageError: There is no such feed, or its variable holds no URL: a typing error is told
            before anything is fetched.
    """
    import os

    from foxhunt.feeds.ledger import THREATFOX
    from foxhunt.feeds.sibling_files import sibling_url

    names = dict.fromkeys(feeds or [THREATFOX])
    return {name: None if name == THREATFOX else sibling_url(name, os.environ) for name in names}


def _from_network(feeds: list[str] | None, *, accept: bool) -> Iterator[SyncReport]:
    """Sync one feed after the other; each is whole, whatever becomes of the others.

    Raises:
        HuntError: The first there was, after all feeds were tried.
    """
    from foxhunt.cli.output import note
    from foxhunt.errors import HuntError
    from foxhunt.feeds.report import printable

    first: HuntError | None = None
    for name, url in _feed_urls(feeds).items():
        try:
            report = _from_feed(name, url, accept=accept)
        except HuntError as error:
            if first is not None:
                note(printable(str(error)))
            first = first or error
        else:
            yield report
    if first is not None:
        raise first


def _from_feed(name: str, url: str | None, *, accept: bool) -> SyncReport:
    if url is None:
        return _threatfox_from_network(accept=accept)
    return _sibling_from_network(name, url, accept=accept)


def _sibling_from_network(name: str, url: str, *, accept: bool) -> SyncReport:
    import os
    from datetime import UTC, datetime

    from foxhunt.cli.output import note
    from foxhunt.feeds.endpoints import Endpoints
    from foxhunt.feeds.network import NetworkSync
    from foxhunt.feeds.transport import Transport
    from foxhunt.indicators import default_home

    network = NetworkSync(
        default_home(), Transport(None, notify=note), Endpoints.from_environment(os.environ)
    )
    return network.run_sibling(name, url, began=datetime.now(UTC), accept=accept)


def _threatfox_from_network(*, accept: bool) -> SyncReport:
    import os
    from dataclasses import replace
    from datetime import UTC, datetime

    from foxhunt.cli.output import note
    from foxhunt.errors import FeedKeyError
    from foxhunt.feeds.endpoints import Endpoints
    from foxhunt.feeds.false_positives import refresh_fplist
    from foxhunt.feeds.health import key_expiry
    from foxhunt.feeds.ledger import Alarm, AlarmKind
    from foxhunt.feeds.network import NetworkSync
    from foxhunt.feeds.secrets import threatfox_key
    from foxhunt.feeds.transport import Transport
    from foxhunt.indicators import default_home

    began = datetime.now(UTC)
    home, endpoints = default_home(), Endpoints.from_environment(os.environ)
    transport = Transport(threatfox_key(os.environ), notify=note)
    expiry = key_expiry(os.environ, began) if transport.secret else None
    network = NetworkSync(home, transport, endpoints)
    plan = network.planned(began)
    note(plan.reason)
    report = network.run(plan, began=began, accept=accept, expiry=expiry)
    try:
        told = refresh_fplist(home, transport, endpoints)
    except FeedKeyError as error:
        # What needed no key is in the store; that the rest is not must reach every reader.
        note(str(error) if accept else f"{error}; `foxhunt sync --accept` goes on without the key")
        refused = Alarm(AlarmKind.KEY_REFUSED, error.message, is_doubt=accept)
        return replace(report, alarms=(*report.alarms, refused))
    if told is not None:
        note(told)
    return report


def _watch(text: str, feeds: list[str] | None, *, accept: bool, format_name: str) -> None:
    from datetime import UTC, datetime

    from foxhunt.cli.output import note
    from foxhunt.feeds.report import printable
    from foxhunt.feeds.watching import Watched, watch, watch_interval

    urls = _feed_urls(feeds)
    interval = watch_interval(text, _least_intervals(urls))

    def tell(line: str) -> None:
        note(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC: {printable(line)}")

    def watched(name: str, url: str | None) -> Watched:
        # What is accepted is what there is now, not whatever may come tonight.
        accepting = iter((accept,))

        def sync() -> None:
            tell(f"{name}: sync begins")
            report = _from_feed(name, url, accept=next(accepting, False))
            _print(report, format_name, is_line=True)

        return Watched(name, sync)

    watch([watched(name, url) for name, url in urls.items()], interval, tell)


def _least_intervals(urls: dict[str, str | None]) -> dict[str, timedelta]:
    """Of each feed how often it may be asked at the most."""
    import os

    from foxhunt.feeds.endpoints import Endpoints
    from foxhunt.feeds.fairness import fair_interval
    from foxhunt.feeds.secrets import threatfox_key

    endpoints = Endpoints.from_environment(os.environ)
    asked = [endpoints.exports]
    if None in urls.values() and threatfox_key(os.environ) is not None:
        asked += [endpoints.api, endpoints.files, endpoints.hunting]
    return {
        name: fair_interval(name, asked if url is None else [url]) for name, url in urls.items()
    }
