"""A bundle in the ledger: what the next sync makes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from foxhunt.errors import RetractedError
from foxhunt.feeds.bundles import Imported, import_bundle
from foxhunt.feeds.ledger import Ledger, Origin, SyncEntry, SyncOutcome
from foxhunt.indicators import IndicatorSet, IndicatorStore, Quarantined
from foxhunt.indicators.bundle import Bundle
from foxhunt.state import State

from .sync_process import set_of

NOW = datetime(2026, 7, 14, 12, tzinfo=UTC)


class Home:
    """A store and its ledger."""

    def __init__(self, folder: Path) -> None:
        self.store, self.ledger = IndicatorStore(folder), Ledger(State(folder))

    def synced(self, step: int) -> str:
        """Merge and write down a sync over the network; the name of its snapshot."""
        name = self.store.merge(_set(step)).snapshot
        self.ledger.add(
            SyncEntry(
                origin=Origin.NETWORK,
                outcome=SyncOutcome.TAKEN,
                began=NOW + timedelta(hours=step),
                ended=NOW + timedelta(hours=step),
                snapshot=name,
            )
        )
        return name

    def imported(self, step: int, *, replace: bool) -> str:
        return self.import_set(_set(step), replace=replace).snapshot

    def import_set(self, indicators: IndicatorSet, *, replace: bool = False) -> Imported:
        bundle = Bundle(
            indicators=indicators,
            snapshot="s",
            created=NOW,
            foxhunt="0",
            sha256="",
            licence="",
        )
        return import_bundle(self.store, self.ledger, bundle, "b.zip", replace=replace)

    def last(self) -> datetime | None:
        """When the last sync began of which the store still has what it brought."""
        current = next(one.name for one in self.store.snapshots() if one.is_current)
        last = self.ledger.last_taken(snapshot=current)
        return last.began if last else None


def _set(step: int) -> IndicatorSet:
    whole = set_of(step)
    return IndicatorSet(whole.table.slice(0, 5), whole.quarantined)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_an_import_is_written_down(home: Home) -> None:
    name = home.imported(3, replace=False)

    (entry,) = home.ledger.latest()
    assert (entry.origin, entry.outcome, entry.snapshot) == (
        Origin.BUNDLE,
        SyncOutcome.TAKEN,
        name,
    )
    assert [(p.way, p.name, p.read, p.quarantined) for p in entry.parts] == [
        ("bundle", "b.zip", 6, 1)
    ]
    assert (entry.counts["new"], entry.newest) == (5, datetime(2026, 7, 1, 0, 3, tzinfo=UTC))


def test_a_bundle_that_is_merged_neither_closes_nor_opens_the_gap(home: Home) -> None:
    home.imported(1, replace=False)
    assert home.last() is None
    home.synced(2)
    home.imported(3, replace=False)

    assert home.last() == NOW + timedelta(hours=2)


def test_a_bundle_that_replaces_the_store_opens_the_gap_until_the_next_sync(home: Home) -> None:
    before = home.synced(1)
    home.imported(2, replace=True)
    assert home.last() is None, "what the sync brought is in the store no longer"

    home.store.rollback(before)
    assert home.last() == NOW + timedelta(hours=1)

    home.imported(4, replace=True)
    assert home.store.merge(_set(4)).snapshot == home.synced(4), "nothing changes"
    assert home.last() == NOW + timedelta(hours=4)


def test_what_a_feed_took_back_is_taken_back_where_the_bundle_goes(home: Home) -> None:
    whole = _set(1)
    gone, *_ = whole
    home.store.merge(whole)
    refused = Quarantined(
        source_id=gone.source_id,
        value=gone.value,
        type=str(gone.type),
        reason=str(RetractedError("revoked")),
        source=gone.source,
    )
    left = IndicatorSet(whole.table.slice(1), (*whole.quarantined, refused))

    done = home.import_set(left)

    assert done.merge is not None
    assert done.merge.taken_back == (gone.value,)
    loaded = home.store.load()
    assert gone.value not in {one.value for one in loaded}
    assert refused in loaded.quarantined
