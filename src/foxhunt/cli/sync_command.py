"""`foxhunt sync`: what ThreatFox publishes into the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from foxhunt.feeds import SyncReport


def sync_command(
    file: Annotated[
        list[str] | None,
        typer.Option(
            "--file",
            metavar="FILE",
            help="ThreatFox export or API answer (JSON, CSV; plain, zip, gz) instead of the "
            "network. Repeatable.",
        ),
    ] = None,
) -> None:
    """Merge ThreatFox indicators into the store; what is there stays.

    Without --file they are fetched from ThreatFox, the cheapest way that closes the gap since
    the last sync: the recent export, the API, or the full dump. The recent export and the dump
    need no key; the API's is taken from FOXHUNT_THREATFOX_KEY or the keyring.

    The store is in FOXHUNT_HOME, or the platform's data folder.

    \b
      foxhunt sync
      foxhunt sync --file recent.json
      foxhunt sync --file full.json.zip --file threatfox_2026.csv
    """
    from foxhunt.cli.output import deliver
    from foxhunt.feeds import describe_sync, sync_files
    from foxhunt.indicators import IndicatorStore, default_home

    report = sync_files(IndicatorStore(default_home()), file) if file else _from_network()
    deliver("\n".join(describe_sync(report)) + "\n", None)


def _from_network() -> SyncReport:
    import os
    from datetime import UTC, datetime

    from foxhunt.cli.output import note
    from foxhunt.feeds.endpoints import Endpoints
    from foxhunt.feeds.network import planned, sync_network
    from foxhunt.feeds.secrets import threatfox_key
    from foxhunt.feeds.transport import Transport
    from foxhunt.indicators import IndicatorStore, default_home

    began = datetime.now(UTC)
    home = default_home()
    secret = threatfox_key(os.environ)
    plan = planned(home / "feeds", began, has_key=secret is not None)
    note(plan.reason)
    return sync_network(
        IndicatorStore(home),
        home / "feeds",
        plan,
        transport=Transport(secret, notify=note),
        endpoints=Endpoints.from_environment(os.environ),
        began=began,
    )
