"""The rows of a Parquet file whose value of one column can meet an indicator, found in one pass."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from foxhunt.engines.sieve import SIFTED, Sieve
from foxhunt.indicators import IndicatorSet
from foxhunt.logs import LogPart
from foxhunt.logs.parquet_texts import TextColumn
from foxhunt.rules import MatchMode, Observes
from foxhunt.sql import identifier
from foxhunt.tables import Shows

# Where more of the rows than this come through, the sieve costs time and saves none.
_MOST_PASSING = 0.125
_TRIED_ROWS = 500_000
# Rows that are handed to DuckDB at once.
_HANDED_ROWS = 500_000


class Sifter:
    """Sifts columns of parts for one set of indicators; a sieve is made once for each use."""

    def __init__(self, con: duckdb.DuckDBPyConnection, indicators: IndicatorSet) -> None:
        """Tables go into ``con``; ``indicators`` are what is hunted for."""
        self._con = con
        self._indicators = indicators
        self._sieves: dict[tuple[Shows, tuple[str, ...]], Sieve] = {}

    def sift(self, part: LogPart, one: Observes, name: str) -> bool:
        """Make the temp table ``name`` of the rows that pass: ``_place`` and the column.

        Returns:
            Whether it was made. It is not where no sieve can tell of the column, it does not
            hold text as it is, too much passes, memory does not suffice, or only DuckDB can read
            it: then it is to read all of the column, and says what is wrong.
        """
        column = one.observable.column
        if part.parquet is None or not self._is_told(one):
            return False
        try:
            texts = TextColumn(part.file.path, part.parquet[column])
            _fill(self._con, _passing(texts, self.sieve(one)), column, name)
        except (_TooMany, ValueError, pa.ArrowException, OSError, MemoryError):
            return False
        return True

    def _is_told(self, one: Observes) -> bool:
        return one.mode is MatchMode.EXACT and one.observable.shows in SIFTED

    def sieve(self, one: Observes) -> Sieve:
        """What tells which texts of a column that is in `SIFTED` can meet something."""
        shows = one.observable.shows
        key = (shows, tuple(sorted(one.types)))
        if key not in self._sieves:
            rows = self._indicators.select("type", "lookup")
            wanted = rows.filter(pc.is_in(rows["type"], pa.array(key[1], pa.string())))
            self._sieves[key] = Sieve(shows, wanted["lookup"].drop_null().combine_chunks())
        return self._sieves[key]


class _TooMany(Exception):
    """Most of what was read passes."""


def _fill(
    con: duckdb.DuckDBPyConnection, passing: Iterator[pa.Table], column: str, name: str
) -> None:
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {identifier(name)} "
        f"(_place BIGINT, {identifier(column)} VARCHAR)"
    )
    for rows in passing:
        con.register("sifted_rows", rows)
        con.execute(f"INSERT INTO {identifier(name)} SELECT place, text FROM sifted_rows")
        con.unregister("sifted_rows")


def _passing(texts: TextColumn, sieve: Sieve) -> Iterator[pa.Table]:
    """Read the row groups on every core, in order; yield what passes, some at a time."""
    read = passed = 0
    held: list[pa.Table] = []
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        try:
            for rows, found in pool.map(
                lambda group: _sifted(texts, group, sieve), range(texts.groups)
            ):
                read += rows
                passed += found.num_rows
                if read > _TRIED_ROWS and passed > read * _MOST_PASSING:
                    raise _TooMany
                held.append(found)
                if sum(one.num_rows for one in held) > _HANDED_ROWS:
                    yield pa.concat_tables(held)
                    held = []
        finally:
            pool.shutdown(cancel_futures=True)
    if held:
        yield pa.concat_tables(held)


def _sifted(texts: TextColumn, group: int, sieve: Sieve) -> tuple[int, pa.Table]:
    """How many rows a row group has, and those that pass: ``place`` and ``text``."""
    read = 0
    tables = [pa.table({"place": pa.array([], pa.int64()), "text": pa.array([], pa.string())})]
    for first, values in texts.batches(group):
        read += len(values)
        at = sieve.passing(values)
        found = values.take(at).cast(pa.string())
        found.validate(full=True)  # DuckDB takes Arrow's word for it that text is UTF-8
        tables.append(pa.table({"place": pc.add(at, first), "text": found}))
    return read, pa.concat_tables(tables)
