"""Rows that met something, kept whole while they are few: read once for events and evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import duckdb

from foxhunt.logs import LogPart, Stamp, changed, check_unchanged, keep_rows, stamp_of
from foxhunt.sql import identifier

# Text is staged with all its columns up to this size, so that it is parsed once; of longer files
# with those that are compared, and the rows that findings show are read again.
MOST_STAGED = 1 << 28
# Rows that met something and are kept whole, in all files together.
_MOST_KEPT = 200_000
# Rows of one file that are asked for by their numbers.
_MOST_NUMBERS = 20_000


@dataclass(frozen=True, slots=True)
class Sifted:
    """What was sifted of the part at hand.

    Attributes:
        ranks: Of the columns that have ``sifted_{rank}``: ``_place`` and the column.
        stamp: `stamp_of` the file before it was read.
    """

    ranks: frozenset[int]
    stamp: Stamp | None


class Keeper:
    """Keeps rows of the parts of one hunt.

    Attributes:
        evidence: Number of a part to the table of its rows that were kept.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        """Tables go into ``con``."""
        self._con = con
        self._room = _MOST_KEPT
        self.evidence: dict[int, str] = {}

    def keep_hits(
        self,
        part: LogPart,
        number: int,
        source: str,
        hits: Mapping[int, str],
        *,
        sifted: Sifted | None,
        restage: Callable[[], str],
    ) -> str:
        """Where the rows that met something are read from: a copy of them, whole, if they are few.

        Args:
            part: Their part.
            number: The part's.
            source: The relation in which values were looked up.
            hits: Rank of a column, for ``hits_{rank}``, to the column's name.
            sifted: Which columns have ``sifted_{rank}``.
            restage: Stages the part with what judging reads, where ``source`` holds less.

        Raises:
            LogError: The file changed since values were looked up in it.
        """
        rows = sum(self._rows_of(rank) for rank in hits)
        met = " OR ".join(
            f"{identifier(column)} IN (SELECT v FROM hits_{rank})" for rank, column in hits.items()
        )
        if part.staged is not None and part.clean is None:
            if rows > min(_MOST_NUMBERS, self._room):
                again = restage()
            else:
                select = f"SELECT _row FROM {source} WHERE {met} ORDER BY _row"
                again = self._keep_numbered(part, number, select)
            check_unchanged(self._con, part, again, met)
            return again
        is_whole = part.columnar or part.clean is not None or part.file.size_bytes <= MOST_STAGED
        if not rows or rows > self._room or not is_whole:
            return source
        self._room -= rows
        name = self.evidence[number] = f"kept_{number}"
        if sifted is None or not sifted.ranks.issuperset(hits):
            self._create(name, f"SELECT * FROM {source} WHERE {met}")
        else:
            self._keep_sifted(part, name, source, hits, met)
        if sifted is not None and sifted.stamp != stamp_of(part.file):
            raise changed(part.file.name)
        return name

    def _keep_sifted(
        self, part: LogPart, name: str, source: str, hits: Mapping[int, str], met: str
    ) -> None:
        """Copy rows by their places; a long column is not read twice, its texts are at hand."""
        places = " UNION ".join(
            f"SELECT _place FROM sifted_{rank} WHERE {identifier(column)} IN "
            f"(SELECT v FROM hits_{rank})"
            for rank, column in hits.items()
        )
        if len(hits) == 1:
            ((rank, column),) = hits.items()
            rest = (
                f"SELECT * EXCLUDE ({identifier(column)}) FROM {source} WHERE _place IN ({places})"
            )
            self._create(name, f"SELECT * FROM ({rest}) JOIN sifted_{rank} USING (_place)")
        else:
            self._create(name, f"SELECT * FROM {source} WHERE _place IN ({places})")
        lost = f"SELECT count(*) FROM ({places} EXCEPT SELECT _place FROM {name} WHERE {met})"
        if self._con.execute(lost).fetchall() != [(0,)]:
            raise changed(part.file.name)

    def keep_shown(self, part: LogPart, number: int) -> None:
        """Fetch the rows that events are of from a file whose rows were not kept, if they are few.

        Then findings need not read the whole file as values a second time.
        """
        if part.columnar or number in self.evidence:
            return
        select = f"SELECT DISTINCT row FROM events WHERE part = {number} ORDER BY row"
        ((rows,),) = self._con.execute(f"SELECT count(*) FROM ({select})").fetchall()
        if 0 < rows <= min(_MOST_NUMBERS, self._room):
            self._keep_numbered(part, number, select)

    def _create(self, name: str, select: str) -> None:
        self._con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {select}")

    def _keep_numbered(self, part: LogPart, number: int, select: str) -> str:
        """Copy the rows with the numbers of ``select`` of the part at hand, whole."""
        rows = [row for (row,) in self._con.execute(select).fetchall()]
        self._room -= len(rows)
        name = self.evidence[number] = f"kept_{number}"
        keep_rows(self._con, part, rows, name)
        return name

    def _rows_of(self, rank: int) -> int:
        ((rows,),) = self._con.execute(
            f"SELECT coalesce(sum(n), 0) FROM (SELECT DISTINCT v, n FROM hits_{rank})"
        ).fetchall()
        return int(rows)
