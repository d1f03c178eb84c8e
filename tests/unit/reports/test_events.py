"""The events file: one line a match, exact, of the documented form."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError

from foxhunt.findings import Match, MatchKind, Verdict
from foxhunt.reports import load_schema
from foxhunt.reports.events import event_line, write_events

from .report_samples import NOON
from .report_strategies import MATCHES

SCHEMA = load_schema("events-1")
VALIDATOR = Draft202012Validator(SCHEMA)

MATCH = Match(
    finding="f-1",
    table="DnsEvents",
    file="dns.csv",
    row=17,
    time=NOON,
    host=None,
    observed="c2.texornacu.com",
    match=MatchKind.SUBDOMAIN,
    verdict=Verdict.SUPPRESSED,
    suppressed_by=("test-lab",),
)


def test_the_line_is_the_documented_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert event_line(MATCH) == (
        '{"finding": "f-1", "table": "DnsEvents", "file": "dns.csv", "row": 17, '
        '"time": "2026-06-01T12:00:00Z", "host": null, "observed": "c2.texornacu.com", '
        '"match": "subdomain", "verdict": "suppressed", "suppressed_by": ["test-lab"]}\n'
    )


@given(st.lists(MATCHES, max_size=4))
def test_every_match_is_one_valid_line(matches: list[Match]) -> None:
    out = io.StringIO()

    assert write_events(iter(matches), out) == len(matches)

    lines = out.getvalue().split("\n")
    assert lines.pop() == ""
    for line, match in zip(lines, matches, strict=True):
        event = json.loads(line)
        VALIDATOR.validate(event)
        assert (event["observed"], event["row"]) == (match.observed, match.row)


def test_matches_are_written_as_they_come() -> None:
    """A million events must not be held in memory."""
    out = io.StringIO()

    def matches() -> Iterator[Match]:
        for number in range(3):
            assert out.getvalue().count("\n") == number
            yield MATCH

    assert write_events(matches(), out) == 3


@pytest.mark.parametrize(
    ("key", "value"),
    [("row", 0), ("match", "fuzzy"), ("verdict", "benign"), ("time", "today"), ("more", 1)],
)
def test_the_schema_catches_a_wrong_line(key: str, value: object) -> None:
    with pytest.raises(ValidationError):
        VALIDATOR.validate(json.loads(event_line(MATCH)) | {key: value})
