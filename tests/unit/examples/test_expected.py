"""The product over its own example: exactly what expected.json says, and no look-alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from foxhunt.feeds import read_indicators
from foxhunt.findings import CoverageStatus, HuntResult, Match
from foxhunt.hunt import HuntRequest, hunt

from .example_logs import EXAMPLES

EXPECTED = json.loads((EXAMPLES / "expected.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def hunted(example: Path) -> tuple[HuntResult, list[Match]]:
    """The result of a hunt over the whole example, and its events."""
    events: list[Match] = []

    def keep(matches: Iterator[Match]) -> None:
        events.extend(matches)

    indicators, _ = read_indicators([str(EXAMPLES / "indicators.json")])
    result = hunt(HuntRequest(logs=[str(example)], indicators=indicators), events=keep)
    return result, events


def test_the_findings_are_exactly_the_expected_ones(
    hunted: tuple[HuntResult, list[Match]],
) -> None:
    result, _ = hunted
    found = {
        (one.indicator.value, one.table, (one.host or "").lower()): (
            str(one.match), str(one.verdict), one.events,
        )
        for one in result.findings
    }  # fmt: skip
    expected = {
        (one["indicator"], one["table"], one["host"]): (
            one["match"], one["verdict"], one["events"],
        )
        for one in EXPECTED["findings"]
    }  # fmt: skip
    assert found == expected
    assert len(result.findings) == len(found), "two findings for one indicator, table and host"


def test_there_is_an_event_line_for_every_event_of_a_finding(
    hunted: tuple[HuntResult, list[Match]],
) -> None:
    result, events = hunted
    assert len(events) == sum(finding.events for finding in result.findings)
    assert {event.finding for event in events} == {finding.id for finding in result.findings}


def test_no_look_alike_fires(hunted: tuple[HuntResult, list[Match]]) -> None:
    _, events = hunted
    look_alikes = {(one["table"], one["observed"]) for one in EXPECTED["must_not_fire"]}
    assert {(event.table, event.observed) for event in events} & look_alikes == set()


def test_every_file_was_read_whole(hunted: tuple[HuntResult, list[Match]], example: Path) -> None:
    result, _ = hunted
    assert result.is_complete
    read = {name for coverage in result.coverage for name in coverage.files}
    files = [path for path in example.rglob("*") if path.is_file()]
    assert len(read) == len(files)
    with_data = [one for one in result.coverage if one.status is CoverageStatus.HUNTED]
    assert sum(one.rows_refused for one in with_data) == 0
    # One record of EVE is a statistic, which belongs to no table.
    assert sum(one.rows for one in with_data) == sum(EXPECTED["rows"].values()) - 1


def test_the_feed_s_bad_records_are_told(hunted: tuple[HuntResult, list[Match]]) -> None:
    result, _ = hunted
    assert sorted(one.value for one in result.quarantined) == [
        "192.168.77.12:8443", "update-check.example",
    ]  # fmt: skip
    assert result.not_shown_by_any_table == {"sha3_384_hash": 1}


def test_a_blocked_connection_is_one_step_less_severe(
    hunted: tuple[HuntResult, list[Match]],
) -> None:
    result, _ = hunted
    blocked = [one for one in result.findings if one.action == "blocked"]
    assert {one.indicator.value for one in blocked if one.table == "CommonSecurityLog"} == {
        "192.88.99.73:4444", "192.88.99.67:2404",
    }  # fmt: skip
    (beacon,) = (one for one in blocked if one.host == "10.10.0.29")
    assert str(beacon.severity) == "medium"
