"""The ledger gives back what was written, and what the next sync needs of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from foxhunt.feeds.ledger import (
    Alarm,
    AlarmKind,
    Ledger,
    Origin,
    Part,
    SyncEntry,
    SyncOutcome,
)
from foxhunt.state import State

NOW = datetime(2026, 7, 14, 12, tzinfo=UTC)
HOSTILE = "';DROP TABLE syncs;--\"\\\n\x00\u202e{{ }}*/狐" + "x" * 5000
PART = Part(
    way="recent",
    name=HOSTILE,
    read=4485,
    quarantined=3,
    unknown_columns=(HOSTILE, "b"),
    missing_columns=("tags",),
)
ENTRY = SyncEntry(
    origin=Origin.NETWORK,
    outcome=SyncOutcome.TAKEN,
    began=NOW,
    ended=NOW + timedelta(seconds=3.5),
    newest=NOW - timedelta(minutes=4),
    counts={"new": 523, "re_seen": 3213},
    alarms=(Alarm(AlarmKind.STALE, HOSTILE, is_doubt=False),),
    parts=(PART, replace(PART, way="get_iocs-3", unknown_columns=(), missing_columns=())),
    snapshot="20260714T082411.120345Z-5f0c3a9e1b2d4c6f",
)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(State(tmp_path))


def test_an_empty_ledger_knows_nothing_and_makes_no_file(ledger: Ledger, tmp_path: Path) -> None:
    assert (ledger.last_taken(), ledger.latest(), ledger.history(("recent",))) == (None, (), ())
    assert not list(tmp_path.iterdir())


def test_an_entry_comes_back_as_it_was(ledger: Ledger) -> None:
    failed = SyncEntry(
        origin=Origin.FILES,
        outcome=SyncOutcome.FAILED,
        began=NOW,
        ended=NOW,
        error=HOSTILE,
    )
    for entry in (ENTRY, failed):
        ledger.add(entry)

    assert ledger.latest() == (failed, ENTRY)
    assert ledger.latest(limit=1) == (failed,)


def test_only_a_taken_sync_over_the_network_closes_a_gap(ledger: Ledger) -> None:
    ledger.add(ENTRY)
    later = replace(ENTRY, began=NOW + timedelta(hours=1))
    ledger.add(replace(later, outcome=SyncOutcome.REFUSED))
    ledger.add(replace(later, outcome=SyncOutcome.FAILED))
    ledger.add(replace(later, origin=Origin.FILES))
    ledger.add(replace(later, feed="urlhaus"))

    last = ledger.last_taken()

    assert last == ENTRY
    assert ledger.last_taken("feodo") is None


def test_a_sync_that_the_store_no_longer_has_anything_of_is_passed_over(ledger: Ledger) -> None:
    older = replace(ENTRY, snapshot="20260713T082411.120345Z-5f0c3a9e1b2d4c6f")
    ledger.add(older)
    ledger.add(replace(ENTRY, began=NOW + timedelta(hours=1)))

    assert ledger.last_taken(snapshot=older.snapshot) == older
    assert ledger.last_taken(snapshot="2026") is None
    later = ledger.last_taken(snapshot="20270101T000000.000000Z-0000000000000000")
    assert later is not None
    assert later.began == NOW + timedelta(hours=1)


def test_of_two_syncs_at_once_the_one_that_began_last_counts(ledger: Ledger) -> None:
    """They end in any order; microseconds and none sort by time."""
    times = [NOW + timedelta(microseconds=1), NOW, NOW - timedelta(seconds=1)]
    for time in times:
        ledger.add(replace(ENTRY, began=time))

    last = ledger.last_taken()

    assert last is not None
    assert last.began == times[0]


def test_the_history_of_a_way_is_what_was_taken_newest_first(ledger: Ledger) -> None:
    for read in (1, 2, 3):
        part = replace(PART, read=read, quarantined=0)
        ledger.add(replace(ENTRY, parts=(part,), is_accepted=read == 2))
        ledger.add(replace(ENTRY, parts=(part,), outcome=SyncOutcome.REFUSED))
    ledger.add(replace(ENTRY, parts=(replace(PART, way="full"),)))

    past = ledger.history(("recent",), limit=2)

    assert [(one.part.read, one.is_accepted, one.began) for one in past] == [
        (3, False, NOW),
        (2, True, NOW),
    ]
    assert len(ledger.history(("full", "full-keyed"))) == 1


def test_what_is_older_than_a_year_is_forgotten(ledger: Ledger) -> None:
    ledger.add(ENTRY)
    ledger.add(replace(ENTRY, began=NOW + timedelta(days=366)))
    assert len(ledger.latest()) == 2

    ledger.add(replace(ENTRY, began=NOW + timedelta(days=367)))

    assert len(ledger.latest()) == 2
    assert len(ledger.history(("recent",))) == 2


def test_times_of_any_zone_are_kept_as_the_same_moment(ledger: Ledger) -> None:
    ledger.add(replace(ENTRY, began=NOW.astimezone(timezone(timedelta(hours=9)))))

    assert ledger.latest()[0].began == NOW
