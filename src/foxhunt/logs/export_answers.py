"""The wrapped shapes of `foxhunt.logs.export_json`: objects that hold all records of an answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

import duckdb

from foxhunt.errors import LogError, SourceSpan
from foxhunt.logs.export_tables import (
    PREFIX,
    TYPE,
    is_streaming,
    named_parts,
    other_tables,
    streamed_parts,
    table_members,
    told_table,
)
from foxhunt.logs.model import LogFile, RawPart
from foxhunt.logs.recognise import canonical_columns, table_of
from foxhunt.logs.records import stage
from foxhunt.logs.streams import chunks
from foxhunt.tables import catalog

# What such an object begins with (Microsoft's API references, as of 2026-07).
WRAPPED = re.compile(
    rb'^(\xef\xbb\xbf)?\s*\{\s*"'
    rb'((tables|records|[Rr]esults|[Ss]chema)"\s*:\s*\[|Stats"\s*:\s*\{|@odata\.context"\s*:)'
)
_ROWS = ("records", "results", "Results")
_BLANK = re.compile(r"\s*")
# A wrapped answer is one JSON value; the Log Analytics API stops at about 100 MB (2026).
_MAX_WRAPPED_BYTES = 512 * 1024**2
_NOT_A_ROW = "not a row of values"

_Record = tuple[str | None, Sequence[str | None]]


def read_answers(
    con: duckdb.DuckDBPyConnection, file: LogFile, table: str | None
) -> Iterator[RawPart]:
    values = _whole(file)
    tables = [one for value in values for one in _members_of(value, ("tables",))]
    rows = [row for value in values for row in _members_of(value, _ROWS)]
    objects = [one for one in rows if isinstance(one, dict)]
    incomplete = _incomplete(values, file)
    if tables:
        yield from _answer_parts(con, file, table, tables)
    elif not objects:
        raise incomplete or LogError("it holds no records", at=SourceSpan(file.name))
    elif is_streaming(objects):
        yield from _wrapped_stream(con, file, table, rows)
    else:
        yield from _wrapped_flat(con, file, table, rows, objects)
    if incomplete is not None:
        raise incomplete


def _incomplete(values: Sequence[Mapping[str, object]], file: LogFile) -> LogError | None:
    """What the service says that it left out: code PartialError, beside the rows it gave."""
    # Azure Monitor, "Log Analytics API response format", as of 2026-07.
    error = next((value["error"] for value in values if value.get("error")), None)
    if error is None:
        return None
    text = error.get("message") if isinstance(error, dict) else error
    return LogError(
        f"the answer is not complete: {str(text)[:200]}",
        at=SourceSpan(file.name),
        hint="ask for less at a time",
    )


def _members_of(value: Mapping[str, object], names: Sequence[str]) -> list[object]:
    lists = (value.get(name) for name in names)
    return next((one for one in lists if isinstance(one, list)), [])


def _whole(file: LogFile) -> list[dict[str, object]]:
    """The objects that the file is.

    Raises:
        LogError: It is torn, too long, or holds something else.
    """
    at = SourceSpan(file.name)
    data = bytearray()
    for chunk in chunks(file):
        if chunk is None:
            raise LogError("the compressed file is torn, and its JSON cut off", at=at)
        data += chunk
        if len(data) > _MAX_WRAPPED_BYTES:
            raise LogError(
                f"one JSON value of more than {_MAX_WRAPPED_BYTES // 1024**2} MiB",
                at=at,
                hint="save the records one a line",
            )
    decoder = json.JSONDecoder(parse_float=str, parse_int=str)
    values: list[dict[str, object]] = []
    try:
        text = data.decode("utf-8-sig")
        place = _after_blanks(text, 0)
        while place < len(text):
            value, end = decoder.raw_decode(text, place)
            if not isinstance(value, dict) or not {"tables", *_ROWS} & value.keys():
                what = f"its JSON value {len(values) + 1} has no tables, records or results"
                raise LogError(what, at=at)
            values.append(value)
            place = _after_blanks(text, end)
    except (ValueError, RecursionError) as error:
        raise LogError(f"not JSON: {str(error)[:200]}", at=at) from None
    return values


def _after_blanks(text: str, place: int) -> int:
    blank = _BLANK.match(text, place)
    return blank.end() if blank else place


def _answer_parts(
    con: duckdb.DuckDBPyConnection, file: LogFile, table: str | None, answers: Sequence[object]
) -> Iterator[RawPart]:
    """The tables of a Log Analytics answer; one that is unknown does not hide the others."""
    problem: LogError | None = None
    for answer in answers:
        try:
            part = _answer_part(con, file, table, answer)
        except LogError as error:
            problem = problem or error
        else:
            yield part
    if problem is not None:
        raise problem


def _answer_part(
    con: duckdb.DuckDBPyConnection, file: LogFile, forced: str | None, answer: object
) -> RawPart:
    """One table of a Log Analytics answer: columns by position."""
    at = SourceSpan(file.name)
    columns = answer.get("columns") if isinstance(answer, dict) else None
    rows = answer.get("rows") if isinstance(answer, dict) else None
    if not isinstance(columns, list) or not isinstance(rows, list):
        raise LogError("a Log Analytics answer without columns and rows", at=at)
    names = [str(one.get("name")) if isinstance(one, dict) else str(one) for one in columns]
    told = answer.get("name") if isinstance(answer, dict) else None
    if forced is None and isinstance(told, str) and told in catalog():
        forced = told
    if forced is None and (place := _place(names, TYPE)) is not None and rows:
        first = rows[0][place] if isinstance(rows[0], list) and len(rows[0]) > place else None
        forced = first if isinstance(first, str) and first in catalog() else None
    wanted = table_of(names, file.name, forced)
    found = canonical_columns(wanted, names)
    places = [names.index(own) for own in found.values()]

    def records() -> Iterator[_Record]:
        for row in rows:
            if isinstance(row, list) and len(row) == len(names):
                yield None, [_text(row[place]) for place in places]
            else:
                yield _NOT_A_ROW, [None] * len(places)

    return RawPart(
        table=wanted.name, select=stage(con, tuple(found), records()), columns=tuple(found)
    )


def _place(names: Sequence[str], name: str) -> int | None:
    return names.index(name) if name in names else None


def _wrapped_stream(
    con: duckdb.DuckDBPyConnection, file: LogFile, table: str | None, rows: Sequence[object]
) -> Iterator[RawPart]:
    kinds: set[str] = set()

    def records() -> Iterator[_Record]:
        for row in rows:
            if isinstance(row, dict) and isinstance(row.get("category"), str):
                kind = row["category"].removeprefix(PREFIX)
                kinds.add(kind)
                yield None, [kind, _text(row.get("properties"))]
            else:
                yield "not an object with a category", [None, None]

    staged = stage(con, ("_kind", "properties"), records())
    yield from streamed_parts(staged, kinds, file, table)


def _wrapped_flat(
    con: duckdb.DuckDBPyConnection,
    file: LogFile,
    table: str | None,
    rows: Sequence[object],
    objects: Sequence[Mapping[str, object]],
) -> Iterator[RawPart]:
    names = list(dict.fromkeys(name for one in objects for name in one))
    told = told_table(objects) if table is None else None
    tables = [told or table_of(names, file.name, table)]
    if told:
        kinds = dict.fromkeys(str(one.get(TYPE)) for one in objects)
        tables += other_tables(told, kinds)
    members = table_members(tables, names)

    def records() -> Iterator[_Record]:
        for row in rows:
            if isinstance(row, dict):
                values = [_text(row.get(own)) for own in members]
                yield None, [values[0] or "", *values]
            else:
                yield "not a JSON object", [None] * (len(members) + 1)

    staged = stage(con, ("_kind", *members), records())
    yield from named_parts(staged, tables, names, is_told=told is not None)


def _text(value: object) -> str | None:
    """A member as text: what has parts as JSON."""
    if value is None or isinstance(value, str):
        # A lone surrogate, which JSON can spell, is no text that a column can hold.
        return value.encode("utf-8", "replace").decode() if value else value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value)
