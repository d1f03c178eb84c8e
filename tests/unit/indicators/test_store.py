"""The store: what was merged is there, going back works, damage is said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from foxhunt.errors import NoIndicatorsError, StoreError, UsageError
from foxhunt.indicators import (
    Difference,
    IndicatorSet,
    IndicatorStore,
    IndicatorType,
    Quarantined,
    default_home,
)
from foxhunt.indicators.store import KEPT_SNAPSHOTS
from tests import families

from .indicator_samples import ids, indicator, numbered, refused, seen


@pytest.fixture
def store(tmp_path: Path) -> IndicatorStore:
    return IndicatorStore(tmp_path / "home")


def parquet(store: IndicatorStore, name: str) -> Path:
    return store.folder / f"{name}.parquet"


def test_a_store_that_was_never_synced_says_so_and_what_to_do(store: IndicatorStore) -> None:
    with pytest.raises(NoIndicatorsError, match=r"H203: .*foxhunt sync"):
        store.load()
    assert store.snapshots() == ()
    assert not store.folder.exists(), "looking creates nothing"


def test_what_was_merged_is_loaded(store: IndicatorStore) -> None:
    merge = store.merge(IndicatorSet.of([indicator("1")], [refused("9")]))

    assert list(store.load()) == [indicator("1")]
    assert store.load().quarantined == (refused("9"),)
    assert (merge.before, merge.total, merge.quarantined) == (0, 1, 1)
    assert merge.previous is None


def test_a_second_merge_keeps_what_the_feed_dropped(store: IndicatorStore) -> None:
    first = store.merge(numbered(0, 10))
    second = store.merge(numbered(5, 15))

    assert ids(store.load()) == {str(number) for number in range(15)}
    assert second.difference == Difference(new=5, unchanged=5)
    assert (second.before, second.total, second.previous) == (10, 15, first.snapshot)


def test_nothing_new_writes_no_snapshot(store: IndicatorStore) -> None:
    first = store.merge(IndicatorSet.of([seen("1", 2)], [refused("9")]))
    again = store.merge(IndicatorSet.of([seen("1", 2)], [refused("9")]))
    older = store.merge(IndicatorSet.of([seen("1", 1)]))

    assert first.snapshot == again.snapshot == older.snapshot == again.previous
    assert older.difference == Difference(older=1)
    assert len(store.snapshots()) == 1


def test_a_new_quarantined_record_alone_is_a_change(store: IndicatorStore) -> None:
    store.merge(numbered(0, 1))
    store.merge(IndicatorSet.of((), [refused("9")]))

    assert len(store.load().quarantined) == 1
    assert len(store.snapshots()) == 2


def test_an_empty_sync_makes_a_store_that_was_synced(store: IndicatorStore) -> None:
    store.merge(IndicatorSet.of(()))

    assert len(store.load()) == 0


def test_snapshots_are_listed_newest_first_and_one_is_current(store: IndicatorStore) -> None:
    names = [store.merge(numbered(0, n)).snapshot for n in (1, 2, 3)]

    listed = store.snapshots()

    assert [s.name for s in listed] == names[::-1]
    assert [s.is_current for s in listed] == [True, False, False]
    assert all(s.size_bytes == parquet(store, s.name).stat().st_size for s in listed)


def test_going_back_is_choosing_an_older_snapshot(store: IndicatorStore) -> None:
    old, new = (store.merge(numbered(0, n)).snapshot for n in (1, 2))

    store.rollback(old)
    assert ids(store.load()) == {"0"}
    assert [s.is_current for s in store.snapshots()] == [False, True]

    store.rollback(new)
    assert ids(store.load()) == {"0", "1"}

    store.rollback(old)
    store.merge(IndicatorSet.of([indicator("x")]))
    assert ids(store.load()) == {"0", "x"}, "a sync after going back merges into the old set"


@pytest.mark.parametrize(
    "name", ["", "nothing", "../../etc/passwd", "20260714T082411.120345Z-" + "a" * 16]
)
def test_going_back_to_what_is_not_there_is_refused(store: IndicatorStore, name: str) -> None:
    there = store.merge(numbered(0, 1)).snapshot

    with pytest.raises(UsageError, match=f"H100: no snapshot .*there are: {there}"):
        store.rollback(name)
    assert ids(store.load()) == {"0"}


def test_going_back_to_a_damaged_snapshot_is_refused(store: IndicatorStore) -> None:
    old, _new = (store.merge(numbered(0, n)).snapshot for n in (1, 2))
    parquet(store, old).write_bytes(b"PAR1")

    with pytest.raises(StoreError, match=f"H202: snapshot {old} is damaged"):
        store.rollback(old)
    assert ids(store.load()) == {"0", "1"}


def test_old_snapshots_are_bounded_and_the_current_one_stays(store: IndicatorStore) -> None:
    names = [store.merge(numbered(0, n)).snapshot for n in range(1, KEPT_SNAPSHOTS + 4)]
    assert [s.name for s in store.snapshots()] == names[: -KEPT_SNAPSHOTS - 1 : -1]

    oldest = names[-KEPT_SNAPSHOTS]
    store.rollback(oldest)
    newest = store.merge(IndicatorSet.of([indicator("x")])).snapshot

    kept = {s.name for s in store.snapshots()}
    assert {oldest, newest} <= kept, "the one just left can be gone back to"
    assert len(kept) == KEPT_SNAPSHOTS + 1


def test_a_reader_overtaken_by_syncs_takes_the_newer_snapshot(
    store: IndicatorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading which snapshot is current and opening it, that one may be pruned."""
    store.merge(numbered(0, 1))
    read_bytes = Path.read_bytes

    def overtaken(path: Path) -> bytes:
        data = read_bytes(path)
        if path.name == "current":
            monkeypatch.setattr(Path, "read_bytes", read_bytes)
            for number in range(2, KEPT_SNAPSHOTS + 4):
                store.merge(numbered(0, number))
        return data

    monkeypatch.setattr(Path, "read_bytes", overtaken)

    assert len(store.load()) == KEPT_SNAPSHOTS + 3


