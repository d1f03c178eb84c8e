"""A finding keeps its id over runs, and no two share one."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.findings import finding_id
from foxhunt.indicators import Indicator, IndicatorType
from tests.families import indicator

ONE = indicator(IndicatorType.DOMAIN, "texornacu.com", source_id="1818503")
PARTS = st.text(max_size=12)


def test_the_id_is_the_one_that_was_printed_before() -> None:
    """Tickets hold it: another formula would make every open finding a new one."""
    assert finding_id(ONE, "DnsEvents", "WS-014") == "0aedcf1e234f3922"


def test_what_is_asserted_of_an_indicator_later_does_not_change_its_findings() -> None:
    later = replace(ONE, confidence_level=50, malware="win.other", reporter="other")

    assert finding_id(later, "DnsEvents", "WS-014") == finding_id(ONE, "DnsEvents", "WS-014")


def test_r8_a_host_is_one_host_in_any_case() -> None:
    assert finding_id(ONE, "DnsEvents", "ws-014") == finding_id(ONE, "DnsEvents", "WS-014")


@pytest.mark.parametrize(
    ("other", "table", "host"),
    [
        (replace(ONE, source_id="1818504"), "DnsEvents", "WS-014"),
        (replace(ONE, source="other"), "DnsEvents", "WS-014"),
        (ONE, "DeviceNetworkEvents", "WS-014"),
        (ONE, "DnsEvents", "WS-015"),
        (ONE, "DnsEvents", None),
        (ONE, "DnsEvents", ""),
    ],
)
def test_another_indicator_table_or_host_is_another_finding(
    other: Indicator, table: str, host: str | None
) -> None:
    assert finding_id(other, table, host) != finding_id(ONE, "DnsEvents", "WS-014")


def test_no_host_is_no_hosts_finding() -> None:
    assert finding_id(ONE, "DnsEvents", None) != finding_id(ONE, "DnsEvents", "")


@given(PARTS, PARTS, st.none() | PARTS)
def test_every_id_is_sixteen_hex_digits(source_id: str, table: str, host: str | None) -> None:
    """Hosts come from logs: lone surrogates must not stop a hunt."""
    found = finding_id(replace(ONE, source_id=source_id), table, host)

    assert re.fullmatch(r"[0-9a-f]{16}", found)
    assert found == finding_id(replace(ONE, source_id=source_id), table, host)


def test_a_host_that_no_encoding_holds_has_an_id_too() -> None:
    assert finding_id(ONE, "DnsEvents", "ws\ud800") != finding_id(ONE, "DnsEvents", "ws")
