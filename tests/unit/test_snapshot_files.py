"""A snapshot's bytes: begun early, never believed unless they are those that were written."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from foxhunt.errors import StoreError
from foxhunt.indicators import IndicatorSet, IndicatorStore
from foxhunt.snapshot_files import (
    SnapshotBytes,
    begin_current,
    created_at,
    is_content,
    snapshot_name,
)

from .indicators.indicator_samples import indicator

WRITTEN = datetime(2026, 7, 14, 8, 24, 11, 120345, UTC)
NAME = snapshot_name(b"fox", WRITTEN)


def written(folder: Path, data: bytes) -> SnapshotBytes:
    path = folder / "bytes"
    path.write_bytes(data)
    return SnapshotBytes(NAME, path.open("rb"))


def test_bytes_are_given_only_if_they_are_those_of_the_name(tmp_path: Path) -> None:
    assert bytes(written(tmp_path, b"fox").whole() or b"") == b"fox"
    assert written(tmp_path, b"fix").whole() is None
    assert written(tmp_path, b"").whole() is None


def test_a_name_tells_time_and_content() -> None:
    assert created_at(NAME) == WRITTEN
    assert created_at("../" + NAME) is None
    assert created_at(NAME.replace("0714", "0732")) is None
    assert is_content(b"fox", NAME)
    assert not is_content(b"fox", "fox")


def test_the_current_snapshot_is_begun_and_the_store_goes_on_with_it(tmp_path: Path) -> None:
    store = IndicatorStore(tmp_path)
    name = store.merge(IndicatorSet.of([indicator("1")])).snapshot

    begun = begin_current(tmp_path)

    assert begun is not None
    assert begun.name == name
    assert len(store.reader(begun)) == 1


def test_what_was_begun_does_not_count_if_a_sync_came_between(tmp_path: Path) -> None:
    store = IndicatorStore(tmp_path)
    store.merge(IndicatorSet.of([indicator("1")]))
    begun = begin_current(tmp_path)
    name = store.merge(IndicatorSet.of([indicator("2", value="b.evil.org")])).snapshot

    looked = store.reader(begun)

    assert (looked.name, len(looked)) == (name, 2)


@pytest.mark.parametrize("current", [None, "../../etc/passwd", NAME, "\x00"])
def test_a_store_that_is_none_or_broken_is_left_to_be_explained(
    tmp_path: Path, current: str | None
) -> None:
    if current is not None:
        (tmp_path / "indicators").mkdir()
        (tmp_path / "indicators" / "current").write_text(current)

    assert begin_current(tmp_path) is None
    if current is not None:
        with pytest.raises(StoreError):
            IndicatorStore(tmp_path).reader()