@pytest.mark.parametrize("content", [b"", b"PAR1", b"\x00" * 4096])
def test_a_damaged_snapshot_is_said_with_the_way_out(store: IndicatorStore, content: bytes) -> None:
    old, new = (store.merge(numbered(0, n)).snapshot for n in (1, 2))
    parquet(store, new).write_bytes(content)

    for use in (store.load, lambda: store.merge(numbered(0, 3))):
        with pytest.raises(StoreError, match=f"H202: snapshot {new} is damaged.*{old}"):
            use()

    store.rollback(old)
    assert ids(store.load()) == {"0"}


def test_a_missing_current_snapshot_is_not_an_empty_store(store: IndicatorStore) -> None:
    name = store.merge(numbered(0, 1)).snapshot
    parquet(store, name).unlink()

    for use in (store.load, lambda: store.merge(numbered(0, 3))):
        with pytest.raises(StoreError, match=r"H202: the current snapshot is missing .*sync"):
            use()


@pytest.mark.parametrize("content", [b"", b"../../../etc/passwd\n", b"\xff\xfe", b"current\n"])
def test_what_is_no_snapshots_name_is_never_opened(store: IndicatorStore, content: bytes) -> None:
    name = store.merge(numbered(0, 1)).snapshot
    (store.folder / "current").write_bytes(content)

    with pytest.raises(StoreError, match=f"current: H202: not a snapshot's name.*{name}"):
        store.load()


def test_what_a_killed_sync_left_is_cleared_away(store: IndicatorStore) -> None:
    store.merge(numbered(0, 1))
    left = store.folder / "0123456789abcdef.tmp"
    left.write_bytes(b"half a snapshot")

    assert ids(store.load()) == {"0"}
    store.merge(numbered(0, 2))

    assert not left.exists()


def test_a_snapshot_nobody_points_to_is_not_current(store: IndicatorStore) -> None:
    """A sync killed between its two renames."""
    store.merge(numbered(0, 1))
    pointer = (store.folder / "current").read_bytes()
    store.merge(numbered(0, 2))
    (store.folder / "current").write_bytes(pointer)

    assert ids(store.load()) == {"0"}


def test_a_store_that_cannot_be_written_says_where_and_why(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("a file where the folder should be")

    with pytest.raises(StoreError, match=r"home/indicators: H202: cannot be written: Not a dir"):
        IndicatorStore(home).merge(numbered(0, 1))


def test_a_failing_write_leaves_the_old_set_and_no_rest(
    store: IndicatorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.merge(numbered(0, 1))

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(StoreError, match="No space left"):
        patched.setattr("os.fsync", full)
        store.merge(numbered(0, 2))

    assert ids(store.load()) == {"0"}
    assert not list(store.folder.glob("*.tmp"))


def test_home_is_said_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FOXHUNT_HOME", str(tmp_path / "x"))
    assert default_home() == tmp_path / "x"

    monkeypatch.setenv("FOXHUNT_HOME", "~/foxes")
    assert default_home() == Path.home() / "foxes"

    monkeypatch.setenv("FOXHUNT_HOME", "~nobody-of-this-name/foxes")
    with pytest.raises(UsageError, match="H100: FOXHUNT_HOME is '~nobody"):
        default_home()


@pytest.mark.parametrize("value", [None, ""])
def test_home_is_else_the_platforms_data_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str | None
) -> None:
    monkeypatch.delenv("FOXHUNT_HOME", raising=False)
    if value is not None:
        monkeypatch.setenv("FOXHUNT_HOME", value)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    assert re.search(r"[/\\]foxhunt$", str(default_home()))


def test_a_record_of_one_feed_corrects_none_of_another(tmp_path: Path) -> None:
    """Feeds number their records by themselves: the same id is another record."""
    store = IndicatorStore(tmp_path)
    refused = [
        Quarantined("123", "10.0.0.1:80", "ip:port", "H102: not a public address", source)
        for source in ("threatfox", "urlhaus")
    ]
    store.merge(IndicatorSet.of([], refused))
    store.merge(
        IndicatorSet.of([families.indicator(IndicatorType.DOMAIN, "a.org", source_id="123")])
    )

    assert store.load().quarantined == (refused[1],)
