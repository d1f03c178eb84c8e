"""JSON with a table's columns, in the shapes that the products write.

| shape | whose |
|---|---|
| NDJSON or an array of objects, columns as members | Sentinel's exports, the Logs page, people |
| objects with ``category`` and ``properties`` | Defender XDR's streaming API, several tables |
| ``{"records": [...]}`` | Azure's event hubs, diagnostic settings; either of the above inside |
| ``{"tables": [{"columns": [...], "rows": [...]}]}`` | the Log Analytics query API |
| ``{"schema": [...], "results": [...]}`` | Defender's hunting APIs, the old and Graph's |

Of the last three a file may hold several, one after the other, as who reads a hub or asks
page after page writes them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import duckdb

from foxhunt.errors import LogError, SourceSpan
from foxhunt.logs.json_records import read_records, sample
from foxhunt.logs.model import LogFile, RawPart
from foxhunt.logs.recognise import canonical_columns, table_of
from foxhunt.logs.records import Records, stage
from foxhunt.logs.streams import MAX_LINE_BYTES, chunks
from foxhunt.sql import identifier, literal
from foxhunt.tables import Fact, Table, catalog, get_table

# What such an object begins with (Microsoft's API references, as of 2026-07).
_WRAPPED = re.compile(
    rb'^(\xef\xbb\xbf)?\s*\{\s*"'
    rb'((tables|records|[Rr]esults|[Ss]chema)"\s*:\s*\[|Stats"\s*:\s*\{|@odata\.context"\s*:)'
)
_ROWS = ("records", "results", "Results")
_BLANK = re.compile(r"\s*")
_OBJECT = re.compile(rb'^(\xef\xbb\xbf)?\s*(\[\s*)?\{\s*"')
_PREFIX = "AdvancedHunting-"
# A wrapped answer is one JSON value; the Log Analytics API stops at about 100 MB (2026).
_MAX_WRAPPED_BYTES = 512 * 1024**2
_NOT_A_ROW = "not a row of values"
# The column in which records name their table (Azure Monitor, standard columns, as of 2026-07).
_TYPE = "Type"

_Record = tuple[str | None, Sequence[str | None]]


def recognises(file: LogFile) -> bool:
    """See `Format.recognises`."""
    return _OBJECT.match(file.head) is not None


def read(con: duckdb.DuckDBPyConnection, file: LogFile, table: str | None) -> Iterator[RawPart]:
    """See `Format.read`."""
    if _WRAPPED.match(file.head):
        yield from _read_wrapped(con, file, table)
        return
    objects = _first_objects(file)
    if not objects:
        raise LogError(
            "JSON, but neither one object a line nor an array of objects",
            at=SourceSpan(file.name),
            hint="`jq -c .` writes one object a line",
        )
    if _is_streaming(objects):
        yield from _streamed(con, file, table)
    else:
        yield from _flat(con, file, table, objects)


def _first_objects(file: LogFile) -> list[dict[str, Any]]:
    """The first records; their values are whatever JSON holds."""
    objects = sample(file.head)
    if objects:
        return objects
    # The first record is longer than the head: a script's text, a mail's headers.
    start = bytearray()
    for chunk in chunks(file):
        if chunk is None or len(start) > MAX_LINE_BYTES:
            break
        start += chunk
    return sample(bytes(start))


def _is_streaming(objects: Sequence[Mapping[str, object]]) -> bool:
    # One is enough: a strange record among the first must not hide the rest.
    return any(
        isinstance(one.get("category"), str) and isinstance(one.get("properties"), dict)
        for one in objects
    )


def _flat(
    con: duckdb.DuckDBPyConnection,
    file: LogFile,
    table: str | None,
    objects: Sequence[Mapping[str, object]],
) -> Iterator[RawPart]:
    names = list(dict.fromkeys(name for one in objects for name in one))
    told = _told_table(objects) if table is None else None
    wanted = told or table_of(names, file.name, table)
    tables = [wanted]
    records = _named_records(con, file, tables, names)
    if told:
        tables += _others(told, records.kinds)
        if len(tables) > 1:
            # Which others there are only the whole file tells: now with their columns.
            records = _named_records(con, file, tables, names)
    yield from _named_parts(records.select, tables, names, is_told=told is not None)


def _named_records(
    con: duckdb.DuckDBPyConnection, file: LogFile, tables: Sequence[Table], names: Sequence[str]
) -> Records:
    """Records with what they call their table as ``_kind``, and the members of ``tables``."""
    fields = _members(tables, names)
    members = ", ".join(map(identifier, fields))
    return read_records(con, file, fields, f"coalesce({identifier(_TYPE)}, '') AS _kind, {members}")


def _named_parts(
    select: str, tables: Sequence[Table], names: Sequence[str], *, is_told: bool
) -> Iterator[RawPart]:
    """A part a table: what names the table, and with the first what names none or is broken."""
    for position, table in enumerate(tables):
        columns = _columns(table, names)
        values = ", ".join(f"{identifier(own)} AS {identifier(n)}" for n, own in columns.items())
        condition = f"_kind = {literal(table.name)}"
        if position == 0:
            condition += " OR _kind = '' OR _broken IS NOT NULL"
        where = f" WHERE {condition}" if is_told else ""
        yield RawPart(
            table=table.name,
            select=f"SELECT _row, _broken, {values} FROM ({select}){where}",
            columns=tuple(columns),
        )


def _columns(table: Table, names: Sequence[str]) -> dict[str, str]:
    """Column to member; those that are hunted also if the first records lack them."""
    return {name: name for name in _hunted(table)} | dict(canonical_columns(table, names))


def _members(tables: Sequence[Table], names: Sequence[str]) -> tuple[str, ...]:
    """The members that the columns of ``tables`` need, and the one that names the table."""
    needed = [own for table in tables for own in _columns(table, names).values()]
    # SQL tells no "type" from "Type".
    return tuple(dict.fromkeys([_TYPE, *(n for n in needed if n.casefold() != _TYPE.casefold())]))


def _told_table(objects: Sequence[Mapping[str, object]]) -> Table | None:
    """The first table of the catalog that a record names itself."""
    told = (one.get(_TYPE) for one in objects)
    return next((get_table(one) for one in told if isinstance(one, str) and one in catalog()), None)


def _others(table: Table, names: Iterable[str]) -> list[Table]:
    return [get_table(name) for name in names if name in catalog() and name != table.name]


def _hunted(table: Table) -> list[str]:
    """Columns that matching, judging and excluding read, even if the first records lack them."""
    # Not those that only sensors tell: no product exports them.
    names: dict[str | None, None] = dict.fromkeys([table.time, table.other_time, *table.process])
    for one in table.observables:
        names |= dict.fromkeys([one.column, one.port, *one.host, *one.user])
        for fact in Fact:
            names |= dict.fromkeys(table.fact_columns(fact, one))
    if table.direction:
        names |= dict.fromkeys([table.direction.column, *(table.direction.sides or ())])
    if table.action:
        names |= dict.fromkeys([table.action.column, table.action.allowed_if])
    return [name for name in names if name in table.columns]


def _streamed(
    con: duckdb.DuckDBPyConnection, file: LogFile, table: str | None
) -> Iterator[RawPart]:
    shape = f"replace(category, {literal(_PREFIX)}, '') AS _kind, properties"
    records = read_records(con, file, ("category",), shape, nested=("properties",))
    yield from _streamed_parts(records.select, records.kinds, file, table)


def _streamed_parts(
    select: str, kinds: Iterable[str], file: LogFile, table: str | None
) -> Iterator[RawPart]:
    present = [name for name in catalog() if name in set(kinds) and table in (None, name)]
    if not present:
        other = ", ".join(sorted(kinds)[:8]) or "none"
        raise LogError(
            f"a Defender stream without a record of {table or 'a known table'}",
            at=SourceSpan(file.name),
            hint=f"its categories: {other}",
        )
    for position, name in enumerate(present):
        columns = tuple(get_table(name).columns)
        values = ", ".join(
            f"json_extract_string(properties, {literal('$.' + json.dumps(column))}) "
            f"AS {identifier(column)}"
            for column in columns
        )
        broken = " OR _broken IS NOT NULL" if position == 0 else ""
        yield RawPart(
            table=name,
            select=f"SELECT _row, _broken, {values} FROM ({select}) "
            f"WHERE _kind = {literal(name)}{broken}",
            columns=columns,
        )


def _read_wrapped(
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
    elif _is_streaming(objects):
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
    if forced is None and (place := _place(names, _TYPE)) is not None and rows:
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
                kind = row["category"].removeprefix(_PREFIX)
                kinds.add(kind)
                yield None, [kind, _text(row.get("properties"))]
            else:
                yield "not an object with a category", [None, None]

    staged = stage(con, ("_kind", "properties"), records())
    yield from _streamed_parts(staged, kinds, file, table)


def _wrapped_flat(
    con: duckdb.DuckDBPyConnection,
    file: LogFile,
    table: str | None,
    rows: Sequence[object],
    objects: Sequence[Mapping[str, object]],
) -> Iterator[RawPart]:
    names = list(dict.fromkeys(name for one in objects for name in one))
    told = _told_table(objects) if table is None else None
    tables = [told or table_of(names, file.name, table)]
    if told:
        kinds = dict.fromkeys(str(one.get(_TYPE)) for one in objects)
        tables += _others(told, kinds)
    members = _members(tables, names)

    def records() -> Iterator[_Record]:
        for row in rows:
            if isinstance(row, dict):
                values = [_text(row.get(own)) for own in members]
                yield None, [values[0] or "", *values]
            else:
                yield "not a JSON object", [None] * (len(members) + 1)

    staged = stage(con, ("_kind", *members), records())
    yield from _named_parts(staged, tables, names, is_told=told is not None)


def _text(value: object) -> str | None:
    """A member as text: what has parts as JSON."""
    if value is None or isinstance(value, str):
        # A lone surrogate, which JSON can spell, is no text that a column can hold.
        return value.encode("utf-8", "replace").decode() if value else value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value)
