"""The one door for values of a feed; the laws are in tests/property/test_parsing.py."""

from __future__ import annotations

import pytest

from foxhunt.errors import BenignValueError, ParseError
from foxhunt.indicators import IndicatorType, parse

TYPES = list(IndicatorType)


CASES = [
    (" Evil[.]ORG. ", IndicatorType.DOMAIN, "evil.org"),
    ("45[.]137[.]22[.]7[:]443", IndicatorType.IP_PORT, "45.137.22.7:443"),
    ("hxxps://EVIL[.]org/Gate", IndicatorType.URL, "https://evil.org/Gate"),
    ("AB" * 16, IndicatorType.MD5, "ab" * 16),
    ("AB" * 20, IndicatorType.SHA1, "ab" * 20),
    ("AB" * 32, IndicatorType.SHA256, "ab" * 32),
    ("AB" * 48, IndicatorType.SHA3_384, "ab" * 48),
    ("Mail[at]Evil[.]org", IndicatorType.ENVELOPE_FROM, "mail@evil.org"),
    ("Fox <Mail@Evil.org>", IndicatorType.BODY_FROM, "fox <mail@evil.org>"),
]


@pytest.mark.parametrize(("text", "type_", "expected"), CASES)
def test_each_type_has_one_canonical_value(text: str, type_: IndicatorType, expected: str) -> None:
    assert parse(text, type_) == expected


def test_each_type_is_tested_above() -> None:
    assert {type_ for _, type_, _ in CASES} == set(TYPES)


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("text", ["", " \t\n", "\u3000"])
def test_nothing_is_no_value(text: str, type_: IndicatorType) -> None:
    with pytest.raises(ParseError, match="empty value"):
        parse(text, type_)


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize(
    "char", ["\0", "\t", "\n", "\r", "\x1b", "\x7f", "\x9b", "\u2028", "\ud800"]
)
def test_a_control_character_is_refused_in_every_type(char: str, type_: IndicatorType) -> None:
    """WHATWG drops tabs and line breaks from a URL: half of the text would go unseen."""
    with pytest.raises(ParseError, match=f"control character U\\+{ord(char):04X}"):
        parse(f"http://evil{char}.org/x", type_)


@pytest.mark.parametrize("type_", TYPES)
def test_a_value_of_no_sensible_length_is_refused(type_: IndicatorType) -> None:
    with pytest.raises(ParseError, match="longer than 16384 characters"):
        parse("a" * 16_385, type_)


def test_a_sender_shown_backwards_is_refused() -> None:
    with pytest.raises(ParseError, match="do not print"):
        parse("mail@evil\u202egro.liamg", IndicatorType.ENVELOPE_FROM)


def test_layers_of_defanging_without_end_are_refused() -> None:
    hostile = "[\\" * 10 + "[.]" + "]" * 10

    with pytest.raises(ParseError, match="defanged too many times over"):
        parse(f"mail@evil{hostile}org", IndicatorType.ENVELOPE_FROM)


def test_what_is_well_formed_but_benign_says_so() -> None:
    with pytest.raises(BenignValueError):
        parse("www[.]example[.]com", IndicatorType.DOMAIN)


def test_a_message_quotes_no_more_than_the_start_of_a_value() -> None:
    with pytest.raises(ParseError) as caught:
        parse("x y" * 5_000, IndicatorType.DOMAIN)

    assert len(str(caught.value)) < 300
