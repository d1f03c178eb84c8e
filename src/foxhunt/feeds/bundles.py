"""A bundle into the store and into the ledger, by which the next sync is planned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from foxhunt.errors import RetractedError
from foxhunt.feeds.activity import newest_activity
from foxhunt.feeds.ledger import Ledger, Origin, Part, SyncEntry, SyncOutcome
from foxhunt.indicators import IndicatorSet, IndicatorStore, Merge, Retraction
from foxhunt.indicators.bundle import Bundle

BUNDLE_WAY = "bundle"


@dataclass(frozen=True, slots=True)
class Imported:
    """What importing a bundle did.

    Attributes:
        snapshot: Name of the current snapshot.
        previous: Name of the one before, None for the first.
        merge: What merging changed; None if the bundle took the place of all there was.
    """

    snapshot: str
    previous: str | None
    merge: Merge | None


def import_bundle(
    store: IndicatorStore, ledger: Ledger, bundle: Bundle, name: str, *, replace: bool = False
) -> Imported:
    """Take the indicators of ``bundle`` into the store, and write it down.

    A bundle closes no gap, since nobody says that it has all its feeds had. One that takes the
    place of what was there opens it: what syncs brought before is in the store no longer.

    Args:
        store: Where to.
        ledger: Of the same home folder.
        bundle: Read and found whole.
        name: Of its file, for the ledger.
        replace: Whether its indicators are to be all there is; else they are merged.

    Raises:
        StoreError: The store or the ledger cannot be read or written.
    """
    began = datetime.now(UTC)
    if replace:
        done = Imported(*store.replace(bundle.indicators), merge=None)
    else:
        merge = store.merge(_with_retractions(bundle.indicators))
        done = Imported(merge.snapshot, merge.previous, merge)
    refused = len(bundle.indicators.quarantined)
    read = len(bundle.indicators) + refused
    ledger.add(
        SyncEntry(
            origin=Origin.REPLACED if replace else Origin.BUNDLE,
            outcome=SyncOutcome.TAKEN,
            began=began,
            ended=datetime.now(UTC),
            newest=newest_activity(bundle.indicators.table, began),
            counts={"read": read, "quarantined": refused, **_counts(done.merge)},
            parts=(Part(way=BUNDLE_WAY, name=name, read=read, quarantined=refused),),
            snapshot=done.snapshot,
        )
    )
    return done


def _with_retractions(indicators: IndicatorSet) -> IndicatorSet:
    """The set of a snapshot, which has of a retraction only why the indicator is quarantined."""
    prefix = str(RetractedError(""))
    retracted = tuple(
        Retraction(one.source, one.source_id, one.reason.removeprefix(prefix), one.retracted_at)
        for one in indicators.quarantined
        if one.reason.startswith(prefix)
    )
    return IndicatorSet(indicators.table, indicators.quarantined, retracted)


def _counts(merge: Merge | None) -> dict[str, int]:
    if merge is None:
        return {}
    told = merge.difference
    return {
        "new": told.new,
        "re_seen": told.re_seen,
        "changed": told.changed,
        "unchanged": told.unchanged,
        "superseded": told.older,
    }
