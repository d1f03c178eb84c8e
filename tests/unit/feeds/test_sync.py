"""Files into the store: every record is accounted for, all files or none."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from foxhunt.errors import FeedError, NoIndicatorsError, UsageError
from foxhunt.feeds import SyncReport, sync_files
from foxhunt.feeds.ledger import AlarmKind, Ledger, Origin, SyncOutcome
from foxhunt.indicators import IndicatorStore
from foxhunt.state import State

from .feed_samples import export, record, write
from .sibling_samples import attribute, event


@pytest.fixture
def store(tmp_path: Path) -> IndicatorStore:
    return IndicatorStore(tmp_path / "home")


def counted(report: SyncReport) -> dict[str, int]:
    """The counts of a report, which must add up to what was read."""
    names = ("new", "re_seen", "changed", "unchanged", "superseded")
    counts = {name: getattr(report, name) for name in names}
    assert sum(counts.values()) + len(report.quarantined) == report.read
    return {name: count for name, count in counts.items() if count}


def test_each_record_is_counted_as_what_it_did(tmp_path: Path, store: IndicatorStore) -> None:
    first = write(
        tmp_path,
        "first.json",
        export(*(record(ioc_value=f"a{n}.evil.org") for n in range(5)), record(ioc_value="x")),
    )
    later = "2026-06-01 00:00:00"
    second = write(
        tmp_path,
        "second.json",
        export(
            record(ioc_value="a0.evil.org"),
            record(ioc_value="a1.evil.org", last_seen_utc=later),
            record(ioc_value="a2.evil.org", tags="more"),
            record(ioc_value="a3.evil.org", first_seen_utc="2025-01-01 00:00:00"),
        ),
    )

    assert counted(sync_files(store, [first])) == {"new": 5}
    report = sync_files(store, [second])

    assert counted(report) == {"unchanged": 1, "re_seen": 1, "changed": 1, "superseded": 1}
    assert (report.before, report.total, report.quarantined_total) == (5, 5, 1)
    assert report.snapshot != report.previous


def test_syncing_the_same_again_changes_nothing(tmp_path: Path, store: IndicatorStore) -> None:
    path = write(tmp_path, "feed.json", export(record(), record(ioc_value="localhost")))
    first = sync_files(store, [path])

    again = sync_files(store, [path, path])

    assert counted(again) == {"unchanged": 1, "superseded": 1}
    assert again.snapshot == again.previous == first.snapshot
    assert len(store.snapshots()) == 1


def test_a_refused_file_leaves_the_store_as_it_was(tmp_path: Path, store: IndicatorStore) -> None:
    good = write(tmp_path, "good.json", export(record()))
    bad = write(tmp_path, "bad.json", export(record(ioc_value="other.org"))[:-5])

    with pytest.raises(FeedError):
        sync_files(store, [good, bad])
    with pytest.raises(NoIndicatorsError):
        store.load()


def test_no_file_is_wrong_usage(store: IndicatorStore) -> None:
    with pytest.raises(UsageError, match="no file to sync from"):
        sync_files(store, [])


def test_records_the_feed_dropped_stay(tmp_path: Path, store: IndicatorStore) -> None:
    """ThreatFox drops indicators after six months; we keep them."""
    sync_files(store, [write(tmp_path, "a.json", export(record(ioc_value="old.evil.org")))])
    sync_files(store, [write(tmp_path, "b.json", export(record(ioc_value="new.org"), start=2))])

    assert [i.value for i in store.load()] == ["new.org", "old.evil.org"]


def test_a_sync_from_files_is_written_down_and_closes_no_gap(
    tmp_path: Path, store: IndicatorStore
) -> None:
    """A file may be of any age: the next sync over the network starts from the one before."""
    ledger = Ledger(State(tmp_path))
    report = sync_files(store, [write(tmp_path, "a.json", export(record()))], ledger)

    (entry,) = ledger.latest()
    assert (entry.origin, entry.outcome) == (Origin.FILES, SyncOutcome.TAKEN)
    assert (entry.counts, entry.snapshot) == (report.counts, report.snapshot)
    assert [(part.way, part.read) for part in entry.parts] == [("file", 1)]
    assert ledger.last_taken() is None


def test_an_odd_file_is_taken_with_a_warning(tmp_path: Path, store: IndicatorStore) -> None:
    odd = export(record(severity=1), *(record(ioc_value=f"x{n}.local") for n in range(3)))

    report = sync_files(store, [write(tmp_path, "a.json", odd)])

    assert report.new == 1
    kinds = [AlarmKind.COLUMNS, AlarmKind.REJECTED, AlarmKind.STALE]
    assert [alarm.kind for alarm in report.alarms] == kinds


def test_a_refused_file_is_written_down_with_its_reason(
    tmp_path: Path, store: IndicatorStore
) -> None:
    ledger = Ledger(State(tmp_path))

    with pytest.raises(FeedError):
        sync_files(store, [write(tmp_path, "a.json", b"<html>")], ledger)

    (entry,) = ledger.latest()
    assert entry.outcome is SyncOutcome.FAILED
    assert "a web page, not data" in (entry.error or "")


def test_a_file_that_is_older_than_a_retraction_brings_nothing_back(
    store: IndicatorStore, tmp_path: Path
) -> None:
    """In whatever order the files come; every record is still counted once."""

    def told(at: int, **changes: object) -> str:
        path = tmp_path / f"{at}.json"
        parts = [attribute("domain", f"n{n}.evil.org", n, timestamp=str(at)) for n in (1, 2)]
        path.write_text(json.dumps(event(parts[0] | changes, parts[1])))
        return str(path)

    old, gone, back = told(1780000001), told(1780000005, deleted=True), told(1780000009)
    sync_files(store, [old])
    assert sync_files(store, [gone]).taken_back == ("n1.evil.org",)

    again = sync_files(store, [old])
    both = sync_files(store, [gone, old])

    assert (again.total, counted(again)) == (1, {"superseded": 1, "unchanged": 1})
    assert again.snapshot == again.previous
    assert (both.total, both.read) == (1, 3)
    assert counted(both)["superseded"] == 2
    (record,) = store.load().quarantined
    assert record.retracted_at == datetime.fromtimestamp(1780000005, UTC)
    assert sync_files(store, [back]).total == 2
