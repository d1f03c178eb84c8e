"""JSON records of a sensor: one a line, or one array; numbered exactly, broken ones counted.

DuckDB reads a well-formed file in place. It gives a broken line as a row without values,
in its place, and skips blank lines (tried with DuckDB 2.0.0), so the numbers hold. What
stops DuckDB altogether (a torn archive, nesting beyond its 128 levels, a line longer
than its buffer, an array that breaks off) is read in Python and staged.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import duckdb

from foxhunt.logs.model import LogFile
from foxhunt.logs.records import Records, stage, summarise
from foxhunt.logs.streams import (
    MAX_LINE_BYTES,
    TOO_LONG,
    TORN,
    chunks,
    lines,
    plain_text,
    scan_path,
)
from foxhunt.sql import identifier, literal

NOT_A_RECORD = "not a JSON object with a field of this format"
_BAD_UNICODE = "text that is not valid Unicode"
# DuckDB refuses JSON nested deeper than 128 and then fails the whole query, not the record.
_MAX_DEPTH = 100
_TOO_DEEP = f"nested deeper than {_MAX_DEPTH} levels"
_BOM = codecs.BOM_UTF8

# One record: why it is broken, or None, and its values as text.
_Record = tuple[str | None, Sequence[str | None]]
# The members to read, and how each becomes text.
_Members = Mapping[str, Callable[[object], str | None]]


def sample(head: bytes, limit: int = 20) -> list[dict[str, Any]]:
    """The JSON objects that ``head`` starts with, at most ``limit``; what breaks off is left out.

    Values are whatever JSON holds. Takes any bytes.
    """
    text = head.removeprefix(_BOM).decode("utf-8", "replace").lstrip()
    found = _array_items(text[1:], limit) if text.startswith("[") else _line_items(text, limit)
    return [item for item in found if isinstance(item, dict)]


def _line_items(text: str, limit: int) -> list[object]:
    items: list[object] = []
    for line in text.split("\n", limit)[:limit]:
        try:
            items.append(json.loads(line))
        except (ValueError, RecursionError):
            continue
    return items


def _array_items(text: str, limit: int) -> list[object]:
    items: list[object] = []
    at = 0
    decoder = json.JSONDecoder()
    while len(items) < limit:
        at = _skip(text, at)
        try:
            item, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        items.append(item)
    return items


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n,":
        at += 1
    return at


def read_records(
    con: duckdb.DuckDBPyConnection,
    file: LogFile,
    fields: Sequence[str],
    shape: str,
    nested: Sequence[str] = (),
) -> Records:
    """Read the records of ``file``.

    Args:
        con: Where staged records go.
        file: NDJSON, or one JSON array.
        fields: Top-level members wanted as text; an object or array as its JSON text.
        shape: A SELECT list over both that gives ``_kind`` and what mappings use.
        nested: Members whose value is wanted as valid JSON, whatever it is.

    Raises:
        LogError: The file cannot be opened.
    """
    if not file.torn and not file.head.startswith(_BOM):
        select = f"SELECT _row, _broken, {shape} FROM ({in_place(file, fields, nested)})"
        try:
            return Records(select=select, kinds=summarise(con, select))
        except duckdb.Error:
            # Which record it was DuckDB does not say reliably; the exact reading below finds it.
            pass
    members: _Members = dict.fromkeys(fields, _text) | dict.fromkeys(nested, _json)
    staged = stage(con, tuple(members), _staged_rows(file, members))
    select = f"SELECT _row, _broken, {shape} FROM ({staged})"
    return Records(select=select, kinds=summarise(con, select))


def is_array(file: LogFile) -> bool:
    """Whether the file is one JSON array."""
    return file.head.removeprefix(_BOM).lstrip().startswith(b"[")


def copy_records(
    con: duckdb.DuckDBPyConnection,
    file: LogFile,
    wanted: Sequence[str],
    fields: Sequence[str],
    copied: Callable[[str], str],
) -> str | None:
    """Copy the records of ``file`` with the members ``wanted``, or all, where that tells more.

    Args:
        con: Where ``copied`` copies to.
        file: NDJSON, or one JSON array.
        wanted: Members to copy.
        fields: All members that `read_records` would be asked for: a record without any of
            those that were copied may have another.
        copied: Copies what a SELECT over the file gives, its members and ``_broken`` (as in
            `RawPart`), with a `Stage`.

    Returns:
        A SELECT of what was copied; None when the file is to be read by `read_records`.

    Raises:
        duckdb.Error: So it is, since some record stops DuckDB.
        LogError: The file cannot be read.
    """
    if file.torn or file.head.startswith(_BOM):
        return None
    with plain_text(file) as is_plain:
        copy = copied(_records_sql(file, wanted))
        if con.execute(f"SELECT 1 FROM ({copy}) WHERE _broken IS NOT NULL LIMIT 1").fetchall():
            copy = copied(_records_sql(file, fields))
        return copy if is_plain() else None


def _records_sql(file: LogFile, names: Sequence[str]) -> str:
    members = dict.fromkeys(names, "VARCHAR")
    return f"SELECT *, {_broken(names)} FROM ({_source(file, members)})"


def in_place(file: LogFile, fields: Sequence[str], nested: Sequence[str] = ()) -> str:
    """A SELECT over a file that DuckDB reads well; see `read_records`."""
    types = dict.fromkeys(fields, "VARCHAR") | dict.fromkeys(nested, "JSON")
    names = ", ".join(map(identifier, types))
    return (
        f"SELECT row_number() OVER () AS _row, {_broken(types)}, {names} "
        f"FROM ({_source(file, types)})"
    )


def _broken(names: Collection[str]) -> str:
    return f"CASE WHEN {_is_empty(names)} THEN {literal(NOT_A_RECORD)} END AS _broken"


def _is_empty(names: Collection[str]) -> str:
    texts = ", ".join(f"CAST({identifier(name)} AS VARCHAR)" for name in names)
    return f"coalesce({texts}) IS NULL"


def _source(file: LogFile, types: Mapping[str, str]) -> str:
    """A SELECT of members over the file, in its order; a broken line has none."""
    columns = ", ".join(f"{literal(name)}: '{type_}'" for name, type_ in types.items())
    form = "'array'" if is_array(file) else "'newline_delimited', ignore_errors = true"
    return (
        f"SELECT {', '.join(map(identifier, types))} FROM read_json({literal(scan_path(file))}, "
        f"columns = {{{columns}}}, format = {form}, compression = {literal(file.compression)}, "
        f"maximum_object_size = {MAX_LINE_BYTES})"
    )


def _staged_rows(file: LogFile, members: _Members) -> Iterator[_Record]:
    if is_array(file):
        yield from _array_rows(file, members)
        return
    nothing = [None] * len(members)
    for number, line in enumerate(lines(file)):
        text = line.text.removeprefix(_BOM) if number == 0 else line.text
        if line.problem is not None:
            yield line.problem, nothing
        elif text.strip():
            yield _row(text, members)


def _row(text: bytes, members: _Members) -> _Record:
    nothing = [None] * len(members)
    try:
        decoded = text.decode("utf-8")
        # Numbers stay as they are written: a time must not lose digits.
        value = json.loads(decoded, parse_float=str, parse_int=str)
    except UnicodeDecodeError:
        return _BAD_UNICODE, nothing
    except ValueError:
        return "not valid JSON", nothing
    except RecursionError:
        return _TOO_DEEP, nothing
    return _values(value, decoded, members)


def _values(value: object, text: str, members: _Members) -> _Record:
    nothing = [None] * len(members)
    if text.count("{") + text.count("[") > _MAX_DEPTH and _is_deeper(value, _MAX_DEPTH):
        return _TOO_DEEP, nothing
    if not isinstance(value, dict):
        return NOT_A_RECORD, nothing
    values = [text_of(value.get(name)) for name, text_of in members.items()]
    if all(one is None for one in values):
        return NOT_A_RECORD, nothing
    try:
        "".join(one for one in values if one is not None).encode()
    except UnicodeEncodeError:  # half a surrogate pair, which no text column can hold
        return _BAD_UNICODE, nothing
    return None, values


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)


def _json(value: object) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def _is_deeper(value: object, limit: int) -> bool:
    level: list[object] = [value]
    for _ in range(limit):
        inner: list[object] = []
        for one in level:
            if isinstance(one, dict):
                inner.extend(one.values())
            elif isinstance(one, list):
                inner.extend(one)
        if not inner:
            return False
        level = inner
    return True


def _array_rows(file: LogFile, members: _Members) -> Iterator[_Record]:
    """The items of one array; where it breaks off, one broken record stands for the rest."""
    nothing = [None] * len(members)
    decoder = json.JSONDecoder(parse_float=str, parse_int=str)
    source = _decoded(file)
    text, at = next(source, ("", None))[0].lstrip("\ufeff \t\r\n")[1:], 0
    problem: str | None = None
    while True:
        at = _skip(text, at)
        if text[at : at + 1] == "]":
            # Two arrays in one file are what appending an export to another makes.
            (text, problem), at = _after(source, text[at + 1 :]), 1
            if text.startswith("["):
                continue
            if text or problem:
                yield problem or "text after the end of the array: not read", nothing
            return
        try:
            item, end = decoder.raw_decode(text, at)
        except RecursionError:
            yield _TOO_DEEP, nothing
            return
        except ValueError:
            text, at = text[at:], 0
            more, found = _more(source, len(text))
            problem = problem or found
            if not more:
                yield problem or "the array breaks off here: not valid JSON", nothing
                return
            text += more
            continue
        yield _values(item, text[at:end], members)
        at = end


def _after(source: Iterator[tuple[str, str | None]], text: str) -> tuple[str, str | None]:
    """``text`` and what follows it from the first character that is no blank, and a problem."""
    text = text.lstrip()
    while not text:
        piece, problem = next(source, (None, None))
        if piece is None or problem is not None:
            return "", problem
        text = piece.lstrip()
    return text, None


def _more(source: Iterator[tuple[str, str | None]], held: int) -> tuple[str, str | None]:
    """As much text again as is held, so that a long item is not tried once a chunk."""
    if held > MAX_LINE_BYTES:
        return "", TOO_LONG.replace("line", "item")
    pieces: list[str] = []
    size = 0
    for piece, problem in source:
        if problem is not None:
            return "".join(pieces), problem
        pieces.append(piece)
        size += len(piece)
        if size >= held:
            break
    return "".join(pieces), None


def _decoded(file: LogFile) -> Iterator[tuple[str, str | None]]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for chunk in chunks(file):
        if chunk is None:
            yield "", TORN
            return
        yield decoder.decode(chunk), None
