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
from collections.abc import Iterator, Mapping, Sequence

import duckdb

from foxhunt.errors import LogError, SourceSpan
from foxhunt.logs.model import LogFile, RawPart
from foxhunt.logs.recognise import canonical_columns, table_of
from foxhunt.logs.records import stage
from foxhunt.logs.streams import MAX_LINE_BYTES, Line, lines, scan_path
from foxhunt.sql import identifier, literal

_DELIMITERS = (",", "\t", ";", "|")
_BOM = b"\xef\xbb\xbf"
# A record of more lines has an open quote, and would swallow the rest of the file.
_MAX_LINES = 1_000
_BAD_UNICODE = "text that is not valid UTF-8"
_NUL = "a NUL in the text"

_Record = tuple[str | None, list[str | None]]


def recognises(file: LogFile) -> bool:
    """See `Format.recognises`."""
    header = _header(file)
    # A header of any three names is worth a refusal that says what is wrong with them.
    return header is not None and len(set(header[1])) >= 3


def read(con: duckdb.DuckDBPyConnection, file: LogFile, table: str | None) -> Iterator[RawPart]:
    """See `Format.read`."""
    found = _header(file)
    if found is None:
        raise LogError("not CSV: its first line is no header", at=SourceSpan(file.name))
    delimiter, header = found
    wanted = table_of(header, file.name, table)
    # By position: two columns of one name are told apart so.
    places = {name: header.index(own) for name, own in canonical_columns(wanted, header).items()}
    source = _in_place(con, file, delimiter, len(header), places)
    if source is None:
        records = _Reader(file, delimiter, len(header), tuple(places.values())).records()
        source = stage(con, tuple(places), records)
    yield RawPart(table=wanted.name, select=source, columns=tuple(places))


def _header(file: LogFile) -> tuple[str, list[str]] | None:
    """Delimiter and column names, or None when the first line is no header."""
    start, line_feed, _ = file.head.removeprefix(_BOM).partition(b"\n")
    try:
        line = start.decode("utf-8").rstrip("\r")
    except UnicodeDecodeError:
        return None
    if not line_feed or not line.strip() or not line.replace("\t", "").isprintable():
        return None
    best: tuple[str, list[str]] | None = None
    for delimiter in _DELIMITERS:
        try:
            names = next(csv.reader([line], delimiter=delimiter, strict=True), [])
        except csv.Error:
            continue
        # The most names win: another delimiter may stand in the name of a column.
        if len(names) > (len(best[1]) if best else 1):
            best = delimiter, names
    return best


def _in_place(
    con: duckdb.DuckDBPyConnection,
    file: LogFile,
    delimiter: str,
    width: int,
    places: Mapping[str, int],
) -> str | None:
    """A SELECT over the file as DuckDB reads it, or None when it cannot read all of it."""
    if file.torn:
        return None
    types = ", ".join(f"c{place}: 'VARCHAR'" for place in range(width))
    source = (
        f"read_csv({literal(scan_path(file))}, columns = {{{types}}}, header = false, "
        f"skip = 1, auto_detect = false, delim = {literal(delimiter)}, quote = '\"', "
        f"escape = '\"', strict_mode = true, null_padding = false, "
        f"max_line_size = {MAX_LINE_BYTES}, compression = {literal(file.compression)})"
    )
    # Only what is selected is checked for being text, so this asks for all that will be read.
    checked = ", ".join(f"count(c{place})" for place in places.values())
    try:
        con.execute(f"SELECT count(*), {checked} FROM {source}").fetchall()
    except duckdb.Error:
        # Which record it was DuckDB says, but not the number: the exact reading finds it.
        return None
    nul = " OR ".join(f"contains(c{place}, chr(0))" for place in places.values())
    values = ", ".join(f"c{place} AS {identifier(name)}" for name, place in places.items())
    return (
        f"SELECT row_number() OVER () AS _row, CASE WHEN {nul} THEN {literal(_NUL)} END "
        f"AS _broken, {values} FROM {source}"
    )


class _Reader:
    """Reads record after record, taking no more lines than a record has."""

    def __init__(self, file: LogFile, delimiter: str, width: int, places: Sequence[int]) -> None:
        """Start after the header, whose number of fields is ``width``."""
        self._delimiter = delimiter
        self._width = width
        self._places = places
        self._source = lines(file)
        next(self._source, None)  # the header
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
