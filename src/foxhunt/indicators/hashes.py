"""File hashes (R5): hex, lower case, the length of their kind."""

from __future__ import annotations

import re

from foxhunt.errors import BenignValueError, ParseError
from foxhunt.indicators.model import IndicatorType

HEX_DIGITS = {
    IndicatorType.MD5: 32,
    IndicatorType.SHA1: 40,
    IndicatorType.SHA256: 64,
    IndicatorType.SHA3_384: 96,
}
_HEX = re.compile(r"[0-9a-f]+")

# Hashes of the empty input, by definition of each function; every system holds such files.
_EMPTY_FILE = frozenset(
    {
        "d41d8cd98f00b204e9800998ecf8427e",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "0c63a75b845e4f7d01107d852e4c2485c51a50aaaa94fc61995e71bbee983a2a"
        "c3713831264adb47fb6bd1e058d5f004",
    }
)


def canonical_hash(text: str) -> str:
    """Return a logged hash in the form hashes are compared in.

    >>> canonical_hash(" D41D8CD9 ")
    'd41d8cd9'
    """
    return text.strip().lower()


def parse_hash(text: str, kind: IndicatorType) -> str:
    """Return the canonical text of a hash indicator.

    Raises:
        ParseError: Not hex, or not of the kind's length.
        BenignValueError: The hash of an empty file.
    """
    value = canonical_hash(text)
    if not _HEX.fullmatch(value):
        raise ParseError(f"not hexadecimal: {text[:80]!r}")
    if len(value) != HEX_DIGITS[kind]:
        raise ParseError(f"{len(value)} hex digits, a {kind} has {HEX_DIGITS[kind]}")
    if value in _EMPTY_FILE or set(value) == {"0"}:
        raise BenignValueError(f"hash of an empty or missing file: {value}")
    return value
