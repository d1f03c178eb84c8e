"""Zeek logs as tab-separated text, with the header that says how they are written.

The form is that of Zeek's ASCII writer (Zeek docs, logging, 2023-05): lines that begin
with ``#`` are the header, which may come again when logs are joined; a byte that would
break the form is written ``\\xHH``. The lines with ``#`` are no records and not counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import duckdb

from foxhunt.logs import zeek, zeek_json
from foxhunt.logs.model import LogFile, RawPart
from foxhunt.logs.records import Records, raw_parts, stage, summarise
from foxhunt.logs.streams import MAX_LINE_BYTES, lines, scan_path
from foxhunt.sql import identifier, literal

_ESCAPE = re.compile(rb"\\x([0-9A-Fa-f]{2})")
_NO_HEADER = "a record before any #fields line"

# The bytes behind \xHH, as UTF-8; text that is none then stays as the log has it. encode() and the
# casts are DuckDB's own \xHH form of a BLOB, in which a lone backslash is \x5C.
_UNESCAPE = """
CREATE OR REPLACE TEMP MACRO foxhunt_zeek_text(v) AS CASE WHEN contains(v, '\\x') THEN
  coalesce(TRY(decode(TRY_CAST(replace(CAST(encode(v) AS VARCHAR), '\\x5Cx', '\\x') AS BLOB))), v)
  ELSE v END
"""


@dataclass(frozen=True, slots=True)
class Header:
    """How the lines below it are written.

    Attributes:
        separator: Between fields.
        set_separator: Between the items of a list.
        empty: What an empty list or text is written as.
        unset: What a field without a value is written as.
        path: Name of the log, or None.
        fields: Names of the fields in order, empty before the ``#fields`` line.
    """

    separator: str = "\t"
    set_separator: str = ","
    empty: str = "(empty)"
    unset: str = "-"
    path: str | None = None
    fields: tuple[str, ...] = ()

    def told(self, line: str) -> Header:
        """The header after one more line of it; a line that tells nothing changes nothing."""
        if line.startswith("#separator "):
            # It begins a header: what an earlier one said does not hold any more.
            return Header(separator=unescape(line.removeprefix("#separator ").strip()) or "\t")
        key, _, value = line.partition(self.separator)
        match key:
            case "#set_separator":
                return replace(self, set_separator=unescape(value) or ",")
            case "#empty_field":
                return replace(self, empty=unescape(value))
            case "#unset_field":
                return replace(self, unset=unescape(value))
            case "#path":
                return replace(self, path=value)
            case "#fields":
                return replace(self, fields=tuple(value.split(self.separator)))
        return self


def unescape(text: str) -> str:
    """Resolve Zeek's ``\\xHH``; where the bytes are no UTF-8, ``text`` is returned as it is."""
    if "\\x" not in text:
        return text
    raw = _ESCAPE.sub(lambda match: bytes([int(match.group(1), 16)]), text.encode())
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return text


def recognises(file: LogFile) -> bool:
    """See `Format.recognises`."""
    start = file.head.lstrip(b"\r\n")
    if start.startswith(b"#separator "):
        return True
    return (
        start.startswith(b"#") and re.search(rb"(?m)^#fields\t(?:[^\n]*\t)?ts\b", start) is not None
    )


def read(con: duckdb.DuckDBPyConnection, file: LogFile, table: str | None) -> Iterator[RawPart]:
    """See `Format.read`."""
    con.execute(_UNESCAPE)
    records = _in_place(con, file)
    if records is None:
        records = _staged(con, file)
    yield from raw_parts(records, zeek.MAPPINGS, file, table)


def _in_place(con: duckdb.DuckDBPyConnection, file: LogFile) -> Records | None:
    """The records as DuckDB reads them, or None when it cannot read this file exactly."""
    head = file.head.decode("utf-8", "replace")
    top = []
    for line in head.split("\n"):
        if not line.startswith("#"):
            break
        top.append(line)
    header = _header(top)
    if file.torn or not header.fields or len(header.separator) != 1:
        return None
    if any("\0" in unescape(line) for line in top):
        return None  # no SQL text can hold it
    try:
        told = con.execute(
            f"SELECT DISTINCT line FROM ({_lines_sql(file)}) WHERE starts_with(line, '#') "
            "AND NOT starts_with(line, '#open') AND NOT starts_with(line, '#close') LIMIT 1000"
        ).fetchall()
    except duckdb.Error:
        # Bytes that are no UTF-8, carriage returns, an endless line: see `_staged`.
        return None
    if not {line for (line,) in told} <= set(top):
        return None  # the header changes on the way
    return Records(
        select=_select(file, header),
        kinds=_kinds(header),
        fields=header.fields,
    )


def _header(told: Sequence[str]) -> Header:
    header = Header()
    for line in told:
        header = header.told(line)
    return header


def _kind(header: Header) -> str | None:
    return header.path or zeek.kind_of_fields(header.fields)


