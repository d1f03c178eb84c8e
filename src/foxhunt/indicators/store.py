"""The indicators on disk: immutable snapshots, and one file that says which of them counts.

```
<home>/indicators/
    20260714T082411.120345Z-5f0c3a9e1b2d4c6f.parquet    a snapshot, see `Snapshot`
    current                                             the name of the one that counts
    lock                                                held while a sync merges
```

A file appears under its name only when it is whole and on the disk, by a rename, and ``current``
is renamed last: whoever is killed in between leaves the old set. Readers take no lock. Going back
is writing an older name into ``current``.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from foxhunt.errors import NoIndicatorsError, SourceSpan, StoreError, UsageError
from foxhunt.indicators.collection import IndicatorSet
from foxhunt.indicators.lookup import SnapshotReader
from foxhunt.indicators.merging import Difference
from foxhunt.indicators.snapshot import Snapshot, decode, encode
from foxhunt.snapshot_files import (
    CURRENT,
    FOLDER,
    SUFFIX,
    SnapshotBytes,
    created_at,
    snapshot_name,
)

# Also how many syncs may end between a reader's two steps (which is current; open it).
KEPT_SNAPSHOTS = 10
_TEMPORARY = ".tmp"
_FEWEST_LETTERS = 4
_T = TypeVar("_T")
_SYNC_HINT = "run `foxhunt sync --file recent.json`, or name an export with --indicators"


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """What merging a set into the store did.

    Attributes:
        difference: What the set changed.
        before: Indicators in the store until then.
        total: Indicators in it now.
        quarantined: Quarantined records in it now.
        snapshot: Name of the current snapshot.
        previous: Name of the one before, the same when nothing changed; None for the first.
        base: What was in the store until then.
        taken_back: Values of its indicators that the set takes back.
    """

    difference: Difference
    before: int
    total: int
    quarantined: int
    snapshot: str
    previous: str | None
    base: IndicatorSet
    taken_back: tuple[str, ...] = ()


class IndicatorStore:
    """The store in the folder ``home``, which need not exist yet.

    Any number of processes may use it at once.
    """

    def __init__(self, home: Path) -> None:
        self.folder = home / FOLDER
        self._current = self.folder / CURRENT

    def load(self) -> IndicatorSet:
        """The current set, quarantined records included.

        Raises:
            NoIndicatorsError: Nothing was ever synced.
            StoreError: The store cannot be read, or its current snapshot is damaged.
        """
        name, indicators = self._load()
        if name is None:
            raise self._never_synced()
        return indicators

    def load_snapshot(self, name: str) -> IndicatorSet:
        """The set of one snapshot, by its whole name.

        Raises:
            StoreError: It is not there, cannot be read, or is damaged.
        """
        with self._explained("cannot be read"):
            return self._decoded(name)

    def content(self, name: str) -> bytes:
        """The bytes of one snapshot, by its whole name, as they are on disk.

        Raises:
            StoreError: It is not there, or cannot be read.
        """
        with self._explained("cannot be read"):
            return self._path(name).read_bytes()

    def reader(self, begun: SnapshotBytes | None = None) -> SnapshotReader:
        """Look into the current snapshot without loading it.

        Args:
            begun: Of `begin_current`, to go on with if it still is the current one.

        Raises:
            NoIndicatorsError: Nothing was ever synced.
            StoreError: The store cannot be read.
        """
        opened = self._of_current(lambda name: self._reader(name, begun))
        if opened is None:
            raise self._never_synced()
        return opened[1]

    def merge(self, newer: IndicatorSet) -> Merge:
        """Merge ``newer`` into the current set, see `IndicatorSet.merged`.

        Another merge waits meanwhile, so none loses what another one brought. If nothing
        changes, no snapshot is written.

        Raises:
            StoreError: The store cannot be read or written; the current set is as it was.
        """
        with self._locked():
            previous, base = self._load()
            standing = base.standing(newer)
            merged = base.merged(standing)
            if previous is not None and _is_equal(base, merged):
                snapshot = previous
            else:
                snapshot = self._write_snapshot(merged)
                self._point_to(snapshot)
                self._prune(snapshot, previous)
            difference = base.difference(standing)
            older = difference.older + len(newer) - len(standing)
            return Merge(
                difference=replace(difference, older=older),
                before=len(base),
                total=len(merged),
                quarantined=len(merged.quarantined),
                snapshot=snapshot,
                previous=previous,
                base=base,
                taken_back=base.taken_back(newer),
            )

    def snapshots(self) -> tuple[Snapshot, ...]:
        """Every snapshot there is, newest first.

        Raises:
            StoreError: The store cannot be read.
        """
        with self._explained("cannot be read"):
            current = self._current_name()
            return tuple(self._listed(current))

    def resolve(self, text: str) -> Snapshot:
        """The snapshot that ``text`` names.

        Args:
            text: Its name, the beginning of it or of its hash (four characters or more) if no
                other begins so; ``current``; or ``previous``, the one made before the current.

        Raises:
            UsageError: None, or more than one.
            StoreError: The store cannot be read.
        """
        listed = self.snapshots()
        if text == "current":
            found = [one for one in listed if one.is_current]
        elif text == "previous":
            now = next((at for at, one in enumerate(listed) if one.is_current), len(listed))
            found = list(listed[now + 1 : now + 2])
        else:
            found = [one for one in listed if _is_named(one.name, text)]
        if len(found) == 1:
            return found[0]
        several = f"{len(found)} snapshots are called" if found else "no snapshot"
        shown = ", ".join(one.name for one in found or listed) or "none"
        raise UsageError(f"{several} {text[:80]!r}; there are: {shown}")

    def prune(self, keep: int) -> tuple[Snapshot, ...]:
        """Delete all snapshots but the newest ``keep`` and the current one.

        Returns:
            What was deleted, newest first.

        Raises:
            StoreError: The store cannot be read or written.
        """
        with self._locked():
            old = [one for one in self.snapshots()[keep:] if not one.is_current]
            with self._explained("cannot be written"):
                for snapshot in old:
                    self._path(snapshot.name).unlink(missing_ok=True)
        return tuple(old)

    def replace(self, indicators: IndicatorSet) -> tuple[str, str | None]:
        """Make ``indicators`` the current set, whatever there was; that stays as a snapshot.

        Returns:
            Name of the new snapshot, and of the one before or None.

        Raises:
            StoreError: The store cannot be read or written; the current set is as it was.
        """
        with self._locked():
            with self._explained("cannot be read"):
                previous = self._current_name()
            snapshot = self._write_snapshot(indicators)
            self._point_to(snapshot)
            self._prune(snapshot, previous)
        return snapshot, previous

    def rollback(self, name: str) -> None:
        """Make an older (or newer) snapshot the current one.

        The next sync merges into it.

        Raises:
            UsageError: There is no such snapshot.
            StoreError: It is damaged, or the store cannot be written.
        """
        known = [snapshot.name for snapshot in self.snapshots()]
        if name not in known:
            shown = ", ".join(known) or "none"
            raise UsageError(f"no snapshot {name[:80]!r}; there are: {shown}")
        with self._locked():
            with self._explained("cannot be read"):
                self._decoded(name)
            self._point_to(name)

    def _load(self) -> tuple[str | None, IndicatorSet]:
        """Name and content of the current snapshot, or None and an empty set."""
        return self._of_current(self._decoded) or (None, IndicatorSet.of(()))

    def _of_current(self, read: Callable[[str], _T]) -> tuple[str, _T] | None:
        """Name of the current snapshot and what ``read`` makes of it, or None without one."""
        with self._explained("cannot be read"):
            name = self._current_name()
            while name is not None:
                try:
                    return name, read(name)
                except FileNotFoundError:
                    # Pruned after we read its name: then another one is current by now.
                    again = self._current_name()
                    if again == name:
                        raise self._missing(name) from None
                    name = again
        return None

    def _reader(self, name: str, begun: SnapshotBytes | None) -> SnapshotReader:
        path = self._path(name)
        if begun is None or begun.name != name:
            begun = SnapshotBytes(name, path.open("rb"))
        return SnapshotReader(begun, at=SourceSpan(str(path)), hint=lambda: self._way_out(name))

    def _never_synced(self) -> NoIndicatorsError:
        return NoIndicatorsError(
            "no indicators were synced yet", at=SourceSpan(str(self.folder)), hint=_SYNC_HINT
        )

    def _decoded(self, name: str) -> IndicatorSet:
        path = self._path(name)
        try:
            return decode(path.read_bytes(), name)
        except StoreError as error:
            error.at, error.hint = SourceSpan(str(path)), self._way_out(name)
            raise

    def _missing(self, name: str) -> StoreError:
        at = SourceSpan(str(self._path(name)))
        return StoreError("the current snapshot is missing", at=at, hint=self._way_out(name))

    def _way_out(self, broken: str) -> str:
        """What to do about a broken snapshot: nothing is repaired in silence."""
        others = [s.name for s in self._listed(None) if s.name != broken]
        if others:
            return f"go back to an older snapshot, e.g. {others[0]}"
        return f"no older snapshot is left: move {self.folder} away, then {_SYNC_HINT}"

    def _current_name(self) -> str | None:
        try:
            text = self._current.read_bytes()
        except FileNotFoundError:
            return None
        name = text.decode("ascii", "replace").strip()
        # It becomes a path, so nothing but a snapshot's name may stand there.
        if created_at(name) is None:
            at = SourceSpan(str(self._current))
            raise StoreError(f"not a snapshot's name: {name[:80]!r}", at=at, hint=self._way_out(""))
        return name

    def _listed(self, current: str | None) -> Iterator[Snapshot]:
        for path in sorted(self.folder.glob(f"*{SUFFIX}"), reverse=True):
            created = created_at(path.stem)
            with suppress(FileNotFoundError):  # pruned while we look
                if created is not None:
                    yield Snapshot(
                        name=path.stem,
                        created=created,
                        size_bytes=path.stat().st_size,
                        is_current=path.stem == current,
                    )

    def _path(self, name: str) -> Path:
        return self.folder / (name + SUFFIX)

    def _write_snapshot(self, indicators: IndicatorSet) -> str:
        data = encode(indicators)
        name = snapshot_name(data, datetime.now(UTC))
        with self._explained("cannot be written"):
            self._replace(self._path(name), data)
        return name

    def _point_to(self, name: str) -> None:
        with self._explained("cannot be written"):
            self._replace(self._current, f"{name}\n".encode("ascii"))

    def _replace(self, path: Path, data: bytes) -> None:
        """Let ``data`` appear at ``path``, whole and for good, or not at all."""
        # Not `tempfile`: its files are their maker's alone, and a team may share the store.
        temporary = self.folder / (secrets.token_hex(8) + _TEMPORARY)
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        # Without it the rename itself may be lost in a power cut, or reach the disk before
        # one that was made earlier.
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _prune(self, *needed: str | None) -> None:
        """Delete all but the newest snapshots, and what a killed sync left.

        A reader that has a deleted one open reads it to its end.
        """
        with self._explained("cannot be written"):
            listed = list(self._listed(None))
            for snapshot in listed[KEPT_SNAPSHOTS:]:
                if snapshot.name not in needed:
                    self._path(snapshot.name).unlink(missing_ok=True)
            for left in self.folder.glob(f"*{_TEMPORARY}"):
                left.unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Be the only one who changes the store; a killed process gives its lock back."""
        with self._explained("cannot be written"):
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            with self._explained("cannot be locked"):
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            at = SourceSpan(str(error.filename or self.folder))
            raise StoreError(f"{what}: {error.strerror or error}", at=at) from error


def _is_named(name: str, text: str) -> bool:
    """Whether ``text`` is a snapshot's name or long enough a beginning of it or of its hash."""
    if len(text) < _FEWEST_LETTERS:
        return False
    return name.startswith(text) or name.rpartition("-")[2].startswith(text)


def _is_equal(left: IndicatorSet, right: IndicatorSet) -> bool:
    return left.quarantined == right.quarantined and bool(left.table.equals(right.table))
