"""Rows of CSV feeds: headers, broken lines, and on which line each stands."""

from __future__ import annotations

import io

import pytest

from foxhunt.errors import FeedError
from foxhunt.feeds.raw import Broken, Reading
from foxhunt.feeds.siblings.csv_tables import Layout, Row, header_of, rows

LAYOUT = Layout(
    what="a list of foxes",
    needed=(frozenset({"name", "age"}), frozenset({"Name"})),
    known=frozenset({"name", "age", "Name"}),
    full=("name", "age", "den"),
)


def read(text: str) -> tuple[Reading, list[Row]]:
    reading = Reading("foxes.csv")
    return reading, list(rows(io.StringIO(text, newline=""), reading, LAYOUT))


def test_a_row_knows_its_line() -> None:
    _, found = read("# foxes\n# name,age\n\nReynard,9\r\n# a remark\nFluff,2\n")

    assert [(row.line, row.fields) for row in found] == [
        (4, {"name": "Reynard", "age": "9"}),
        (6, {"name": "Fluff", "age": "2"}),
    ]


def test_lines_that_an_open_quote_swallowed_are_read_one_by_one() -> None:
    _, found = read('name,age\n"Reynard,9\nFluff,2\n"x","y"\n')

    assert [(row.line, type(row.fields)) for row in found] == [
        (2, Broken),
        (3, dict),
        (4, dict),
    ]


def test_a_quoted_line_break_stays_inside_its_record() -> None:
    _, found = read('name,age\n"Rey\nnard",9\n')

    assert found == [Row(3, {"name": "Rey\nnard", "age": "9"})]


def test_a_short_header_takes_rows_of_the_documented_width() -> None:
    _, found = read("name,age\nReynard,9,hill\nFluff,2\na,b,c,d\n")

    assert found[0].fields == {"name": "Reynard", "age": "9", "den": "hill"}
    assert found[1].fields == {"name": "Fluff", "age": "2"}
    assert found[2].fields == Broken("a,b,c,d\n", "4 fields, the header has 2")


def test_any_of_the_headers_is_one() -> None:
    assert header_of("# Name,more\n", LAYOUT) == {"Name", "more"}
    assert header_of("# a\n#\nname,age\n", LAYOUT) == {"name", "age"}
    assert header_of("x,y\nname,age\n", LAYOUT) == frozenset()
    assert header_of('"name,age\n', LAYOUT) == frozenset()


def test_a_field_longer_than_csv_takes_is_one_broken_record() -> None:
    _, found = read(f"name,age\nReynard,9\n{'x' * 200_000},1\nFluff,2\n")

    assert [type(row.fields) for row in found] == [dict, Broken, dict]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n", "not a list of foxes: no header with the columns age, name"),
        ("name,age,age\n", "a column stands twice"),
        ("# only\n", "no header"),
        ("x" * 2_000_000, "a line longer than"),
    ],
)
def test_what_has_no_header_is_refused(text: str, message: str) -> None:
    with pytest.raises(FeedError, match=message):
        read(text)
