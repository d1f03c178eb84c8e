"""Records, single ones and runs, into rows of indicators, with every one counted.

Runs are read while the next text is fetched and split: both Arrow and the decompression let go
of Python's lock. Several are read as one where they have the same columns, since each pattern and
each list has to be made ready once a reading.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import accumulate, groupby
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from foxhunt.feeds.json_records import VALUE_FIELDS
from foxhunt.feeds.raw import OUTER_ID, RawRecord, Run
from foxhunt.feeds.threatfox import KNOWN_FIELDS
from foxhunt.indicators import Indicator, Quarantined
from foxhunt.indicators.collection import table_of

ReadRecord: TypeAlias = Callable[[object, str | None], Indicator | Quarantined]
ReadColumns: TypeAlias = Callable[[pa.Table], tuple[pa.Table, pa.Array]]
_THREADS = 2
# As many records of runs are read as one, or more.
_GROUP = 30_000
# Such groups that wait to be read, each of some 20 megabytes of text.
_MOST_WAITING = 2
# Indicators that are kept as Python objects, which take some ten times the memory of rows.
_BATCH = 20_000


@dataclass(slots=True)
class Taken:
    """What was taken of a file so far.

    Attributes:
        tables: Rows of `foxhunt.indicators.collection.SCHEMA`, in the order of the records.
        read: Records.
        recognised: Those with a field for the indicator.
        found: Those that are indicators.
        quarantined: The others, in their order.
        unknown: Fields that foxhunt does not know.
    """

    tables: list[pa.Table] = field(default_factory=list)
    read: int = 0
    recognised: int = 0
    found: int = 0
    quarantined: list[Quarantined] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)

    def take_record(self, record: RawRecord, read_record: ReadRecord) -> Indicator | None:
        """Read one record; the caller keeps the indicator."""
        source_id, raw = record
        self.read += 1
        if isinstance(raw, dict):
            if not raw.keys() <= KNOWN_FIELDS:
                self.unknown.update(raw.keys() - KNOWN_FIELDS)
            self.recognised += not VALUE_FIELDS.isdisjoint(raw)
        read = read_record(raw, source_id)
        if isinstance(read, Quarantined):
            self.quarantined.append(read)
            return None
        self.found += 1
        return read

    def add(self, other: Taken) -> None:
        """Add what was taken behind it."""
        self.tables += other.tables
        self.read += other.read
        self.recognised += other.recognised
        self.found += other.found
        self.quarantined += other.quarantined
        self.unknown |= other.unknown


def take_parts(
    parts: Iterable[RawRecord | Run], read_record: ReadRecord, read_columns: ReadColumns
) -> Taken:
    """Read all records.

    Raises:
        FeedError: What ``parts`` raises.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        taking = _Taking(pool, read_record, read_columns)
        for part in parts:
            if isinstance(part, tuple):
                taking.take_record(part)
            else:
                taking.take_run(part)
        return taking.finish()


class _Taking:
    """Keeps parts in their order while runs are read elsewhere."""

    def __init__(self, pool: Executor, read_record: ReadRecord, read_columns: ReadColumns) -> None:
        self._pool, self._read_record, self._read_columns = pool, read_record, read_columns
        self._taken = Taken()
        # Each group of runs with what was read, record by record, before it.
        self._waiting: deque[tuple[Taken, Future[Taken]]] = deque()
        self._single = Taken()
        self._indicators: list[Indicator] = []
        # Behind all others.
        self._runs: list[Run] = []

    def take_record(self, record: RawRecord) -> None:
        self._close_group()
        if indicator := self._single.take_record(record, self._read_record):
            self._indicators.append(indicator)
            if len(self._indicators) >= _BATCH:
                self._close_batch()

    def take_run(self, run: Run) -> None:
        self._close_batch()
        self._runs.append(run)
        if sum(map(len, self._runs)) >= _GROUP:
            self._close_group()

    def finish(self) -> Taken:
        self._close_batch()
        self._close_group()
        while self._waiting:
            self._settle()
        self._taken.add(self._single)
        return self._taken

    def _close_batch(self) -> None:
        if self._indicators:
            self._single.tables.append(table_of(self._indicators))
            self._indicators = []

    def _close_group(self) -> None:
        if self._runs:
            reads = self._read_record, self._read_columns
            self._waiting.append((self._single, self._pool.submit(_take_runs, self._runs, *reads)))
            self._single, self._runs = Taken(), []
            if len(self._waiting) > _MOST_WAITING:
                self._settle()

    def _settle(self) -> None:
        before, run = self._waiting.popleft()
        self._taken.add(before)
        self._taken.add(run.result())


def _take_runs(runs: Sequence[Run], read_record: ReadRecord, read_columns: ReadColumns) -> Taken:
    taken = Taken()
    for _, alike in groupby(runs, lambda run: run.columns().schema):
        taken.add(_take_alike(list(alike), read_record, read_columns))
    return taken


def _take_alike(runs: Sequence[Run], read_record: ReadRecord, read_columns: ReadColumns) -> Taken:
    columns = pa.concat_tables([run.columns() for run in runs])
    table, is_read = read_columns(columns)
    taken = Taken([table], read=len(table), recognised=len(table), found=len(table))
    taken.unknown.update(set(columns.column_names) - KNOWN_FIELDS - {OUTER_ID})
    starts = [0, *accumulate(map(len, runs))]
    odd = {}
    for position in pc.indices_nonzero(pc.invert(is_read)).to_pylist():
        number = bisect_right(starts, position) - 1
        record = runs[number].record(position - starts[number])
        if indicator := taken.take_record(record, read_record):
            odd[position] = indicator
    if odd:
        taken.tables = [inserted(table, is_read, odd)]
    return taken


def inserted(table: pa.Table, is_read: pa.Array, odd: dict[int, Indicator]) -> pa.Table:
    """Rows of ``table`` and of ``odd`` in the order of their records."""
    places = pa.concat_arrays([pc.indices_nonzero(is_read), pa.array(odd, pa.uint64())])
    rows = pa.concat_tables([table, table_of(odd.values())])
    return rows.take(pc.sort_indices(places))
