"""Look-ups that do not load the whole set: of a snapshot only the columns and rows that count.

A million indicators take a second to load and are looked up in a tenth of that: columns are read
where a row group can hold what is asked for, whole rows only where something was found. The bytes
are those that were written all the same: they are hashed (`foxhunt.snapshot_files`) before anything
of them is interpreted.
"""

from __future__ import annotations

import mmap
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from foxhunt.errors import SourceSpan, StoreError
from foxhunt.indicators.addresses import canonical_address
from foxhunt.indicators.collection import SCHEMA, IndicatorSet
from foxhunt.indicators.conditions import Condition
from foxhunt.indicators.domains import canonical_name
from foxhunt.indicators.fang import refang
from foxhunt.indicators.model import Quarantined
from foxhunt.indicators.snapshot import QUARANTINE_REASON, refused_record
from foxhunt.snapshot_files import SnapshotBytes

_FEWEST_GROUPS = 4  # that are worth a thread
# Few values many times over: kept as numbers, they are read some five times as fast.
_FEW_VALUES = ["type", "source", "threat_type", "malware", "malware_printable", "reporter"]


@dataclass(frozen=True, slots=True)
class Found:
    """Indicators that were found, not yet read whole.

    Attributes:
        count: How many.
        read: Some columns of those at some positions, in that order, or of all for None.
    """

    count: int
    read: Callable[[Sequence[str], Sequence[int] | None], pa.Table]

    def indicators(self, positions: Sequence[int] | None = None) -> IndicatorSet:
        """The indicators at ``positions``, in that order; None for all, in the set's order."""
        return IndicatorSet.from_table(self.read(SCHEMA.names, positions))

    def first(self, limit: int | None) -> IndicatorSet:
        """The first ``limit``, or all for None."""
        is_all = limit is None or limit >= self.count
        return self.indicators(None if is_all else range(limit or 0))


class Reader(Protocol):
    """What can be looked into: a snapshot on disk, or a set in memory."""

    def find(self, conditions: Iterable[Condition]) -> Found:
        """The indicators for which every condition holds, in the set's order.

        Raises:
            StoreError: The snapshot is damaged.
        """
        ...

    def columns(self, names: Sequence[str]) -> pa.Table:
        """These columns of every indicator; text of few values may be dictionary-encoded."""
        ...

    def refused(self, text: str) -> tuple[Quarantined, ...]:
        """Quarantined records of the value ``text``, defanged or not, in any case.

        An address without a port is every ``ip:port`` with it.
        """
        ...

    def __len__(self) -> int: ...


class SetReader:
    """Looks into a set that is in memory, as read from a file."""

    def __init__(self, indicators: IndicatorSet) -> None:
        self._set = indicators

    def __len__(self) -> int:
        return len(self._set)

    def find(self, conditions: Iterable[Condition]) -> Found:
        """See `Reader`."""
        table = self._set.table
        for condition in conditions:
            table = table.filter(condition.mask(table))

        def read(names: Sequence[str], positions: Sequence[int] | None) -> pa.Table:
            chosen = table.select(list(names))
            return chosen if positions is None else chosen.take(pa.array(positions, pa.int64()))

        return Found(table.num_rows, read)

    def columns(self, names: Sequence[str]) -> pa.Table:
        """See `Reader`."""
        return self._set.table.select(list(names))

    def refused(self, text: str) -> tuple[Quarantined, ...]:
        """See `Reader`."""
        is_it = _same_as(text)
        return tuple(record for record in self._set.quarantined if is_it(record.value))


