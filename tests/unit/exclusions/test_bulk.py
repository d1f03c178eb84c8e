"""Judging in bulk says, event by event, what the plain evaluator says."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from foxhunt.exclusions import ExclusionSet, holds
from foxhunt.exclusions.bulk import SEPARATOR, judge
from foxhunt.tables import Fact
from tests.exclusion_strategies import TEXTS, exclusion_sets

# What conditions name, and what only looks like it.
VALUES: dict[Fact, list[str]] = {
    fact: [*texts, *(text.upper() for text in texts), *(f"x.{text}" for text in texts), "", " "]
    for fact, texts in TEXTS.items()
} | {
    Fact.HOURS: [str(minute) for minute in (0, 90, 1380, 7199, 8520, 8879, 8880, 10079)],
    Fact.SOURCE_IP: ["10.1.2.3", "::ffff:10.1.9.9", "192.168.7.255", "192.168.8.0", "fe80::1", "x"],
    Fact.PROCESS: ["C:\\Tools\\PSEXEC.exe", "c:\\windows\\a", "/opt/powershell.exe", "\n", "*"],
    Fact.COMMAND_LINE: ["a -ENC b", "-e q1", "c:\\tools\\X", "line\nDOWNLOAD", "\u0130"],
}

EVENTS = st.lists(
    st.fixed_dictionaries(
        {fact: st.lists(st.sampled_from(VALUES[fact]), max_size=2) for fact in Fact}
    ),
    min_size=1,
    max_size=10,
)


@given(exclusion_sets(), EVENTS)
@settings(max_examples=200, deadline=None)
def test_bulk_is_the_plain_evaluator(
    exclusions: ExclusionSet, events: list[dict[Fact, list[str]]]
) -> None:
    columns = {
        fact: pa.array([SEPARATOR.join(one[fact]) if one[fact] else None for one in events])
        for fact in Fact
    }
    columns = {fact: column.cast(pa.string()) for fact, column in columns.items()}

    found = judge(tuple(exclusions), columns, len(events))

    assert [column.to_pylist() for column in found] == [
        [holds(one.when, event) for event in events] for one in exclusions
    ]
