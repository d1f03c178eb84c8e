"""What outlines may not lose: whether a parser takes the query, and its columns."""

from __future__ import annotations

import pytest

from foxhunt.lint.outline import outline, parts
from foxhunt.lint.tokens import tokens

HEAD = "let t = datatable(A: string, N: long, T: datetime) "


def short(text: str) -> str:
    return outline(text, tuple(tokens(text, comments=True)))


def test_queries_that_differ_in_values_alone_have_one_outline() -> None:
    row = '"evil.com", 75, datetime(2026-05-31T10:00:00)'
    one = f'// Evil\n{HEAD}[{row}, {row}]\n| extend M = "Evil";\nT | where A in ("x", "y")'
    other = (
        f'// Rat\n{HEAD}[{row},\n {row},\n {row}]\n| extend M = "Rat";\nT | where A in ("z", "z")'
    )

    assert short(one) == short(other)
    assert "evil" not in short(one)


@pytest.mark.parametrize(
    "text",
    [
        f'{HEAD}["a", 1, datetime(2026-02-30)];',  # no day
        f'{HEAD}["a", 1, "2026-02-01"];',  # a text where a moment is wanted
        f'{HEAD}["a\\q", 1, datetime(2026-02-01)];',  # no escape
        'T | where A has_any ("a", 1 2)',
        'T | extend A = column_ifexists("A", "B")',
        'T | evaluate f(kind="x")',
        'T | where A == @"x"',
        'print "dynamic([1, 2])"',
    ],
)
def test_what_a_parser_may_refuse_is_left_as_it_is(text: str) -> None:
    assert short(text) == text


def test_a_row_that_is_cut_short_stays_so() -> None:
    whole = '"a", 1, datetime(2026-02-01)'

    assert short(f'{HEAD}[{whole}, {whole}, "a"]').endswith(', ""]')


def test_a_comment_that_shows_a_list_is_no_list() -> None:
    assert short('T // dynamic(["a", "b"\n| take 1') == "T //\n| take 1"


def test_parts_are_statements_and_steps() -> None:
    text = "let a = X | where B == 1 | top 3 by B;\nT | join (a | take 1) on B"

    assert list(parts(text)) == [
        "let a = X\n| top 3 by B",
        "T\n| where B == 1",
        "T",
        "T\n| join (a | take 1) on B",
    ]


@pytest.mark.parametrize("text", ["T | | take 1", "T; ; U", "T |"])
def test_an_empty_part_is_for_the_parser_to_see(text: str) -> None:
    assert text in list(parts(text))