def _kinds(header: Header) -> tuple[str, ...]:
    kind = _kind(header)
    return () if kind is None else (kind,)


def _lines_sql(file: LogFile) -> str:
    """The lines of the file: a CSV of one column, whose delimiter is in no text.

    CSV readers' own comments are of no use: DuckDB's end a line at any ``#``, and URLs have them.
    """
    return (
        f"SELECT line FROM read_csv({literal(scan_path(file))}, columns = {{'line': 'VARCHAR'}}, "
        "delim = '\x01\x02\x03\x04', quote = '', escape = '', comment = '', new_line = '\\n', "
        f"header = false, auto_detect = false, compression = {literal(file.compression)}, "
        f"max_line_size = {MAX_LINE_BYTES}) WHERE line <> ''"
    )


def _select(file: LogFile, header: Header) -> str:
    count = len(header.fields)
    broken = (
        f"CASE WHEN len(f) <> {count} THEN "
        f"{literal(f'expected {count} fields, found ')} || len(f) END"
    )
    kind = _kind(header)
    kind_sql = "CAST(NULL AS VARCHAR)" if kind is None else literal(kind)
    values = [
        f"{_field_sql(name, header)} AS {identifier(name)}"
        for name in (*zeek.TEXT_FIELDS, *zeek.LIST_FIELDS)
    ]
    return (
        f"SELECT _row, {broken} AS _broken, {kind_sql} AS _kind, {', '.join(values)} FROM ("
        f"SELECT row_number() OVER () AS _row, "
        f"string_split(line, {literal(header.separator)}) AS f "
        f"FROM ({_lines_sql(file)}) WHERE NOT starts_with(line, '#'))"
    )


def _field_sql(name: str, header: Header) -> str:
    is_list = name in zeek.LIST_FIELDS
    if name not in header.fields:
        return f"CAST(NULL AS {'VARCHAR[]' if is_list else 'VARCHAR'})"
    field = f"f[{header.fields.index(name) + 1}]"
    if is_list:
        # Split first: an item's own separator is escaped.
        items = f"string_split({field}, {literal(header.set_separator)})"
        filled = f"[foxhunt_zeek_text(a) FOR a IN {items} IF a <> {literal(header.unset)}]"
        empty = "CAST([] AS VARCHAR[])"
    else:
        filled, empty = f"foxhunt_zeek_text({field})", "''"
    return (
        f"CASE {field} WHEN {literal(header.unset)} THEN NULL "
        f"WHEN {literal(header.empty)} THEN {empty} ELSE {filled} END"
    )


def _staged(con: duckdb.DuckDBPyConnection, file: LogFile) -> Records:
    """The records as Python reads them: the header may change, any byte may come."""
    fields = ("_path", *zeek.TEXT_FIELDS, *zeek.LIST_FIELDS)
    staged = stage(con, fields, _rows(file))
    kind = zeek.kind_sql(identifier("_path"))
    texts = ", ".join(identifier(name) for name in zeek.TEXT_FIELDS)
    lists = ", ".join(
        f"{zeek_json.list_sql(name)} AS {identifier(name)}" for name in zeek.LIST_FIELDS
    )
    select = f"SELECT _row, _broken, {kind} AS _kind, {texts}, {lists} FROM ({staged})"
    kinds = summarise(con, select)
    return Records(select=select, kinds=kinds)


def _rows(file: LogFile) -> Iterator[tuple[str | None, list[str | None]]]:
    header = Header()
    nothing: list[str | None] = [None] * (1 + len(zeek.TEXT_FIELDS) + len(zeek.LIST_FIELDS))
    for line in lines(file):
        if line.problem is not None:
            yield line.problem, nothing
            continue
        # One bad byte in a user agent must not hide the record's host.
        text = line.text.removesuffix(b"\r").decode("utf-8", "replace")
        if text.startswith("#"):
            header = header.told(text)
        elif text:
            values = text.split(header.separator)
            problem = _problem(values, header)
            yield problem, nothing if problem else _values(values, header)


def _problem(values: Sequence[str], header: Header) -> str | None:
    if not header.fields:
        return _NO_HEADER
    if len(values) != len(header.fields):
        return f"expected {len(header.fields)} fields, found {len(values)}"
    return None


def _values(values: Sequence[str], header: Header) -> list[str | None]:
    by_name = dict(zip(header.fields, values, strict=True))
    row: list[str | None] = [_kind(header)]
    for name in zeek.TEXT_FIELDS:
        value = by_name.get(name, header.unset)
        if value == header.unset:
            row.append(None)
        else:
            row.append("" if value == header.empty else unescape(value))
    for name in zeek.LIST_FIELDS:
        value = by_name.get(name, header.unset)
        row.append(None if value == header.unset else json.dumps(_items(value, header)))
    return row


def _items(value: str, header: Header) -> list[str]:
    if value == header.empty:
        return []
    items = value.split(header.set_separator)
    return [unescape(item) for item in items if item != header.unset]
