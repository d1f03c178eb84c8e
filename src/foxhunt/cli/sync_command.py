"""`foxhunt sync`: what ThreatFox publishes into the store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from foxhunt.cli.options import Mapping

if TYPE_CHECKING:
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
    was. It is in FOXHUNT_HOME, or the platform's data folder.

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
    else:
        for report in _from_network(feed, accept=accept):
            _print(report, format_name)


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


def _from_network(feeds: list[str] | None, *, accept: bool) -> Iterator[SyncReport]:
    """Sync one feed after the other; each is whole, whatever becomes of the others.

    Raises:
        HuntError: The first there was, after all feeds were tried.
    """
    import os

    from foxhunt.cli.output import note
    from foxhunt.errors import HuntError
    from foxhunt.feeds.ledger import THREATFOX
    from foxhunt.feeds.report import printable
    from foxhunt.feeds.sibling_files import sibling_url

    names = list(dict.fromkeys(feeds or [THREATFOX]))
    # A typing error is told before anything is fetched.
    urls = {name: sibling_url(name, os.environ) for name in names if name != THREATFOX}
    first: HuntError | None = None
    for name in names:
        try:
            report = (
                _sibling_from_network(name, urls[name], accept=accept)
                if name in urls
                else _threatfox_from_network(accept=accept)
            )
        except HuntError as error:
            if first is not None:
                note(printable(str(error)))
            first = first or error
        else:
            yield report
    if first is not None:
        raise first


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
    from datetime import UTC, datetime

    from foxhunt.cli.output import note
    from foxhunt.feeds.endpoints import Endpoints
    from foxhunt.feeds.false_positives import refresh_fplist
    from foxhunt.feeds.health import key_expiry
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
    told = refresh_fplist(home, transport, endpoints)
    if told is not None:
        note(told)
    return report


def _watch(text: str, feeds: list[str] | None, *, accept: bool, format_name: str) -> None:
    import os
    from datetime import UTC, datetime

    from foxhunt.cli.output import note
    from foxhunt.feeds.endpoints import Endpoints
    from foxhunt.feeds.report import printable
    from foxhunt.feeds.secrets import threatfox_key
    from foxhunt.feeds.watching import watch, watch_interval

    has_key = threatfox_key(os.environ) is not None
    interval = watch_interval(text, Endpoints.from_environment(os.environ), has_key=has_key)

    def tell(line: str) -> None:
        note(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC: {printable(line)}")

    # What is accepted is what there is now, not whatever may come tonight.
    accepting = iter((accept,))

    def sync() -> None:
        tell("sync begins")
        for report in _from_network(feeds, accept=next(accepting, False)):
            _print(report, format_name, is_line=True)

    watch(interval, sync, tell)
