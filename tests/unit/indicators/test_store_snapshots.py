"""The store's snapshots: named, looked into, deleted, replaced."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from foxhunt.errors import NoIndicatorsError, StoreError, UsageError
from foxhunt.indicators import IndicatorSet, IndicatorStore
from foxhunt.indicators.asked import understood
from foxhunt.indicators.conditions import IsValue
from foxhunt.indicators.store import KEPT_SNAPSHOTS

from .indicator_samples import ids, indicator, numbered, refused


@pytest.fixture
def store(tmp_path: Path) -> IndicatorStore:
    return IndicatorStore(tmp_path)


@pytest.fixture
def names(store: IndicatorStore) -> list[str]:
    """Three snapshots, oldest first."""
    return [store.merge(numbered(0, count)).snapshot for count in (1, 2, 3)]


def test_a_snapshot_has_many_names(store: IndicatorStore, names: list[str]) -> None:
    for name in names:
        digest = name.rpartition("-")[2]
        for text in (name, name[:23], digest, digest[:8]):
            assert store.resolve(text).name == name
    assert store.resolve("current").name == names[2]
    assert store.resolve("previous").name == names[1]
    store.rollback(names[1])
    assert store.resolve("current").name == names[1]
    assert store.resolve("previous").name == names[0]


@pytest.mark.parametrize("text", ["", "2", "nothing", "../current", "*", "previous"])
def test_what_names_no_snapshot_is_refused_with_those_there_are(
    store: IndicatorStore, text: str
) -> None:
    only = store.merge(numbered(0, 1)).snapshot

    with pytest.raises(UsageError, match=f"H100: no snapshot .*there are: {only}"):
        store.resolve(text)


def test_a_name_that_several_begin_with_is_refused(store: IndicatorStore, names: list[str]) -> None:
    with pytest.raises(UsageError, match=f"H100: 3 snapshots are called '20.*{names[0]}"):
        store.resolve(names[0][:4])


def test_a_store_without_snapshots_names_none(store: IndicatorStore) -> None:
    with pytest.raises(UsageError, match="there are: none"):
        store.resolve("current")
    with pytest.raises(NoIndicatorsError, match="H203"):
        store.reader()


def test_any_snapshot_is_loaded_by_its_name(store: IndicatorStore, names: list[str]) -> None:
    assert ids(store.load_snapshot(names[0])) == {"0"}
    assert store.content(names[0]) == (store.folder / f"{names[0]}.parquet").read_bytes()
    with pytest.raises(StoreError, match="H202: cannot be read"):
        store.load_snapshot("20260714T082411.120345Z-" + "a" * 16)


def test_old_snapshots_are_deleted_and_the_current_one_stays(
    store: IndicatorStore, names: list[str]
) -> None:
    store.rollback(names[0])

    deleted = store.prune(1)

    assert [one.name for one in deleted] == [names[1]]
    assert [one.name for one in store.snapshots()] == [names[2], names[0]]
    assert ids(store.load()) == {"0"}
    assert store.prune(1) == ()


def test_a_replaced_set_stays_as_a_snapshot(store: IndicatorStore, names: list[str]) -> None:
    new, before = store.replace(IndicatorSet.of([indicator("x")], [refused("9")]))

    assert before == names[2]
    assert ids(store.load()) == {"x"}
    assert store.resolve("current").name == new
    store.rollback(before)
    assert ids(store.load()) == {"0", "1", "2"}


def test_an_empty_store_is_replaced_too(store: IndicatorStore) -> None:
    _, before = store.replace(numbered(0, 2))

    assert before is None
    assert ids(store.load()) == {"0", "1"}


def test_the_current_snapshot_is_looked_into(store: IndicatorStore, names: list[str]) -> None:
    looked = store.reader()

    found = looked.find([IsValue(understood("c2[.]evil.org"))])

    assert looked.name == names[2]
    assert ids(found.indicators()) == {"2"}


def test_a_reader_reads_on_when_its_snapshot_is_deleted(
    store: IndicatorStore, names: list[str]
) -> None:
    looked = store.reader()
    for count in range(4, KEPT_SNAPSHOTS + 5):
        store.merge(numbered(0, count))
    store.prune(1)

    assert not (store.folder / f"{names[2]}.parquet").exists()
    assert len(looked) == 3


def test_a_look_up_says_the_way_out_of_a_damaged_snapshot(
    store: IndicatorStore, names: list[str]
) -> None:
    (store.folder / f"{names[2]}.parquet").write_bytes(b"PAR1")

    with pytest.raises(StoreError, match=f"{names[2]}.parquet: H202: .*damaged.*{names[1]}"):
        store.reader().find([])


def test_a_missing_snapshot_is_no_empty_one(store: IndicatorStore, names: list[str]) -> None:
    (store.folder / f"{names[2]}.parquet").unlink()

    with pytest.raises(StoreError, match="H202: the current snapshot is missing"):
        store.reader()


def test_readers_and_a_sync_do_not_meet(store: IndicatorStore) -> None:
    store.merge(numbered(0, 1))
    seen: list[int] = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            seen.append(len(store.reader()))

    thread = threading.Thread(target=look)
    thread.start()
    for count in range(2, 9):
        store.merge(numbered(0, count))
    over.set()
    thread.join()

    assert seen == sorted(seen), "each look-up sees one whole set, and none an older one"
