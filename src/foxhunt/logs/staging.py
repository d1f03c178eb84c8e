"""The copy of a regular file's records that a hunt reads: made once, of the fields that count.

The rows of a table that is filled in the file's order number themselves (``rowid``), so that
DuckDB may read the file with all its threads: a window function would give the numbers in one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import duckdb

from foxhunt.logs.casts import TIME, USUAL_TIME, kusto_type, typed_columns
from foxhunt.sql import identifier
from foxhunt.tables import EXTRA_COLUMNS, get_table

# From a table's name to the columns that are read of it, which a file may lack.
Needed = Callable[[str], Collection[str]]

_COPY = identifier("staged records")
_MOST_KEPT_BYTES = 1 << 23
_TEXTS = ("string", "guid")


class Stage:
    """Holds the records of one file at a time; the next copy replaces the last."""

    def __init__(self, con: duckdb.DuckDBPyConnection, needed: Needed) -> None:
        """Copies go into ``con``; ``needed`` says what is read of each table."""
        self._con = con
        self._needed = needed
        self._made: list[str] = []

    def columns(self, table: str, present: Collection[str]) -> tuple[str, ...]:
        """Which of the columns ``present`` are copied, in their order.

        Beyond those that are asked for: the times, and all that are no text, since a load
        report counts values of a wrong type.
        """
        known = get_table(table)
        wanted = {*self._needed(table), known.time, known.other_time}
        types = {**EXTRA_COLUMNS, **known.columns}
        return tuple(
            name for name in present if name in wanted or types.get(name, "string") not in _TEXTS
        )

    def copy(self, source: str) -> str:
        """Copy the records of the SELECT ``source``, in its order.

        Returns:
            A SELECT of the copy: ``_row`` (see `RawPart`), then the columns of ``source``.

        Raises:
            duckdb.Error: Some record stops the reading.
        """
        self.drop()
        self._con.execute(f"CREATE TEMP TABLE {_COPY} AS {source}")
        return f"SELECT rowid + 1 AS _row, * FROM {_COPY}"

    def copy_typed(
        self,
        source: str,
        table: str,
        columns: Sequence[str],
        *,
        time: str = TIME,
        records: str = "true",
    ) -> str:
        """Copy the records of the SELECT ``source`` with values of the table's types.

        A time takes a third of the room of its text, and is read while the file is.

        Args:
            source: Gives ``columns`` as text, and what else is to be kept as it is.
            table: The table of the columns.
            columns: The columns.
            time: What reads times, see `foxhunt.logs.casts.cast_sql`.
            records: SQL that tells the rows that should have a time.

        Returns:
            See `copy`; the copy also has ``_nulled``.

        Raises:
            duckdb.Error: Some record, or its time, stops the reading.
        """
        known = get_table(table)
        times = {name: time for name in columns if kusto_type(name, known) == "datetime"}
        first = [name for name in (known.time, known.other_time) if name in times]
        if len(first) == 1:
            # To have a second way at hand for each value takes as long as the first.
            usual = {**times, first[0]: USUAL_TIME}
            copy = self.copy(typed_columns(source, columns, known, usual))
            odd = f"SELECT 1 FROM ({copy}) WHERE {identifier(first[0])} IS NULL AND {records}"
            if not self._con.execute(f"{odd} LIMIT 1").fetchall():
                return copy
        return self.copy(typed_columns(source, columns, known, times))

    def typed(self, name: str, select: str, size_bytes: int) -> str:
        """Give a SELECT over the copy a name, until the next copy is made; return the name.

        Of a small file the values are kept: several statements read them, and to plan a
        statement takes longer than to run it.

        Raises:
            duckdb.Error: The SELECT does not run.
        """
        kind = "TABLE" if size_bytes <= _MOST_KEPT_BYTES else "VIEW"
        self._con.execute(f"CREATE TEMP {kind} {identifier(name)} AS {select}")
        self._made.append(f"{kind} {identifier(name)}")
        return name

    def drop(self) -> None:
        """Give back the memory of the copy."""
        for made in self._made:
            self._con.execute(f"DROP {made}")
        self._made.clear()
        self._con.execute(f"DROP TABLE IF EXISTS {_COPY}")
