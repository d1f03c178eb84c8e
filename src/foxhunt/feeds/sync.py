"""What a feed says now, merged into the store: one new snapshot, or none when nothing changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from foxhunt.errors import HuntError, UsageError
from foxhunt.feeds.activity import Departures, newest_activity
from foxhunt.feeds.health import FILE_WAY, judge_file, measured
from foxhunt.feeds.ledger import Alarm, Ledger, Origin, SyncEntry, SyncOutcome
from foxhunt.feeds.reading import FeedRead, read_file
from foxhunt.feeds.report import SyncReport
from foxhunt.indicators import IndicatorSet, IndicatorStore

if TYPE_CHECKING:
    from foxhunt.feeds.siblings import CsvMapping


def sync_files(
    store: IndicatorStore,
    paths: Sequence[str],
    ledger: Ledger | None = None,
    *,
    mapping: CsvMapping | None = None,
) -> SyncReport:
    """Merge files of feeds into the store, all of them or, on an error, none.

    A file is the user's own choice, so what is odd about it, its age included, is a warning and
    not a refusal.

    Args:
        store: Where to.
        paths: The files.
        ledger: Where to write the sync down; None for nowhere.
        mapping: Of CSV files of nobody's feed; see `read_indicators`.

    Raises:
        UsageError: No file is given.
        FeedError: A file cannot be read as a whole, or is no known feed's.
        StoreError: The store or the ledger cannot be read or written.
    """
    if not paths:
        raise UsageError("no file to sync from")
    began = datetime.now(UTC)
    try:
        reads = [read_file(path, mapping=mapping) for path in paths]
        parts = tuple(measured(FILE_WAY, read) for read in reads)
        alarms = tuple(
            alarm
            for part, read in zip(parts, reads, strict=True)
            for alarm in judge_file(part, _sources(read), newest_of([read], began), began)
        )
        report = sync_reads(store, reads, alarms=alarms)
    except HuntError as error:
        if ledger is not None:
            ledger.add(replace(_entry(began, SyncOutcome.FAILED), error=str(error)))
        raise
    if ledger is not None:
        taken = replace(
            _entry(began, SyncOutcome.TAKEN),
            newest=newest_of(reads, began),
            counts=report.counts,
            alarms=alarms,
            parts=parts,
            snapshot=report.snapshot,
        )
        ledger.add(taken)
    return report


def _sources(read: FeedRead) -> set[str]:
    return set(read.indicators.table["source"].unique().to_pylist())


def _entry(began: datetime, outcome: SyncOutcome) -> SyncEntry:
    ended = datetime.now(UTC)
    return SyncEntry(origin=Origin.FILES, outcome=outcome, began=began, ended=ended)


def sync_reads(
    store: IndicatorStore,
    reads: Sequence[FeedRead],
    *,
    alarms: tuple[Alarm, ...] = (),
    departures: Callable[[IndicatorSet], Departures | None] | None = None,
) -> SyncReport:
    """Merge what was read, from files or from the network, into the store.

    Reading happens before: the store is locked for the merge alone.

    Args:
        store: Where to.
        reads: What.
        alarms: For the report.
        departures: Finds, in what the store had, that which the feed has no longer.

    Raises:
        StoreError: The store cannot be read or written.
    """
    incoming = IndicatorSet.union(read.indicators for read in reads)
    found = sum(read.report.indicators for read in reads)
    merge = store.merge(incoming)
    difference = merge.difference
    return SyncReport(
        files=tuple(read.report for read in reads),
        new=difference.new,
        re_seen=difference.re_seen,
        changed=difference.changed,
        unchanged=difference.unchanged,
        superseded=found - len(incoming) + difference.older,
        before=merge.before,
        total=merge.total,
        quarantined_total=merge.quarantined,
        snapshot=merge.snapshot,
        previous=merge.previous,
        departures=departures(merge.base) if departures is not None else None,
        taken_back=merge.taken_back,
        alarms=alarms,
    )


def newest_of(reads: Sequence[FeedRead], now: datetime) -> datetime | None:
    """When the newest indicator of all was last active, by the feed's dates; None without any."""
    found = (newest_activity(read.indicators.table, now) for read in reads)
    return max((time for time in found if time is not None), default=None)
