"""Text of strangers: what people see cannot move a cursor, reverse a name or be clicked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.reports.text import clipped, guarded, iso, minute, plural, prose, shown, span, visible

from .report_samples import HOSTILE

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@given(st.text() | st.sampled_from(HOSTILE))
def test_visible_text_prints_and_can_be_stored(text: str) -> None:
    seen = visible(text)

    assert seen.isprintable()
    assert seen.encode("utf-8").decode("utf-8") == seen


def test_visible_leaves_what_prints_alone() -> None:
    assert visible("Grüße, 東京 🦊 a|b`c") == "Grüße, 東京 🦊 a|b`c"


def test_visible_keeps_the_characters_asked_for_and_no_others() -> None:
    assert visible("a\n\tb\r\x1b", keep="\n\t") == "a\n\tb<U+000D><U+001B>"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("texornacu.com", "texornacu[.]com"),
        ("HTTP://a.org/x.php", "hxxp://a[.]org/x.php"),
        ("203.0.113.7:443", "203[.]0[.]113[.]7:443"),
        ("http://a.org/?next=http://b.org/", "hxxp://a[.]org/?next=hxxp://b[.]org/"),
        ("a.org\x1b[2J", "a[.]org<U+001B>[2J"),
    ],
)
def test_shown_values_are_defanged_and_visible(value: str, expected: str) -> None:
    assert shown(value) == expected


def test_a_clipped_value_says_how_much_is_missing_in_plain_words() -> None:
    """The note's own dots must not be defanged with the value's."""
    assert shown("a.b" + "c" * 1_200, limit=3) == "a[.]b... (1,200 more characters)"
    assert prose("x" * 12, limit=10) == "xxxxxxxxxx... (2 more characters)"
    assert clipped("abc", 3) == "abc"


def test_prose_defangs_known_values_in_any_case_and_any_url() -> None:
    text = "no match for Evil.ORG; see https://docs.example.net/a.html"

    assert prose(text, ("evil.org",)) == (
        "no match for Evil[.]ORG; see hxxps://docs[.]example[.]net/a.html"
    )


def test_prose_takes_the_longest_known_value_first() -> None:
    assert prose("http://a.org/b", ("a.org", "http://a.org/b")) == "hxxp://a[.]org/b"


def test_prose_treats_known_values_as_text_not_as_patterns() -> None:
    assert prose("a+b (c", ("(c", "a+b", "")) == "a+b (c"


def test_times_are_in_utc_whatever_zone_they_came_in() -> None:
    berlin = NOON.astimezone(timezone(timedelta(hours=2)))

    assert iso(berlin) == "2026-06-01T12:00:00Z"
    assert minute(berlin) == "2026-06-01 12:00"
    assert iso(NOON.replace(microsecond=5)) == "2026-06-01T12:00:00.000005Z"


def test_a_span_needs_both_ends() -> None:
    assert span(None, NOON) == span(NOON, None) == ""
    assert span(NOON, NOON) == "2026-06-01 12:00"


def test_plural_knows_irregular_nouns() -> None:
    assert plural(2, "entry", "entries") == "2 entries"
    assert plural(1, "entry", "entries") == "1 entry"


@given(st.text() | st.sampled_from(HOSTILE))
def test_no_cell_is_a_formula_or_a_terminal_command(text: str) -> None:
    cell = guarded(text)

    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff20"))
    assert all(char.isprintable() or char in "\t\r\n" for char in cell)


@pytest.mark.parametrize("text", ["texornacu.com", "10.0.0.1", "a=b", "", "'quoted'"])
def test_a_harmless_cell_stays_as_it_is(text: str) -> None:
    assert guarded(text) == text
