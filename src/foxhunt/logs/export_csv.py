"""CSV as the portals of Sentinel and Defender export it, and as people make it of a table.

DuckDB reads a well-formed file in place. One that is not (a stray quote, a missing field,
bytes that are no text, a torn archive) is read in Python and staged, so that a broken
record takes no other with it and every record keeps its number.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator

import duckdb

from foxhunt.errors import LogError, SourceSpan
from foxhunt.logs.model import LogFile, RawPart
from foxhunt.logs.recognise import canonical_columns, table_of
from foxhunt.logs.records import stage
from foxhunt.logs.streams import MAX_LINE_BYTES, lines, scan_path
from foxhunt.sql import identifier, literal

_DELIMITERS = (",", "\t", ";", "|")
_BOM = b"\xef\xbb\xbf"
# A record of more lines has an open quote, and would swallow the rest of the file.
_MAX_LINES = 1_000
_BAD_UNICODE = "text that is not valid UTF-8"

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
    columns = canonical_columns(wanted, header)
    # By position: two columns of one name are told apart so.
    places = {name: header.index(own) for name, own in columns.items()}
    source = _in_place(con, file, delimiter, len(header))
    if source is None:
        staged = stage(con, _names(len(header)), _records(file, delimiter, len(header)))
        source = f"({staged})"
    values = [f"{identifier(f'c{place}')} AS {identifier(name)}" for name, place in places.items()]
    yield RawPart(
        table=wanted.name,
        select=f"SELECT _row, _broken, {', '.join(values)} FROM {source}",
        columns=tuple(columns),
    )


def _names(count: int) -> list[str]:
    return [f"c{place}" for place in range(count)]


def _header(file: LogFile) -> tuple[str, list[str]] | None:
    """Delimiter and column names, or None when the first line is no header."""
    start, line_feed, _ = file.head.removeprefix(_BOM).partition(b"\n")
    try:
        line = start.decode("utf-8").rstrip("\r")
    except UnicodeDecodeError:
        return None
    if not line_feed or not line.strip() or not line.replace("\t", "").isprintable():
        return None
    for delimiter in _DELIMITERS:
        try:
            names = next(csv.reader([line], delimiter=delimiter, strict=True), [])
        except csv.Error:
            continue
        if len(names) > 1:
            return delimiter, names
    return None


def _in_place(
    con: duckdb.DuckDBPyConnection, file: LogFile, delimiter: str, width: int
) -> str | None:
    """A relation over the file as DuckDB reads it, or None when it cannot read all of it."""
    if file.torn:
        return None
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in _names(width))
    source = (
        f"(SELECT row_number() OVER () AS _row, CAST(NULL AS VARCHAR) AS _broken, * "
        f"FROM read_csv({literal(scan_path(file))}, columns = {{{columns}}}, header = false, "
        f"skip = 1, auto_detect = false, delim = {literal(delimiter)}, quote = '\"', "
        f"escape = '\"', strict_mode = true, null_padding = false, "
        f"max_line_size = {MAX_LINE_BYTES}, compression = {literal(file.compression)}))"
    )
    try:
        con.execute(f"SELECT count(*), count(c0) FROM {source}").fetchall()
    except duckdb.Error:
        # Which record it was DuckDB says, but not the number: the exact reading finds it.
        return None
    return source


def _records(file: LogFile, delimiter: str, width: int) -> Iterator[_Record]:
    """Every record after the header, broken ones with the reason."""
    held: list[str] = []
    source = _texts(file)
    next(source, None)  # the header
    waiting: list[tuple[str, str | None]] = []
    while True:
        text, problem = waiting.pop(0) if waiting else next(source, (None, None))
        if text is None:
            break
        if problem is not None:
            yield from (_alone(line, delimiter, width) for line in held)
            held = []
            yield problem, [None] * width
            continue
        if not held and not text.strip():
            continue
        held.append(text)
        whole = "\n".join(held)
        if whole.count('"') % 2 and len(held) < _MAX_LINES and len(whole) < MAX_LINE_BYTES:
            continue
        record = _alone(whole, delimiter, width)
        if record[0] is None or len(held) == 1:
            yield record
        else:
            # A stray quote joined lines that do not belong together: the first is the broken one.
            yield _alone(held[0], delimiter, width)
            waiting[:0] = [(line, None) for line in held[1:]]
        held = []
    if held:
        yield _alone(held[0], delimiter, width)
        yield from (_alone(line, delimiter, width) for line in held[1:])


def _texts(file: LogFile) -> Iterator[tuple[str, str | None]]:
    for number, line in enumerate(lines(file)):
        data = line.text.removeprefix(_BOM) if number == 0 else line.text
        try:
            yield data.removesuffix(b"\r").decode("utf-8"), line.problem
        except UnicodeDecodeError:
            yield "", line.problem or _BAD_UNICODE


def _alone(text: str, delimiter: str, width: int) -> _Record:
    nothing: list[str | None] = [None] * width
    try:
        fields = next(csv.reader(text.split("\n"), delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        return f"not CSV: {error}", nothing
    if len(fields) != width:
        return f"{len(fields)} fields, the header has {width}", nothing
    if "\0" in text:
        return "a NUL in the text", nothing
    # As DuckDB reads it: an unquoted empty field is no value.
    return None, [field or None for field in fields]
