"""A query's result: exact for tools, harmless for a terminal and a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.reports.query_result import TABLE_ROWS, row_format_names, write_rows
from tests import golden_files

from .report_samples import HOSTILE

COLUMNS = ("TimeGenerated", "Computer", "Name", "Bytes", "Blocked")
ROWS: list[tuple[object, ...]] = [
    (datetime(2026, 6, 1, 12), "WS-014", "c2.texornacu.com", 1_024, True),
    (datetime(2026, 6, 1, 12, 0, 0, 5, tzinfo=UTC), "東京-1", None, -7, False),
    (None, "", "=cmd|' /C calc'!A0", None, None),
]
CELLS = (
    st.none()
    | st.text(max_size=8)
    | st.sampled_from(HOSTILE)
    | st.integers()
    | st.floats()
    | st.booleans()
    | st.datetimes()
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.decimals(allow_nan=False, allow_infinity=False, places=3)
    | st.uuids()
    | st.binary(max_size=4)
    | st.lists(st.text(max_size=3), max_size=2)
)
RESULTS = st.lists(st.tuples(CELLS, CELLS), max_size=4)


def _written(
    format_name: str,
    columns: tuple[str, ...] = COLUMNS,
    rows: list[tuple[object, ...]] = ROWS,
    width: int = 100,
) -> str:
    out = io.StringIO(newline="")
    write_rows(format_name, columns, rows, out, width=width)
    return out.getvalue()


@pytest.mark.parametrize("name", row_format_names())
def test_golden(name: str) -> None:
    rows = ROWS + [(None, text, text, 1, True) for text in HOSTILE]

    golden_files.check(f"reports/query_result/rows.{name}", _written(name, rows=rows, width=200))


def test_a_table_wider_than_the_terminal_is_shown_a_column_a_line() -> None:
    golden_files.check("reports/query_result/narrow.table", _written("table", width=40))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("csv", "A,B\r\n"),
        ("json", "[]\n"),
        ("ndjson", ""),
        ("table", "A  B\n────\n(0 rows)\n"),
    ],
)
def test_no_rows(name: str, expected: str) -> None:
    assert _written(name, ("A", "B"), []) == expected


def test_values_are_exact_in_json() -> None:
    rows: list[tuple[object, ...]] = [(text,) for text in HOSTILE]
    text = _written("json", ("v",), rows)

    assert text.isascii()
    assert [row["v"] for row in json.loads(text)] == list(HOSTILE)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2026, 6, 1, 12), "2026-06-01T12:00:00Z"),
        (datetime(2026, 6, 1, 14, tzinfo=timezone(timedelta(hours=2))), "2026-06-01T12:00:00Z"),
        (date(2026, 6, 1), "2026-06-01"),
        (Decimal("0.10"), "0.10"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (b"\x00\xff", "AP8="),
        (float("inf"), "inf"),
        (1.5, 1.5),
        ([datetime(2026, 6, 1), None], ["2026-06-01T00:00:00Z", None]),
        ({"a": {"b": 1}}, {"a": {"b": 1}}),
        (2**63, 2**63),
    ],
)
def test_what_duckdb_gives_has_a_json_form(value: object, expected: object) -> None:
    assert json.loads(_written("ndjson", ("v",), [(value,)])) == {"v": expected}


def test_rows_come_from_duckdb_as_they_are() -> None:
    with duckdb.connect() as con:
        cursor = con.execute(
            "SELECT TIMESTAMP '2026-06-01 12:00:00' AS t, [1, 2] AS l, {'k': 'v'} AS s, NULL AS n,"
            " 0.5::DECIMAL(4, 2) AS d, '2 days'::INTERVAL AS i, 'a'::BLOB AS b"
        )
        columns = tuple(column[0] for column in cursor.description or ())
        rows = cursor.fetchall()

    assert json.loads(_written("json", columns, rows)) == [
        {
            "t": "2026-06-01T12:00:00Z",
            "l": [1, 2],
            "s": {"k": "v"},
            "n": None,
            "d": "0.50",
            "i": "2 days, 0:00:00",
            "b": "YQ==",
        }
    ]


@pytest.mark.parametrize("name", row_format_names())
@given(rows=RESULTS)
def test_no_value_breaks_a_format(name: str, rows: list[tuple[object, ...]]) -> None:
    text = _written(name, ("a", "b"), rows)

    if name == "json":
        assert len(json.loads(text)) == len(rows)
    elif name == "ndjson":
        assert [list(json.loads(line)) for line in text.split("\n")[:-1]] == [["a", "b"]] * len(
            rows
        )
    elif name == "csv":
        records = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        assert [len(record) for record in records] == [2] * (len(rows) + 1)
    else:
        assert all(line.isprintable() for line in text.split("\n"))
    assert text.encode("utf-8")[-1:] in (b"", b"\n")


def test_csv_guards_text_but_leaves_numbers_numbers() -> None:
    rows: list[tuple[object, ...]] = [("-2+3", -7, -0.5, Decimal("-1.5"), "@SUM(1)")]

    assert _written("csv", ("=a", "b", "c", "d", "e"), rows) == (
        "'=a,b,c,d,e\r\n'-2+3,-7,-0.5,-1.5,'@SUM(1)\r\n"
    )


def test_columns_of_one_name_are_told_apart() -> None:
    assert json.loads(_written("json", ("a", "a", "a_2", "a"), [(1, 2, 3, 4)])) == [
        {"a": 1, "a_2": 2, "a_2_2": 3, "a_3": 4}
    ]


def test_a_table_says_how_many_rows_it_left_out() -> None:
    text = _written("table", ("n",), [(number,) for number in range(TABLE_ROWS + 234)])

    assert text.endswith(
        f"\n999\n({TABLE_ROWS + 234:,} rows, 1,000 shown; the other formats have them all)\n"
    )


@pytest.mark.parametrize("name", row_format_names())
def test_a_row_of_the_wrong_length_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="zip"):
        _written(name, ("a", "b"), [(1,)])


def test_an_unknown_format_names_the_known_ones() -> None:
    assert row_format_names() == ("csv", "json", "ndjson", "table")
    with pytest.raises(KeyError, match="unknown row format 'xml'; known: csv, json, ndjson, table"):
        _written("xml")
