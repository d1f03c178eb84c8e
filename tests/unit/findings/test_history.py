"""The history of hunts: what is new, and which exclusions did anything lately."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from foxhunt.errors import StoreError
from foxhunt.findings import ExclusionUse, Finding, HuntResult
from foxhunt.findings.history import FindingStore, Usage
from foxhunt.state import FILE, State
from tests.unit.reports.report_samples import empty_result, finding

DAY = datetime(2026, 6, 1, 12, tzinfo=UTC)


def used(events: int, id_: str = "lab") -> ExclusionUse:
    return ExclusionUse(
        id=id_, suppressed_events=events, suppressed_findings=0, not_applicable_to=(), warnings=()
    )


def hunt(day: int, *uses: ExclusionUse, findings: tuple[Finding, ...] = ()) -> HuntResult:
    ended = DAY + timedelta(days=day)
    return replace(empty_result(), finished=ended, exclusions=uses, findings=findings)


def test_a_finding_is_new_once(tmp_path: Path) -> None:
    store = FindingStore(State(tmp_path))
    one, two = finding("1" * 16), finding("2" * 16)

    assert store.add(hunt(0, findings=(one,))) == (one.id,)
    assert store.add(hunt(1, findings=(one, two))) == (two.id,)
    assert FindingStore(State(tmp_path)).add(hunt(2, findings=(two,))) == ()


def test_usage_counts_the_hunts_of_the_time_asked_for(tmp_path: Path) -> None:
    store = FindingStore(State(tmp_path))
    store.add(hunt(0, used(5)))
    store.add(hunt(10, used(0), used(1, "other")))
    store.add(hunt(20, used(0)))

    usage = store.usage(["lab", "other", "never"], DAY + timedelta(days=5))
    assert usage == {
        "lab": Usage(2, DAY + timedelta(days=10), 0),
        "other": Usage(1, DAY + timedelta(days=10), 1),
    }
    assert store.usage(["lab"], DAY)["lab"].events == 5


def test_nothing_was_hunted_yet(tmp_path: Path) -> None:
    assert FindingStore(State(tmp_path)).usage(["lab"], DAY) == {}
    assert not (tmp_path / FILE).exists()


def test_what_is_older_than_a_year_is_forgotten_unless_it_is_met_again(tmp_path: Path) -> None:
    store = FindingStore(State(tmp_path))
    gone, met = finding("1" * 16), finding("2" * 16)
    store.add(hunt(0, used(5), findings=(gone, met)))
    store.add(hunt(300, findings=(met,)))

    assert store.add(hunt(400, findings=(gone, met))) == ()  # forgotten only after it was asked
    store.add(hunt(800))
    assert store.add(hunt(801, findings=(gone, met))) == (gone.id, met.id)
    assert store.usage(["lab"], DAY) == {}


def test_a_damaged_history_says_so(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"what is this")

    with pytest.raises(StoreError, match="cannot be used"):
        FindingStore(State(tmp_path)).add(hunt(0))
