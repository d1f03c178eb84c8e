"""The copy of a regular file's records that a hunt reads: made once, of the fields that count.

The rows of a table that is filled in the file's order number themselves (``rowid``), so that
DuckDB may read the file with all its threads: a window function would give the numbers in one.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa

from foxhunt.logs.casts import TIME, USUAL_TIME, kusto_type, typed_columns
from foxhunt.logs.faults import IrregularError
from foxhunt.logs.layouts import Layout
from foxhunt.logs.model import Clean, LogFile
from foxhunt.sql import identifier
from foxhunt.tables import EXTRA_COLUMNS, get_table

# From texts (Arrow strings) to the positions (int64) of those that can meet something.
Sift = Callable[[pa.Array], pa.Array]
# From a table's name to the columns that are read of it, which a file may lack; each with what
# makes its `Sift`, or None where only reading the value tells.
Needed = Callable[[str], Mapping[str, Callable[[], Sift] | None]]

_COPY, _NUMBERS = identifier("staged records"), identifier("staged numbers")
# So much text, in all files, is read in the time that it takes to load what sifts lines.
WORTH_SIFTING_BYTES = 1 << 26
_MOST_KEPT_BYTES = 1 << 23
_TEXTS = ("string", "guid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked about each line of a file.

    Attributes:
        time: The column that says when.
        typed: Column to its Kusto type, of those that are no text.
        empty: Columns that must have no value.
        compared: Column to what tells which of its texts can meet something.
    """

    time: str
    typed: Mapping[str, str]
    empty: Collection[str] = ()
    compared: Mapping[str, Sift]

    @property
    def columns(self) -> frozenset[str]:
        """All columns that are asked about."""
        return frozenset((self.time, *self.typed, *self.empty, *self.compared))


class Stage:
    """Holds the records of one file at a time; the next copy replaces the last."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        needed: Needed,
        sift_from: int = WORTH_SIFTING_BYTES,
    ) -> None:
        """Hold nothing yet.

        Args:
            con: Where copies go.
            needed: What is read of each table.
            sift_from: From how many bytes of text on, in all files, lines are sifted.
        """
        self._con = con
        self._needed = needed
        self._made: list[str] = []
        self._sift_from, self._text_bytes = sift_from, 0
        self._numbers: array[int] | None = None

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

    @contextmanager
    def sifted(
        self, file: LogFile, table: str, layout: Layout | None
    ) -> Iterator[tuple[LogFile, Clean | None]]:
        """Leave out the lines of a large file that need not be read, where they can be told.

        Args:
            file: The file.
            table: What its records are rows of.
            layout: How its lines are cut into fields; None where that is not known.

        Yields:
            A file of the other lines, which copies take for the whole, and what was left out; or
            ``file`` and None.
        """
        self._text_bytes += file.size_bytes
        asked = None
        if layout is not None and self._text_bytes >= self._sift_from:
            asked = self._asked(table, layout)
        if layout is None or asked is None:
            yield file, None
            return
        from foxhunt.logs.line_sieve import sift_lines  # with numpy, which few hunts need

        with TemporaryDirectory(prefix="foxhunt-") as folder:
            path = Path(folder) / "lines"
            try:
                with path.open("wb") as target:
                    clean, self._numbers = sift_lines(file, layout, asked, target)
                    size = target.tell()
            except (IrregularError, MemoryError, OSError, RuntimeError):
                # Without memory or a thread ("can't start new thread") reading still may do.
                yield file, None
                return
            try:
                yield replace(file, path=path, compression="none", size_bytes=size), clean
            finally:
                self._numbers = None

    def _asked(self, table: str, layout: Layout) -> Asked | None:
        """What is asked about each line; None where some of it is not told by one field."""
        known, present = get_table(table), {*layout.told, *layout.untold}
        times = [name for name in (known.time, known.other_time) if name in present]
        time = next((name for name in times if name in layout.seen), None)
        makers = {name: make for name, make in self._needed(table).items() if name in present}
        typed = {name: kusto_type(name, known) for name in present.difference(times)}
        typed = {name: kind for name, kind in typed.items() if kind not in _TEXTS}
        if time is None or None in makers.values():
            return None
        # An event's time is the first of them that it has.
        before = times[: times.index(time)]
        if not {time, *before, *makers, *typed} <= set(layout.told):
            return None
        compared = {name: make() for name, make in makers.items() if make is not None}
        return Asked(time=time, typed=typed, empty=before, compared=compared)

    def copy(self, source: str) -> str:
        """Copy the records of the SELECT ``source``, in its order.

        Returns:
            A SELECT of the copy: ``_row`` (see `RawPart`), then the columns of ``source``.

        Raises:
            duckdb.Error: Some record stops the reading.
            IrregularError: Sifted lines are read as more records than there are lines, or fewer.
        """
        self.drop()
        self._con.execute(f"CREATE TEMP TABLE {_COPY} AS {source}")
        if self._numbers is None:
            return f"SELECT rowid + 1 AS _row, * FROM {_COPY}"
        buffers = [None, pa.py_buffer(self._numbers)]
        numbers = pa.Array.from_buffers(pa.int64(), len(self._numbers), buffers)
        self._con.register("staged_numbers", pa.table({"number": numbers}))
        self._con.execute(f"CREATE TEMP TABLE {_NUMBERS} AS FROM staged_numbers")
        self._con.unregister("staged_numbers")
        ((copied,),) = self._con.execute(f"SELECT count(*) FROM {_COPY}").fetchall()
        if copied != len(self._numbers):
            raise IrregularError
        return (
            f"SELECT number AS _row, copy.* FROM {_COPY} AS copy "
            f"JOIN {_NUMBERS} AS numbers ON copy.rowid = numbers.rowid"
        )

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
        for name in (_COPY, _NUMBERS):
            self._con.execute(f"DROP TABLE IF EXISTS {name}")
