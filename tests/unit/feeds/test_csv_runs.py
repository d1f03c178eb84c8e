"""Regular lines of CSV: taken only where Python's own reader finds the same fields."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxhunt.feeds.csv_runs import CsvRun, may_be_regular, regular_table

HEADER = ["a", "b", "c"]


def rows(text: str) -> list[list[str]] | None:
    table = regular_table(text, HEADER)
    return None if table is None else [list(row.values()) for row in table.to_pylist()]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("separator", ['", "', '","'])
def test_fields_are_what_stands_between_the_quotes(end: str, separator: str) -> None:
    fields = [["x", "", "é,😀 y"], ["#", " ", "'"]]
    text = "".join(f'"{separator.join(row)}"{end}' for row in fields)

    assert rows(text) == fields


@pytest.mark.parametrize(
    "line",
    [
        *('"a", "b"', '"a", "b", "c", "d"', "a, b, c", '"a", "b", c', '"a" , "b", "c"', ""),
        *('"a""b", "b", "c"', ' "a", "b", "c"', '"a", "b", "c" ', '"a",  "b", "c"', "# x"),
        *('"a\tb", "b", "c"', '"a", "b\x00", "c"', '"a", "b", "c\x7f"', '"\udc80", "b", "c"'),
        *('"a", "b", "c', '"a"; "b"; "c"', '"a", "x\n", "c"', '"a", "b\rb", "c"'),
        '"' + "x" * 100_001 + '", "b", "c"',
    ],
)
def test_lines_with_an_odd_one_are_not_taken(line: str) -> None:
    """A wrong guess here would shift a stranger's text into another column."""
    regular = '"a", "b", "c"\n'

    assert rows(regular + line + "\n" + regular) is None


@settings(max_examples=300)
@given(st.lists(st.sampled_from(['"', '", "', '","', ", ", ",", " ", "a", '"\n"', "\n"])))
def test_what_is_taken_is_what_python_reads(pieces: list[str]) -> None:
    text = '"' + "".join(pieces) + '"\n'

    found = rows(text)

    if found is not None:
        lines = text.splitlines(keepends=True)
        assert found == list(csv.reader(lines, skipinitialspace=True, strict=True))


def test_a_run_gives_its_records_one_by_one_as_well() -> None:
    table = regular_table('"a", "b", "c"\n"d", "e", "f"\n', HEADER)

    run = CsvRun(table)

    assert len(run) == 2
    assert run.record(1) == (None, {"a": "d", "b": "e", "c": "f"})


def test_a_header_of_one_or_of_very_many_columns_has_no_regular_lines() -> None:
    assert may_be_regular(HEADER)
    assert not may_be_regular(["a"])
    assert not may_be_regular([str(number) for number in range(101)])
    assert not may_be_regular(["a", "b\x00"])
