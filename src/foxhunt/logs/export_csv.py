"""CSV as the portals of Sentinel and Defender export it, and as people make it of a table.

DuckDB reads a well-formed file in place. One that is not (a stray quote, a missing field,
bytes that are no text, a torn archive) is read in Python and staged, so that a broken
record takes no other with it and every record keeps its number. What DuckDB lets pass
(tried with 2.0.0) Python lets pass too: quotes within an unquoted field, and empty fields
beyond the header's.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import duckdb

from foxhunt.errors import LogError, SourceSpan
from foxhunt.logs.casts import SLASHED, UNDATED_TIME
from foxhunt.logs.layouts import Delimited
from foxhunt.logs.model import LogFile, LogLines, RawPart
from foxhunt.logs.recognise import canonical_columns, table_of
from foxhunt.logs.records import stage
from foxhunt.logs.staging import Stage
from foxhunt.logs.streams import MAX_LINE_BYTES, Line, lines, plain_text, scan_path
from foxhunt.sql import identifier, literal
from foxhunt.tables import Table

_DELIMITERS = (",", "\t", ";", "|")
_BOM = b"\xef\xbb\xbf"
# Excel tells itself the delimiter, and Windows PowerShell's Export-Csv the type of the objects.
_BEFORE_HEADER = (b"sep=", b"#TYPE ")
# A record of more lines has an open quote, and would swallow the rest of the file.
_MAX_LINES = 1_000
_BAD_UNICODE = "text that is not valid UTF-8"
_NUL = "a NUL in the text"

_Record = tuple[str | None, list[str | None]]


class _Header(NamedTuple):
    """The first lines.

    Attributes:
        delimiter: Between fields.
        names: Of the columns, as they are written.
        lines: How many lines come before the first record.
    """

    delimiter: str
    names: list[str]
    lines: int


class _Orders(NamedTuple):
    """Which orders dates with slashes can only be in; of 05/06/2026 neither is told.

    Attributes:
        day_first: Some number from 13 to 31 comes first.
        month_first: Some comes second.
    """

    day_first: bool
    month_first: bool


def recognises(file: LogFile) -> bool:
    """See `Format.recognises`."""
    header = _header(file)
    # A header of any three names is worth a refusal that says what is wrong with them.
    return header is not None and len(set(header.names)) >= 3


def read(con: duckdb.DuckDBPyConnection, file: LogFile, table: str | None) -> Iterator[RawPart]:
    """See `Format.read`."""
    header = _header(file)
    if header is None:
        raise LogError("not CSV: its first line is no header", at=SourceSpan(file.name))
    names = header.names
    wanted = table_of(names, file.name, table)
    # By position: two columns of one name are told apart so.
    places = {name: names.index(own) for name, own in canonical_columns(wanted, names).items()}
    dated = _dated(wanted, places)
    found = _in_place(con, file, header, places, dated) if _is_for_duckdb(file, header) else None
    if found is None:
        records = _Reader(file, header, tuple(places.values())).records()
        select = stage(con, tuple(places), records)
        found = select, _date_orders(con, select, (), dated)
    select = _month_first(*found, dated, SourceSpan(file.name))
    yield RawPart(table=wanted.name, select=select, columns=tuple(places))


def read_once(
    con: duckdb.DuckDBPyConnection, file: LogFile, table: str | None, stage: Stage
) -> tuple[RawPart, ...] | None:
    """See `OnePass.read_once`."""
    header = _header(file)
    if header is None or not _is_for_duckdb(file, header):
        return None
    wanted = table_of(header.names, file.name, table)
    found = canonical_columns(wanted, header.names)
    places = {name: header.names.index(own) for name, own in found.items()}
    dated = _dated(wanted, places)
    values = {name: f"c{place} AS {identifier(name)}" for name, place in places.items()}
    layout = Delimited(
        header=header.lines,
        delimiter=header.delimiter.encode(),
        width=len(header.names),
        told=places,
        is_quoted=True,
    )
    with stage.sifted(file, wanted.name, layout) as (some, clean), plain_text(some) as is_plain:
        columns = stage.columns(wanted.name, places) if clean is None else tuple(places)
        listed = ", ".join(values[name] for name in columns)
        source = f"SELECT {listed} FROM {_source(some, header)}"
        staged, orders = _copied(con, stage, source, wanted, columns)
        if not is_plain():
            return None

    def select(some: LogFile) -> str:
        whole = (
            "SELECT row_number() OVER () AS _row, CAST(NULL AS VARCHAR) AS _broken, "
            f"{', '.join(values.values())} FROM {_source(some, header)}"
        )
        return _month_first(whole, orders, dated, SourceSpan(file.name))

    part = RawPart(
        table=wanted.name,
        select=select(file),
        columns=tuple(places),
        staged=_month_first(staged, orders, dated, SourceSpan(file.name)),
        lines=LogLines(header.lines, select) if file.compression == "none" else None,
        clean=clean,
    )
    return (part,)


def _copied(
    con: duckdb.DuckDBPyConnection, stage: Stage, source: str, table: Table, columns: Sequence[str]
) -> tuple[str, _Orders]:
    """A SELECT of a copy of the SELECT ``source``, and its dates' orders.

    Raises:
        duckdb.Error: Some record stops the reading.
    """
    try:
        typed = stage.copy_typed(source, table.name, columns, time=UNDATED_TIME)
    except duckdb.InvalidInputException as error:
        if SLASHED not in str(error):
            raise
        # Only all of such dates tell what any of them says.
        staged = stage.copy(source)
        return staged, _date_orders(con, staged, (), _dated(table, columns))
    return typed, _Orders(False, False)


def _dated(table: Table, columns: Iterable[str]) -> list[str]:
    return [name for name in columns if table.columns.get(name) == "datetime"]


def _is_for_duckdb(file: LogFile, header: _Header) -> bool:
    # With two lines to skip whose ends differ, DuckDB 2.0.0 gives no record and no error.
    return not file.torn and header.lines == 1


def _header(file: LogFile) -> _Header | None:
    """The header, or None when the first line is none."""
    start = file.head.removeprefix(_BOM)
    lines = 1
    if start.startswith(_BEFORE_HEADER):
        start = start.partition(b"\n")[2]
        lines = 2
    start, line_feed, _ = start.partition(b"\n")
    try:
        line = start.decode("utf-8").rstrip("\r")
    except UnicodeDecodeError:
        return None
    if not line_feed or not line.strip() or not line.replace("\t", "").isprintable():
        return None
    best: _Header | None = None
    for delimiter in _DELIMITERS:
        try:
            names = next(csv.reader([line], delimiter=delimiter, strict=True), [])
        except csv.Error:
            continue
        # The most names win: another delimiter may stand in the name of a column.
        if len(names) > (len(best.names) if best else 1):
            best = _Header(delimiter, names, lines)
    return best


def _source(file: LogFile, header: _Header) -> str:
    """SQL: the file as DuckDB reads it; its columns are c0, c1 and so on."""
    types = ", ".join(f"c{place}: 'VARCHAR'" for place in range(len(header.names)))
    return (
        f"read_csv({literal(scan_path(file))}, columns = {{{types}}}, header = false, "
        f"skip = 1, auto_detect = false, delim = {literal(header.delimiter)}, "
        f"quote = '\"', escape = '\"', strict_mode = true, null_padding = false, "
        f"max_line_size = {MAX_LINE_BYTES}, compression = {literal(file.compression)})"
    )


def _in_place(
    con: duckdb.DuckDBPyConnection,
    file: LogFile,
    header: _Header,
    places: Mapping[str, int],
    dated: Sequence[str],
) -> tuple[str, _Orders] | None:
    """A SELECT over the file, and its dates' orders; None when DuckDB cannot read all of it."""
    nul = " OR ".join(f"contains(c{place}, chr(0))" for place in places.values())
    values = ", ".join(f"c{place} AS {identifier(name)}" for name, place in places.items())
    select = (
        f"SELECT row_number() OVER () AS _row, CASE WHEN {nul} THEN {literal(_NUL)} END "
        f"AS _broken, {values} FROM {_source(file, header)}"
    )
    try:
        return select, _date_orders(con, select, tuple(places), dated)
    except duckdb.Error:
        # Which record it was DuckDB says, but not the number: the exact reading finds it.
        return None


