"""One order for every message, and codes that scripts and the documentation rely on."""

from __future__ import annotations

import pytest

from foxhunt.errors import (
    BenignValueError,
    HuntError,
    ParseError,
    SourceSpan,
    all_errors,
)


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (SourceSpan("feed.json"), "feed.json"),
        (SourceSpan("feed.csv", 3), "feed.csv:3"),
        (SourceSpan("feed.csv", 3, 7), "feed.csv:3:7"),
        (SourceSpan("feed.csv", record=12), "feed.csv, record 12"),
        (SourceSpan("feed.csv", 3, record=2), "feed.csv:3, record 2"),
        (SourceSpan("feed.csv", column=7), "feed.csv"),
    ],
)
def test_a_place_is_written_as_compilers_do(span: SourceSpan, expected: str) -> None:
    assert str(span) == expected


def test_a_message_is_where_code_what_and_what_to_do() -> None:
    error = ParseError("not an address", at=SourceSpan("a.csv", 3), hint="write it as ip:port")

    assert str(error) == "a.csv:3: H101: not an address (write it as ip:port)"
    assert error.message == "not an address"


def test_place_and_hint_may_be_missing() -> None:
    assert str(ParseError("not an address")) == "H101: not an address"
    assert str(HuntError("broken", hint="retry")) == "H000: broken (retry)"


def test_every_error_has_a_code_of_its_own_in_order() -> None:
    codes = [error.code for error in all_errors()]

    assert len(codes) == len(set(codes)) > 10
    assert codes == sorted(codes)
    assert all(len(code) == 4 and code[0] == "H" and code[1:].isdigit() for code in codes)


def test_codes_that_were_printed_once_stay() -> None:
    """Scripts match them; a code is never given to another error (docs/errors.md)."""
    known = {
        "HuntError": "H000",
        "UsageError": "H100",
        "ParseError": "H101",
        "BenignValueError": "H102",
        "FeedError": "H201",
        "StoreError": "H202",
        "NoIndicatorsError": "H203",
        "LogError": "H301",
        "TableError": "H302",
        "UnsupportedError": "H401",
        "EngineError": "H501",
        "QueryError": "H502",
    }
    now = {error.__name__: error.code for error in all_errors()}

    assert {name: now.get(name) for name in known} == known


def test_a_benign_value_is_a_kind_of_parse_error() -> None:
    """Quarantine catches one class, and still tells the two apart by code."""
    assert issubclass(BenignValueError, ParseError)
