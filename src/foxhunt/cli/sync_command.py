"""`foxhunt sync`: what ThreatFox publishes into the store."""

from __future__ import annotations

from typing import Annotated

import typer


def sync_command(
    file: Annotated[
        list[str] | None,
        typer.Option(
            "--file",
            metavar="FILE",
            help="ThreatFox export or API answer (JSON, CSV; plain, zip, gz). Repeatable.",
        ),
    ] = None,
) -> None:
    """Merge ThreatFox indicators into the store; what is there stays.

    The store is in FOXHUNT_HOME, or the platform's data folder.

    \b
      foxhunt sync --file recent.json
      foxhunt sync --file full.json.zip --file threatfox_2026.csv
    """
    from foxhunt.cli.output import deliver
    from foxhunt.errors import UsageError
    from foxhunt.feeds import describe_sync, sync_files
    from foxhunt.indicators import IndicatorStore, default_home

    if not file:
        raise UsageError(
            "nothing to sync from", hint="name an export of ThreatFox with --file recent.json"
        )
    report = sync_files(IndicatorStore(default_home()), file)
    deliver("\n".join(describe_sync(report)) + "\n", None)
