"""The rows that ``foxhunt query`` gives, as a table for a terminal, JSON, NDJSON or CSV.

Values are exact, since a query's result goes on into other tools; what a terminal or a
spreadsheet would obey is made harmless in the two formats that they read. A time is ISO 8601 in
UTC with ``Z``; one without a zone is UTC already, as DuckDB keeps every time of a log.
"""

from __future__ import annotations

import base64
import csv
import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import TextIO

from rich.cells import cell_len

from foxhunt.reports.text import clipped, guarded, iso, plural, visible

Row = Sequence[object]

TABLE_ROWS = 1_000
_CELL_LIMIT = 300
_GAP = "  "


def row_format_names() -> tuple[str, ...]:
    """Names `write_rows` accepts, sorted."""
    return tuple(sorted(_FORMATS))


def write_rows(
    format_name: str,
    columns: Sequence[str],
    rows: Sequence[Row],
    stream: TextIO,
    *,
    width: int = 100,
) -> None:
    """Write a result to ``stream``, which must not translate line breaks for ``csv``.

    JSON is one array of objects, NDJSON one object a line, both ASCII; CSV is RFC 4180 with a
    header. The table shows at most `TABLE_ROWS` rows, and ends with how many there are. Two
    columns of one name are told apart by a number.

    Args:
        format_name: One of `row_format_names`.
        columns: Names.
        rows: As DuckDB gives them, each as long as ``columns``.
        stream: Where to.
        width: Columns of the terminal. A table that is wider is shown a column a line.

    Raises:
        KeyError: Unknown format; the message lists the known ones.
        ValueError: A row is shorter or longer than ``columns``.
    """
    if format_name not in _FORMATS:
        known = ", ".join(row_format_names())
        raise KeyError(f"unknown row format {format_name!r}; known: {known}")
    _FORMATS[format_name](_unique(columns), rows, stream, width)


def _unique(columns: Sequence[str]) -> tuple[str, ...]:
    """Names with a number after each that was there before: an object has a key once."""
    names: dict[str, None] = {}
    for column in columns:
        name, number = column, 1
        while name in names:
            number += 1
            name = f"{column}_{number}"
        names[name] = None
    return tuple(names)


def _value(value: object) -> object:
    """The JSON value of what DuckDB gives; nothing is left that JSON has no word for."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        # JSON has neither NaN nor infinity (RFC 8259, 6).
        return value if math.isfinite(value) else str(value)
    if isinstance(value, datetime):
        return iso(value if value.tzinfo else value.replace(tzinfo=UTC))
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Mapping):
        return {_text(key): _value(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_value(item) for item in value]
    # UUID, Decimal, timedelta: text, since a float would change a Decimal.
    return str(value)


def _text(value: object) -> str:
    """A value as one cell: text as it is, what has parts as JSON, nothing for null."""
    value = _value(value)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _objects(columns: Sequence[str], rows: Sequence[Row]) -> list[str]:
    return [
        json.dumps(
            {name: _value(value) for name, value in zip(columns, row, strict=True)},
            ensure_ascii=True,
            allow_nan=False,
        )
        for row in rows
    ]


def _write_json(columns: Sequence[str], rows: Sequence[Row], stream: TextIO, _width: int) -> None:
    body = ",\n  ".join(_objects(columns, rows))
    stream.write(f"[\n  {body}\n]\n" if body else "[]\n")


def _write_ndjson(columns: Sequence[str], rows: Sequence[Row], stream: TextIO, _width: int) -> None:
    stream.writelines(f"{line}\n" for line in _objects(columns, rows))


def _write_csv(columns: Sequence[str], rows: Sequence[Row], stream: TextIO, _width: int) -> None:
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(guarded(name) for name in columns)
    for row in rows:
        writer.writerow(_csv_cell(value) for _, value in zip(columns, row, strict=True))


def _csv_cell(value: object) -> str:
    # A negative number is no formula, and an apostrophe would make text of it.
    is_number = isinstance(value, int | float | Decimal | timedelta)
    return _text(value) if is_number else guarded(_text(value))


def _write_table(columns: Sequence[str], rows: Sequence[Row], stream: TextIO, width: int) -> None:
    names = [visible(name) for name in columns]
    cells = [
        [visible(clipped(_text(value), _CELL_LIMIT)) for _, value in zip(names, row, strict=True)]
        for row in rows[:TABLE_ROWS]
    ]
    widths = [max(map(cell_len, column)) for column in zip(names, *cells, strict=True)]
    if sum(widths) + len(_GAP) * (len(widths) - 1) <= width or not cells:
        lines = _grid(names, rows, cells, widths)
    else:
        lines = _records(names, cells)
    stream.writelines(f"{line}\n" for line in lines)
    count = plural(len(rows), "row")
    if len(rows) > TABLE_ROWS:
        count += f", {TABLE_ROWS:,} shown; the other formats have them all"
    stream.write(f"({count})\n")


def _grid(
    names: list[str], rows: Sequence[Row], cells: list[list[str]], widths: list[int]
) -> list[str]:
    is_number = [
        any(row[at] is not None for row in rows[:TABLE_ROWS])
        and all(isinstance(row[at], int | float | Decimal | None) for row in rows[:TABLE_ROWS])
        for at in range(len(names))
    ]

    def line(texts: list[str]) -> str:
        padded = []
        for text, room, right in zip(texts, widths, is_number, strict=True):
            blanks = " " * (room - cell_len(text))
            padded.append(blanks + text if right else text + blanks)
        return _GAP.join(padded).rstrip(" ")

    rule = "─" * (sum(widths) + len(_GAP) * (len(widths) - 1))
    return [line(names), rule, *map(line, cells)]


def _records(names: list[str], cells: list[list[str]]) -> list[str]:
    """A line a column, the empty ones left out, which a wide table has many of."""
    room = max(map(cell_len, names))
    lines = []
    for number, row in enumerate(cells, 1):
        lines.append(f"── row {number:,} ──")
        lines += [
            f"{name}{' ' * (room - cell_len(name))}{_GAP}{text}"
            for name, text in zip(names, row, strict=True)
            if text
        ]
    return lines


_Writer = Callable[[Sequence[str], Sequence[Row], TextIO, int], None]
_FORMATS: Mapping[str, _Writer] = MappingProxyType(
    {"csv": _write_csv, "json": _write_json, "ndjson": _write_ndjson, "table": _write_table}
)
