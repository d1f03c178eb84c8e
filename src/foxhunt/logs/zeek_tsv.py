"""Zeek logs as tab-separated text, with the header that says how they are written.

The form is that of Zeek's ASCII writer (Zeek docs, logging, 2023-05): lines that begin
with ``#`` are the header, which may come again when logs are joined; a byte that would
break the form is written ``\\xHH``. The lines with ``#`` are no records and not counted.
"""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import duckdb

from foxhunt.logs import zeek, zeek_json
from foxhunt.logs.layouts import Delimited
from foxhunt.logs.model import LogFile, LogLines, RawPart
from foxhunt.logs.records import (
    FIELD,
    KindMapping,
    Records,
    is_filled,
    narrowed,
    raw_parts,
    summarise,
)
from foxhunt.logs.records import stage as stage_records
from foxhunt.logs.staging import Stage
from foxhunt.logs.streams import MAX_LINE_BYTES, lines, plain_text, scan_path
from foxhunt.sql import identifier, literal

_ESCAPE = re.compile(rb"\\x([0-9A-Fa-f]{2})")
# What neither separates fields nor stands for no value.
_IN_NO_TEXT = "\x01\x02\x03\x04"
# DuckDB refuses a carriage return, but lets one pass that is all of a line's last field; a field
# that is `_IN_NO_TEXT` would be none.
_UNUSUAL = b"\0\1\r"
# Between the items of a list they separate addresses in a text, too.
_ANSWER_SEPARATORS = ",;| "
# What a line is: a record, the end that Zeek writes when it closes a log, or neither.
_RECORD, _CLOSE, _OTHER = 0, 1, 2
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
    start = file.head.removeprefix(BOM_UTF8).lstrip(b"\r\n")
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


def read_once(
    con: duckdb.DuckDBPyConnection, file: LogFile, table: str | None, stage: Stage
) -> tuple[RawPart, ...] | None:
    """See `OnePass.read_once`."""
    top = _top(file)
    header = _header(top)
    mappings = [one for one in zeek.MAPPINGS if one.kind == _kind(header)]
    if table is not None and [one.table for one in mappings] != [table]:
        return None
    is_regular = bool(mappings) and len(set(header.fields)) == len(header.fields)
    if not is_regular or not _is_for_duckdb(file, top, header):
        return None
    con.execute(_UNESCAPE)
    layout = _layout(header, len(top), mappings[0])
    with (
        stage.sifted(file, mappings[0].table, layout) as (some, clean),
        plain_text(some, without=_UNUSUAL) as is_plain,
    ):
        filled = mappings if clean else narrowed(mappings, stage.columns)[0]
        copy = _copied(some, header, len(top), filled[0], stage)
        trailer = _trailer(con, copy)
        if trailer is None or not is_plain():
            return None
    staged = f"SELECT * EXCLUDE (_line) FROM ({copy}) WHERE _line = {_RECORD}"

    def whole(some: LogFile) -> RawPart:
        records = Records(select=_select(some, header), kinds=_kinds(header), fields=header.fields)
        (part,) = raw_parts(records, mappings, file, table)
        return part

    lines_of = LogLines(len(top), lambda some: whole(some).select, trailer)
    return (
        replace(
            whole(file),
            staged=staged,
            lines=lines_of if file.compression == "none" else None,
            clean=clean,
        ),
    )


def _layout(header: Header, lines: int, mapping: KindMapping) -> Delimited | None:
    """How lines are cut where bytes tell it; None for separators that are not one byte."""
    if not all(len(sign.encode()) == 1 for sign in (header.separator, header.unset)):
        return None
    fields = {name: place for place, name in enumerate(header.fields)}
    columns = {name: sql for name, sql in mapping.columns.items() if is_filled(sql, header.fields)}
    told = {
        name: fields[field]
        for name, sql in columns.items()
        if (field := zeek.own_field(sql))
        and (field not in zeek.LIST_FIELDS or header.set_separator in _ANSWER_SEPARATORS)
    }
    made = {name for name, sql in columns.items() if name not in told and FIELD.search(sql)}
    return Delimited(
        header=lines,
        delimiter=header.separator.encode(),
        width=len(header.fields),
        told=told,
        untold=made,
        unset=header.unset.encode(),
        has_escapes=True,
        unusual=_UNUSUAL,
        closing=b"#close",
    )


def _top(file: LogFile) -> list[str]:
    """The lines of the header that the file begins with."""
    lines = file.head.removeprefix(BOM_UTF8).decode("utf-8", "replace").split("\n")
    return list(takewhile(lambda line: line.startswith("#"), lines))


def _is_for_duckdb(file: LogFile, top: Sequence[str], header: Header) -> bool:
    is_told = bool(header.fields) and len(header.separator) == 1
    # No SQL text can hold a NUL.
    return not file.torn and is_told and not any("\0" in unescape(line) for line in top)


