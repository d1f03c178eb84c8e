"""Feodo Tracker: its lists, how sure each is, and ids that stay."""

from __future__ import annotations

from datetime import UTC, datetime

from ..sibling_samples import (
    FEODO_2020_CSV,
    FEODO_AGGRESSIVE_CSV,
    FEODO_CSV,
    FEODO_JSON,
    read_sibling,
)


def test_a_server_is_mapped_field_by_field() -> None:
    by_value = {one.value: one for one in read_sibling(FEODO_CSV).indicators}

    one = by_value["[2620:fe::fe]:443"]
    assert (one.source, one.threat_type, one.malware) == ("feodotracker", "botnet_cc", "qakbot")
    assert one.first_seen == datetime(2025, 12, 30, 13, 56, 31, tzinfo=UTC)
    assert one.last_seen == datetime(2026, 3, 12, tzinfo=UTC)
    assert one.confidence_level == 100
    assert by_value["9.9.9.9:8080"].confidence_level == 75


def test_a_list_without_status_is_the_least_sure() -> None:
    assert [i.confidence_level for i in read_sibling(FEODO_AGGRESSIVE_CSV).indicators] == [50]


def test_the_same_server_is_the_same_in_every_list() -> None:
    ids = {
        one.source_id
        for text in (FEODO_CSV, FEODO_AGGRESSIVE_CSV, FEODO_JSON)
        for one in read_sibling(text).indicators
        if one.value == "9.9.9.9:8080"
    }

    assert len(ids) == 1


def test_the_header_of_2020_is_read() -> None:
    (one,) = read_sibling(FEODO_2020_CSV).indicators

    assert (one.value, one.malware, one.last_seen) == (
        "9.9.9.9:80",
        "heodo",
        datetime(2020, 11, 2, tzinfo=UTC),
    )


def test_a_private_address_is_quarantined_and_costs_no_other() -> None:
    report = read_sibling(FEODO_CSV.replace("9.9.9.9", "10.1.2.3")).report

    assert report.indicators == 1
    assert [q.reason for q in report.quarantined] == ["H102: not a public address: 10.1.2.3"]


def test_a_list_without_entries_is_empty_and_says_so() -> None:
    head = "".join(
        line for line in FEODO_CSV.splitlines(keepends=True) if not line.startswith('"20')
    )

    assert read_sibling(head).report.notes == ("it holds no records",)
    assert read_sibling(FEODO_JSON).report.notes == ()
