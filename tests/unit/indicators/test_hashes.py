"""R5: hex, lower case, the length of its kind."""

from __future__ import annotations

import hashlib

import pytest

from foxhunt.errors import BenignValueError, ParseError
from foxhunt.indicators import IndicatorType, canonical_hash
from foxhunt.indicators.hashes import HEX_DIGITS, parse_hash

KINDS = [kind for kind in IndicatorType if kind.is_hash]
FUNCTIONS = {
    IndicatorType.MD5: "md5",
    IndicatorType.SHA1: "sha1",
    IndicatorType.SHA256: "sha256",
    IndicatorType.SHA3_384: "sha3_384",
}


def digest(kind: IndicatorType, data: bytes) -> str:
    return hashlib.new(FUNCTIONS[kind], data, usedforsecurity=False).hexdigest()


def test_every_kind_is_tested() -> None:
    assert set(KINDS) == set(FUNCTIONS) == set(HEX_DIGITS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_hash_in_any_case_is_one_hash(kind: IndicatorType) -> None:
    """ThreatFox once listed a SHA-256 in upper case; ``in`` found nothing with it."""
    value = digest(kind, b"fox")

    assert parse_hash(f" {value.upper()} ", kind) == value
    assert canonical_hash(value.upper()) == value


@pytest.mark.parametrize("kind", KINDS)
def test_the_hash_of_an_empty_file_is_nobodys_malware(kind: IndicatorType) -> None:
    with pytest.raises(BenignValueError, match="empty or missing file"):
        parse_hash(digest(kind, b"").upper(), kind)
    with pytest.raises(BenignValueError, match="empty or missing file"):
        parse_hash("0" * HEX_DIGITS[kind], kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("change", [-1, 1])
def test_another_length_is_another_kind(kind: IndicatorType, change: int) -> None:
    with pytest.raises(ParseError, match=f"a {kind} has {HEX_DIGITS[kind]}"):
        parse_hash("a" * (HEX_DIGITS[kind] + change), kind)


@pytest.mark.parametrize("text", ["", "g" * 32, "\u0661" * 32, "a" * 16 + " " + "a" * 15, "0x"])
def test_what_is_not_hex_is_refused(text: str) -> None:
    with pytest.raises(ParseError, match="not hexadecimal"):
        parse_hash(text, IndicatorType.MD5)
