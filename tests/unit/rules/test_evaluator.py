"""The plain evaluator: one hit an indicator, the strongest, and nothing from nothing."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from foxhunt.indicators import IndicatorSet, IndicatorType
from foxhunt.rules import Hit, MatchKind, MatchMode, build_rule, evaluate
from tests.families import indicator_set

DOMAIN, URL, IP_PORT = IndicatorType.DOMAIN, IndicatorType.URL, IndicatorType.IP_PORT


def hits(
    indicators: IndicatorSet,
    table: str,
    row: Mapping[str, object],
    mode: MatchMode = MatchMode.EXACT,
) -> list[Hit]:
    rule = build_rule("Fox", "win.fox", indicators, mode)
    search = rule.search(table)
    assert search is not None
    return list(evaluate(rule, search, row))


def test_a_row_may_meet_several_indicators_in_their_order() -> None:
    indicators = indicator_set(
        (DOMAIN, "texornacu.com"), (DOMAIN, "c2.texornacu.com"), (DOMAIN, "other.org")
    )
    by_value = {one.value: position for position, one in enumerate(indicators)}

    found = hits(indicators, "DnsEvents", {"Name": "c2.texornacu.com"})

    assert found == [
        Hit(by_value["c2.texornacu.com"], MatchKind.EXACT, "Name"),
        Hit(by_value["texornacu.com"], MatchKind.SUBDOMAIN, "Name"),
    ]


def test_of_several_columns_the_strongest_match_counts() -> None:
    row = {"DestinationHostName": "evil.org", "RequestURL": "http://evil.org/gate"}

    found = hits(indicator_set((URL, "http://evil.org/gate")), "CommonSecurityLog", row)

    assert found == [Hit(0, MatchKind.URL, "RequestURL")]


def test_of_equally_strong_columns_the_first_counts() -> None:
    row = {"DestinationHostName": "texornacu.com", "RequestURL": "http://texornacu.com/x"}

    found = hits(indicator_set((DOMAIN, "texornacu.com")), "CommonSecurityLog", row)

    assert found == [Hit(0, MatchKind.EXACT, "DestinationHostName")]


def test_a_port_belongs_to_its_own_address() -> None:
    indicators = indicator_set((IP_PORT, "45.137.22.7:443"))
    inbound = {"SourceIP": "45.137.22.7", "SourcePort": 5_000, "DestinationPort": 443}

    assert hits(indicators, "CommonSecurityLog", inbound) == [Hit(0, MatchKind.IP, "SourceIP")]


@pytest.mark.parametrize("port", [None, "443", 443.5])
def test_a_port_that_is_no_number_is_unknown(port: object) -> None:
    row = {"RemoteIP": "45.137.22.7", "RemotePort": port}

    (hit,) = hits(indicator_set((IP_PORT, "45.137.22.7:443")), "DeviceNetworkEvents", row)

    assert hit.kind is MatchKind.IP


@pytest.mark.parametrize("row", [{}, {"Name": None}, {"Name": ""}, {"Name": 7}, {"Other": "a"}])
@pytest.mark.parametrize("mode", list(MatchMode))
def test_r8_nothing_meets_nothing(row: Mapping[str, object], mode: MatchMode) -> None:
    assert hits(indicator_set((DOMAIN, "texornacu.com")), "DnsEvents", row, mode) == []


def test_r9_term_mode_has_one_kind_of_match() -> None:
    indicators = indicator_set((DOMAIN, "texornacu.com"))
    row = {"Name": "texornacu.com.evil.org"}

    assert hits(indicators, "DnsEvents", row, MatchMode.TERM) == [Hit(0, MatchKind.TERM, "Name")]
    assert hits(indicators, "DnsEvents", row, MatchMode.EXACT) == []
