"""Tokens: a comment or a string is no code, and no text makes it slow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.lint.tokens import Kind, tokens


def said(text: str) -> list[tuple[str, str]]:
    return [(str(one.kind), one.text) for one in tokens(text, comments=True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r'"a\"b\\"', 'a"b\\'),
        (r"'it\'s'", "it's"),
        (r'@"C:\x"', r"C:\x"),
        ('@"a""b"', 'a"b'),
        ("@'a''b'", "a'b"),
        ('h"secret"', "secret"),
        ('h@"secret"', "secret"),
        ("```a\nb```", "a\nb"),
        ("~~~a~~~", "a"),
        (r'"\u0041\x41\n"', "AA\n"),
        ('"// no comment"', "// no comment"),
    ],
)
def test_a_string_says_what_kusto_reads(text: str, expected: str) -> None:
    assert said(text) == [("string", expected)]


def test_a_string_that_is_not_closed_ends_with_its_line() -> None:
    assert said('"open\nT') == [("string", "open"), ("name", "T")]
    assert said('"open\\\nT') == [("string", "open\\"), ("name", "T")]
    assert said('"open') == [("string", "open")]


def test_a_comment_ends_with_its_line() -> None:
    assert said('a // "b\nc') == [("name", "a"), ("comment", ' "b'), ("name", "c")]


def test_a_minus_is_part_of_operators_only() -> None:
    assert [text for _, text in said("project-away a-b")] == ["project-away", "a", "-", "b"]
    assert [text for _, text in said("x !in~ y !has z != w")] == [
        "x",
        "!in~",
        "y",
        "!has",
        "z",
        "!=",
        "w",
    ]


@given(st.text(alphabet="\"'\\@`~h/\n\r ab|();=!-1", max_size=60))
def test_tokens_cover_the_text_in_order_and_end(text: str) -> None:
    found = list(tokens(text, comments=True))
    ends = [0, *(one.end for one in found)]

    for one, end in zip(found, ends, strict=False):
        assert end <= one.offset < one.end
        assert one.kind in (Kind.STRING, Kind.COMMENT) or text[one.offset : one.end] == one.text
        assert not text[end : one.offset].strip()
    assert not text[ends[-1] :].strip()


@pytest.mark.parametrize("unit", ['\\"', "'", '@"', "```", "//", "(", "~~~ ", "\\", 'h@"a""'])
def test_hostile_repeats_stay_linear(unit: str) -> None:
    """60,000 escaped quotes took more than a minute when each began a string of its own."""
    assert list(tokens("'" + unit * 60_000))