def _date_orders(
    con: duckdb.DuckDBPyConnection, select: str, columns: Sequence[str], dated: Sequence[str]
) -> _Orders:
    """Read all of ``columns``, and tell which orders of a date with slashes occur in ``dated``.

    Raises:
        duckdb.Error: Some record stops the reading.
    """
    # Only what is selected is checked for being text, so this asks for all that will be read.
    checked = [f"count({identifier(name)})" for name in columns]

    def is_told_by(part: int) -> str:
        tests = (
            f"CASE WHEN contains({name}, '/') "
            f"THEN TRY_CAST(split_part({name}, '/', {part}) AS INTEGER) BETWEEN 13 AND 31 END"
            for name in map(identifier, dated)
        )
        return f"coalesce(bool_or({' OR '.join(tests)}), false)"

    row = con.execute(
        f"SELECT {', '.join([is_told_by(1), is_told_by(2), *checked])} FROM ({select})"
    ).fetchone()
    return _Orders(*row[:2]) if row else _Orders(False, False)


def _month_first(select: str, orders: _Orders, dated: Sequence[str], at: SourceSpan) -> str:
    """``select`` with dates that are written day first (16/07/2026) turned month first.

    The portal writes dates as its user's region does, and no single 05/06/2026 tells which.
    A file in which some number above 12 comes first tells it of all; without any, month first
    is meant, as the portal writes it in English of the United States.

    Raises:
        LogError: Some dates can only be the one, and some only the other.
    """
    if not orders.day_first:
        return select
    if orders.month_first:
        raise LogError(
            "some of its dates are written day first and some month first",
            at=at,
            hint="write them as 2026-07-16T20:26:12Z",
        )
    turned = ", ".join(
        f"regexp_replace({name}, '^\\s*([0-9]+)/([0-9]+)/', '\\2/\\1/') AS {name}"
        for name in map(identifier, dated)
    )
    return f"SELECT * REPLACE ({turned}) FROM ({select})"