class SnapshotReader:
    """Looks into a snapshot's file.

    Attributes:
        name: The snapshot's.
    """

    def __init__(self, data: SnapshotBytes, *, at: SourceSpan, hint: Callable[[], str]) -> None:
        """Make one.

        Args:
            data: The file's bytes, which may still be read and hashed.
            at: Where they are, for errors.
            hint: Says what to do if they are damaged.
        """
        self.name = data.name
        self._bytes = data
        self._at = at
        self._hint = hint
        self._data: bytes | mmap.mmap = b""
        self._opened: pq.ParquetFile | None = None
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        groups = [g for g in range(self._parquet().num_row_groups) if self._refuses(g)]
        refused = sum(int(pc.count(self._reasons(group)).as_py()) for group in groups)
        return int(self._parquet().metadata.num_rows) - refused

    def find(self, conditions: Iterable[Condition]) -> Found:
        """See `Reader`; a condition is read only where those before it hold for some row."""
        asked = tuple(conditions)
        groups = [g for g in range(self._parquet().num_row_groups) if self._may_hold(g, asked)]
        masks = {group: self._are_indicators(group) for group in groups}
        for condition in asked:
            held = self._held(condition, list(masks))
            start = 0
            for group, mask in list(masks.items()):
                masks[group] = pc.and_(mask, held.slice(start, len(mask)))
                start += len(mask)
                if not masks[group].true_count:
                    del masks[group]
        hits = [_Hits(group, mask, mask.true_count) for group, mask in masks.items()]
        return Found(
            sum(hit.count for hit in hits),
            lambda names, positions: self._rows(hits, names, positions),
        )

    def columns(self, names: Sequence[str]) -> pa.Table:
        """See `Reader`."""
        groups = range(self._parquet().num_row_groups)
        table = self._read(groups, list(names))
        if any(self._refuses(group) for group in groups):
            return table.filter(pa.chunked_array([self._are_indicators(g) for g in groups]))
        return table

    def refused(self, text: str) -> tuple[Quarantined, ...]:
        """See `Reader`."""
        groups = [g for g in range(self._parquet().num_row_groups) if self._refuses(g)]
        columns = ["source", "source_id", "value", "type", QUARANTINE_REASON]
        table = self._read(groups, columns)
        rows = table.filter(pc.is_valid(table[QUARANTINE_REASON])).to_pylist()
        is_it = _same_as(text)
        return tuple(refused_record(row) for row in rows if is_it(row["value"]))

    def _parquet(self) -> pq.ParquetFile:
        if self._opened is None:
            try:
                data = self._bytes.whole()
            except OSError as error:
                raise self._broken(f"cannot be read: {error.strerror or error}") from error
            if data is None:
                raise self._broken("is damaged: its content is not what was written")
            self._data = data
            try:
                self._opened = self._open(None)
            except pa.ArrowException as error:
                raise self._broken(f"cannot be read: {error}") from error
        return self._opened

    def _open(self, metadata: pq.FileMetaData | None) -> pq.ParquetFile:
        # One for each thread: Arrow does not say that several may use it at once (26.0).
        return pq.ParquetFile(
            pa.BufferReader(pa.py_buffer(self._data)),
            metadata=metadata,
            read_dictionary=_FEW_VALUES,
        )

    def _broken(self, what: str) -> StoreError:
        return StoreError(f"snapshot {self.name} {what}", at=self._at, hint=self._hint())

    def _read(self, groups: Iterable[int], names: Sequence[str]) -> pa.Table:
        try:
            return self._open(self._parquet().metadata).read_row_groups(
                list(groups), columns=list(names)
            )
        except (pa.ArrowException, OSError) as error:
            # Whole, but not ours: written by another version.
            raise self._broken(f"cannot be read: {error}") from error

    def _rows(
        self, hits: Sequence[_Hits], names: Sequence[str], positions: Sequence[int] | None
    ) -> pa.Table:
        wanted, local = _split(hits, positions)
        table = self._read([hit.group for hit in wanted], names)
        if wanted:
            table = table.filter(pa.concat_arrays([hit.mask for hit in wanted]))
        return table if local is None else table.take(pa.array(local, pa.int64()))

    def _held(self, condition: Condition, groups: Sequence[int]) -> pa.BooleanArray:
        """For which rows of some row groups a condition holds."""
        names = sorted(condition.columns)

        def held(part: Sequence[int]) -> list[pa.BooleanArray]:
            chunks: list[pa.BooleanArray] = condition.mask(self._read(part, names)).chunks
            return chunks

        half = len(groups) // 2
        if half < _FEWEST_GROUPS:
            return pa.concat_arrays([_NO_BOOLS, *held(groups)])
        # Arrow reads columns side by side, and a look-up has but one that takes long.
        with ThreadPoolExecutor(1) as pool:
            later = pool.submit(held, groups[half:])
            return pa.concat_arrays([*held(groups[:half]), *later.result()])

    def _may_hold(self, group: int, conditions: Sequence[Condition]) -> bool:
        metadata = self._parquet().metadata.row_group(group)

        def bounds(name: str) -> tuple[Any, Any] | None:  # Any: as in `Bounds`
            statistics = metadata.column(self._column(name)).statistics
            if statistics is None or not statistics.has_min_max:
                return None
            return statistics.min, statistics.max

        return all(condition.may_hold(bounds) for condition in conditions)

    def _column(self, name: str) -> int:
        """Number of a plain column among the file's leaves: a list has one as well."""
        if not self._numbers:
            paths = self._parquet().schema
            self._numbers = {paths.column(n).path: n for n in range(len(paths))}
        return self._numbers[name]

    def _refuses(self, group: int) -> bool:
        """Whether a row group may hold quarantined records."""
        metadata = self._parquet().metadata.row_group(group)
        statistics = metadata.column(self._column(QUARANTINE_REASON)).statistics
        return not (
            statistics is not None
            and statistics.has_null_count
            and statistics.null_count == metadata.num_rows
        )

    def _reasons(self, group: int) -> pa.ChunkedArray:
        return self._read([group], [QUARANTINE_REASON])[QUARANTINE_REASON]

    def _are_indicators(self, group: int) -> pa.BooleanArray:
        """Which rows of a row group are no quarantined records."""
        if self._refuses(group):
            return pa.concat_arrays([_NO_BOOLS, *pc.is_null(self._reasons(group)).chunks])
        return pa.repeat(_TRUE, self._parquet().metadata.row_group(group).num_rows)


_NO_BOOLS, _TRUE = pa.array([], pa.bool_()), pa.scalar(True, pa.bool_())


@dataclass(frozen=True, slots=True)
class _Hits:
    """Rows that were found in one row group."""

    group: int
    mask: pa.BooleanArray
    count: int


def _split(
    hits: Sequence[_Hits], positions: Sequence[int] | None
) -> tuple[list[_Hits], list[int] | None]:
    """The row groups that hold some positions, and the positions among these groups' hits."""
    if positions is None:
        return list(hits), None
    ends = list(accumulate(hit.count for hit in hits))
    owners = [bisect_right(ends, at) for at in positions]
    needed = sorted(set(owners))
    # What the groups that are left out would have held comes off a position.
    skipped, before = {}, 0
    for owner in needed:
        start = ends[owner] - hits[owner].count
        skipped[owner] = start - before
        before += hits[owner].count
    return [hits[n] for n in needed], [
        at - skipped[owner] for at, owner in zip(positions, owners, strict=True)
    ]


def _same_as(text: str) -> Callable[[str], bool]:
    """Compares values as they were written, which have no canonical form: they were refused."""
    wanted = canonical_name(refang(text))
    address = canonical_address(wanted)

    def is_it(value: str) -> bool:
        written = canonical_name(refang(value))
        if written == wanted:
            return True
        return address is not None and canonical_address(written.rpartition(":")[0]) == address

    return is_it