def _copied(file: LogFile, header: Header, skipped: int, mapping: KindMapping, stage: Stage) -> str:
    """A SELECT of a copy of the file's lines as rows, with what each is as ``_line``."""
    first, last = "c0", f"c{len(header.fields) - 1}"
    line = (
        f"CASE WHEN starts_with({first}, '#') THEN "
        f"CASE WHEN {first} = '#close' AND {last} IS NULL THEN {_CLOSE} ELSE {_OTHER} END "
        f"WHEN {last} IS NULL OR {first} IS NULL THEN {_OTHER} ELSE {_RECORD} END"
    )
    columns = {name: sql for name, sql in mapping.columns.items() if is_filled(sql, header.fields)}
    fields = dict.fromkeys(name for sql in columns.values() for name in FIELD.findall(sql))
    texts = "".join(
        f", {_field_sql(name, header, _place(name, header))} AS {identifier(name)}"
        for name in fields
    )
    values = "".join(
        f", {FIELD.sub(lambda match: identifier(match.group(1)), sql)} AS {identifier(name)}"
        for name, sql in columns.items()
    )
    source = (
        f"SELECT _line{values} FROM (SELECT CAST({line} AS UTINYINT) AS _line{texts} "
        f"FROM {_csv(file, header, skipped)})"
    )
    return stage.copy_typed(source, mapping.table, tuple(columns), records=f"_line = {_RECORD}")


def _place(name: str, header: Header) -> str:
    return f"c{header.fields.index(name)}" if name in header.fields else "NULL"


def _csv(file: LogFile, header: Header, skipped: int) -> str:
    """The file's lines as rows, of which one with fewer fields lacks the last ones."""
    types = ", ".join(f"c{place}: 'VARCHAR'" for place in range(len(header.fields)))
    return (
        f"read_csv({literal(scan_path(file))}, columns = {{{types}}}, "
        f"delim = {literal(header.separator)}, quote = '', escape = '', comment = '', "
        f"new_line = '\\n', nullstr = {literal(_IN_NO_TEXT)}, skip = {skipped}, header = false, "
        "auto_detect = false, strict_mode = true, null_padding = true, "
        f"compression = {literal(file.compression)}, max_line_size = {MAX_LINE_BYTES})"
    )


def _trailer(con: duckdb.DuckDBPyConnection, copy: str) -> int | None:
    """How many lines end the file that are no records; None when others are none either."""
    counted = con.execute(
        f"SELECT count(*), count(*) FILTER (_line = {_CLOSE}), count(*) FILTER (_line = {_OTHER}), "
        f"coalesce(min(_row) FILTER (_line <> {_RECORD}), count(*) + 1) FROM ({copy})"
    ).fetchall()
    ((rows, closing, others, first_closing),) = counted
    is_regular = others == 0 and closing == rows - first_closing + 1
    return int(closing) if is_regular else None


def _in_place(con: duckdb.DuckDBPyConnection, file: LogFile) -> Records | None:
    """The records as DuckDB reads them, or None when it cannot read this file exactly."""
    top = _top(file)
    header = _header(top)
    if not _is_for_duckdb(file, top, header):
        return None
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
        f"delim = {literal(_IN_NO_TEXT)}, quote = '', escape = '', comment = '', new_line = '\\n', "
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
        f"{_field_sql(name, header, _item(name, header))} AS {identifier(name)}"
        for name in (*zeek.TEXT_FIELDS, *zeek.LIST_FIELDS)
    ]
    return (
        f"SELECT _row, {broken} AS _broken, {kind_sql} AS _kind, {', '.join(values)} FROM ("
        f"SELECT row_number() OVER () AS _row, "
        f"string_split(line, {literal(header.separator)}) AS f "
        f"FROM ({_lines_sql(file)}) WHERE NOT starts_with(line, '#'))"
    )


def _item(name: str, header: Header) -> str:
    return f"f[{header.fields.index(name) + 1}]" if name in header.fields else "NULL"


def _field_sql(name: str, header: Header, field: str) -> str:
    """SQL for the value of a field, whose text is ``field``."""
    is_list = name in zeek.LIST_FIELDS
    if name not in header.fields:
        return f"CAST(NULL AS {'VARCHAR[]' if is_list else 'VARCHAR'})"
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
    staged = stage_records(con, fields, _rows(file))
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
    for number, line in enumerate(lines(file)):
        if line.problem is not None:
            yield line.problem, nothing
            continue
        # One bad byte in a user agent must not hide the record's host.
        written = line.text.removeprefix(BOM_UTF8) if number == 0 else line.text
        text = written.removesuffix(b"\r").decode("utf-8", "replace")
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
