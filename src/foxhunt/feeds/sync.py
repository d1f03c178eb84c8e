"""What a feed says now, merged into the store: one new snapshot, or none when nothing changed."""

from __future__ import annotations

from collections.abc import Sequence

from foxhunt.errors import UsageError
from foxhunt.feeds.reading import FeedRead, read_file
from foxhunt.feeds.report import SyncReport
from foxhunt.indicators import IndicatorSet, IndicatorStore


def sync_files(store: IndicatorStore, paths: Sequence[str]) -> SyncReport:
    """Merge ThreatFox files into the store, all of them or, on an error, none.

    Raises:
        UsageError: No file is given.
        FeedError: A file cannot be read as a whole, or is not ThreatFox's.
        StoreError: The store cannot be read or written.
    """
    if not paths:
        raise UsageError("no file to sync from")
    return sync_reads(store, [read_file(path) for path in paths])


def sync_reads(store: IndicatorStore, reads: Sequence[FeedRead]) -> SyncReport:
    """Merge what was read, from files or from the network, into the store.

    Reading happens before: the store is locked for the merge alone.

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
    )