class _Reader:
    """Reads record after record, taking no more lines than a record has."""

    def __init__(self, file: LogFile, header: _Header, places: Sequence[int]) -> None:
        """Start after the header."""
        self._delimiter = header.delimiter
        self._width = len(header.names)
        self._places = places
        self._source = islice(lines(file), header.lines, None)
        self._again: deque[Line] = deque()
        self._taken: list[bytes] = []

    def records(self) -> Iterator[_Record]:
        """Every record: its values at the places asked for, or why it is broken."""
        while (line := self._next()) is not None:
            if line.problem is not None:
                yield self._broken(line.problem)
            elif line.text.strip():
                self._again.appendleft(line)
                yield self._record()

    def _next(self) -> Line | None:
        return self._again.popleft() if self._again else next(self._source, None)

    def _record(self) -> _Record:
        self._taken = []
        record = self._parsed(self._lines())
        joined = self._taken[1:]
        if record[0] is not None and any(self._is_record(line) for line in joined):
            # Records are among the lines that a quote left open took: only the first is broken.
            self._again.extendleft(Line(line, None) for line in reversed(joined))
        return record

    def _lines(self) -> Iterator[str]:
        """The lines of one record, as many as the CSV reader asks for and a record may have."""
        size = 0
        while len(self._taken) < _MAX_LINES and size < MAX_LINE_BYTES:
            line = self._next()
            if line is None:
                return
            if line.problem is not None:
                self._again.appendleft(line)
                return
            self._taken.append(line.text)
            size += len(line.text)
            yield _text(line.text)

    def _is_record(self, line: bytes) -> bool:
        return bool(line.strip()) and self._parsed(iter([_text(line)]))[0] is None

    def _parsed(self, texts: Iterator[str]) -> _Record:
        try:
            fields = next(csv.reader(texts, delimiter=self._delimiter, strict=True), [])
        except csv.Error as error:
            # What follows the dash is advice for programmers.
            return self._broken(f"not CSV: {str(error).split(' - ')[0]}")
        while len(fields) > self._width and not fields[-1]:
            fields.pop()
        if len(fields) != self._width:
            return self._broken(f"{len(fields)} fields, the header has {self._width}")
        values = [fields[place] for place in self._places]
        joined = "".join(values)
        if "\0" in joined:
            return self._broken(_NUL)
        # DuckDB takes the quote after a blank as quoting, the csv module as text.
        if any(value.startswith(' "') for value in values):
            return self._broken("a quote after a blank")
        try:
            joined.encode()
        except UnicodeEncodeError:
            return self._broken(_BAD_UNICODE)
        # As DuckDB reads it: an empty field is no value.
        return None, [value or None for value in values]

    def _broken(self, reason: str) -> _Record:
        return reason, [None] * len(self._places)


def _text(line: bytes) -> str:
    """A line with its end, as text; bytes that are none become lone surrogates."""
    return line.decode("utf-8", "surrogateescape") + "\n"
