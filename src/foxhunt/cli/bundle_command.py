"""`foxhunt bundle`: the store in one file, for machines without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

bundle_app = typer.Typer(
    help="Carry the indicators to a machine without a network, in one file.",
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=False,
)


@bundle_app.command("export")
def export_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The bundle to write.")],
    *,
    snapshot: Annotated[
        str,
        typer.Option(metavar="NAME", help="Another snapshot than the current; see `snapshots`."),
    ] = "current",
) -> None:
    """Write the indicators of the store, quarantined records included, into FILE.

    The same snapshot gives the same bytes. Its SHA-256 is printed: compare it on the other side.

    \b
      foxhunt bundle export foxhunt.bundle
      foxhunt bundle export before.bundle --snapshot previous
    """
    from foxhunt.cli.output import deliver, note
    from foxhunt.errors import NoIndicatorsError
    from foxhunt.indicators import IndicatorStore, default_home
    from foxhunt.indicators.bundle import LICENCE, write_bundle

    store = IndicatorStore(default_home())
    if not store.snapshots():
        raise NoIndicatorsError("no indicators were synced yet", hint="run `foxhunt sync`")
    name = store.resolve(snapshot).name
    sha256 = write_bundle(file, store.content(name), name)
    deliver(f"{sha256}  {file}\n", None)
    note(f"wrote {file}: snapshot {name}\n{LICENCE}")


@bundle_app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The bundle to read.")],
    *,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace",
            help="Take its indicators instead of the store's; by default they are merged.",
        ),
    ] = False,
    sha256: Annotated[
        str | None,
        typer.Option(metavar="HASH", help="Refuse FILE if its SHA-256 is another one."),
    ] = None,
) -> None:
    """Take the indicators of a bundle into the store, after all its hashes were checked.

    What is there stays as a snapshot. A damaged or changed bundle is refused, with what differs.

    \b
      foxhunt bundle import foxhunt.bundle
      foxhunt bundle import foxhunt.bundle --sha256 9f86d081... --replace
    """
    from foxhunt.cli.output import note
    from foxhunt.feeds.bundles import import_bundle
    from foxhunt.feeds.ledger import Ledger
    from foxhunt.indicators import IndicatorStore, default_home
    from foxhunt.indicators.bundle import read_bundle
    from foxhunt.reports.text import minute, plural, visible
    from foxhunt.state import State

    bundle = read_bundle(file, sha256)
    note(f"{bundle.sha256}  {file}")
    note(
        f"{plural(len(bundle.indicators), 'indicator')} of snapshot {bundle.snapshot}, "
        f"{minute(bundle.created)} UTC, by foxhunt {visible(bundle.foxhunt[:40])}"
    )
    home = default_home()
    ledger = Ledger(State(home))
    done = import_bundle(IndicatorStore(home), ledger, bundle, file.name, replace=replace)
    if done.merge is None:
        before = done.previous or "none"
        note(f"current is {done.snapshot}, with these alone; before it was {before}")
        return
    told = done.merge.difference
    note(
        f"{told.new:,} new, {told.re_seen:,} re-seen, {told.changed:,} changed, "
        f"{told.unchanged:,} unchanged, {told.older:,} older than the store's; "
        f"{plural(done.merge.total, 'indicator')} in all"
    )
    if done.merge.taken_back:
        note(f"retracted by their feeds, now in quarantine: {len(done.merge.taken_back):,}")
    note(f"current is {done.snapshot}")
