"""Each semantic rule's trap: a value, an indicator, and what they are to each other.

docs/SEMANTICS.md cites these by rule. Every place a rule can run is asked.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from foxhunt.indicators import Indicator, IndicatorSet, IndicatorType, parse
from foxhunt.rules import MatchKind, MatchMode
from foxhunt.tables import get_table

from .harness import Reading, by_engine, by_evaluator, by_exact_kql, by_term_kql
from .reference import Row

DOMAIN, URL, IP_PORT = IndicatorType.DOMAIN, IndicatorType.URL, IndicatorType.IP_PORT
SHA256 = "cd34" * 16

# rule, table, row, type, indicator, expected match (None: they have nothing to do with each other)
TRAPS: list[tuple[str, str, Row, IndicatorType, str, str | None]] = [
    ("R1", "DnsEvents", {"Name": "texornacu.com"}, DOMAIN, "texornacu.com", "exact"),
    ("R1", "DnsEvents", {"Name": "TEXORNACU.com."}, DOMAIN, "texornacu.com", "exact"),
    ("R1", "DnsEvents", {"Name": "a.b.texornacu.com"}, DOMAIN, "texornacu.com", "subdomain"),
    ("R1", "DnsEvents", {"Name": "texornacu.com.evil.org"}, DOMAIN, "texornacu.com", None),
    ("R1", "DnsEvents", {"Name": "not-texornacu.com"}, DOMAIN, "texornacu.com", None),
    ("R1", "DnsEvents", {"Name": "xtexornacu.com"}, DOMAIN, "texornacu.com", None),
    ("R1", "DnsEvents", {"Name": "texornacu.community"}, DOMAIN, "texornacu.com", None),
    ("R1", "DnsEvents", {"Name": "com"}, DOMAIN, "texornacu.com", None),
    ("R1", "DnsEvents", {"Name": "duckdns.org"}, DOMAIN, "duckdns.org", "exact"),
    ("R1", "DnsEvents", {"Name": "honest.duckdns.org"}, DOMAIN, "duckdns.org", None),
    ("R1", "DnsEvents", {"Name": "c2.evil.duckdns.org"}, DOMAIN, "evil.duckdns.org", "subdomain"),
    ("R1", "DnsEvents", {"Name": "xn--mnchen-3ya.de"}, DOMAIN, "m\u00fcnchen.de", "exact"),
    ("R1", "DnsEvents", {"Name": "m\u00fcnchen.de"}, DOMAIN, "xn--mnchen-3ya.de", "exact"),
    (
        "R1",
        "DeviceNetworkEvents",
        {"RemoteUrl": "https://x.texornacu.com:8443/a"},
        DOMAIN,
        "texornacu.com",
        "subdomain",
    ),
    ("R1", "DeviceNetworkEvents", {"RemoteUrl": "texornacu.com"}, DOMAIN, "texornacu.com", "exact"),
    (
        "R1",
        "UrlClickEvents",
        {"Url": "https://good.org/?u=texornacu.com"},
        DOMAIN,
        "texornacu.com",
        None,
    ),
    (
        "R2",
        "DeviceNetworkEvents",
        {"RemoteIP": "45.137.22.7", "RemotePort": 443},
        IP_PORT,
        "45.137.22.7:443",
        "ip:port",
    ),
    (
        "R2",
        "DeviceNetworkEvents",
        {"RemoteIP": "45.137.22.7", "RemotePort": 8080},
        IP_PORT,
        "45.137.22.7:443",
        "ip",
    ),
    (
        "R2",
        "DeviceNetworkEvents",
        {"RemoteIP": "45.137.22.7", "RemotePort": None},
        IP_PORT,
        "45.137.22.7:443",
        "ip",
    ),
    (
        "R2",
        "DeviceNetworkEvents",
        {"RemoteIP": "::ffff:45.137.22.7", "RemotePort": 443},
        IP_PORT,
        "45.137.22.7:443",
        "ip:port",
    ),
    (
        "R2",
        "DeviceNetworkEvents",
        {"RemoteIP": "2A02:4780:0:0::1", "RemotePort": 443},
        IP_PORT,
        "[2a02:4780::1]:443",
        "ip:port",
    ),
    (
        "R2",
        "DeviceNetworkEvents",
        {"RemoteIP": "145.137.22.7", "RemotePort": 443},
        IP_PORT,
        "45.137.22.7:443",
        None,
    ),
    (
        "R2",
        "DnsEvents",
        {"IPAddresses": "10.0.0.1, 45.137.22.7"},
        IP_PORT,
        "45.137.22.7:443",
        "resolved-ip",
    ),
    ("R2", "DnsEvents", {"IPAddresses": "45.137.22.70"}, IP_PORT, "45.137.22.7:443", None),
    ("R4", "UrlClickEvents", {"Url": "https://evil.org/gate"}, URL, "http://evil.org/gate", "url"),
    (
        "R4",
        "UrlClickEvents",
        {"Url": "HTTP://u:p@EVIL.org:80/gate#x"},
        URL,
        "http://evil.org/gate",
        "url",
    ),
    (
        "R4",
        "UrlClickEvents",
        {"Url": "http://evil.org/gate/x"},
        URL,
        "http://evil.org/gate",
        "url-prefix",
    ),
    (
        "R4",
        "UrlClickEvents",
        {"Url": "http://evil.org/gate?id=1"},
        URL,
        "http://evil.org/gate",
        "url-prefix",
    ),
    ("R4", "UrlClickEvents", {"Url": "http://evil.org/gateway"}, URL, "http://evil.org/gate", None),
    ("R4", "UrlClickEvents", {"Url": "http://evil.org/GATE"}, URL, "http://evil.org/gate", None),
    (
        "R4",
        "UrlClickEvents",
        {"Url": "http://evil.org:8080/gate"},
        URL,
        "http://evil.org/gate",
        None,
    ),
    (
        "R4",
        "UrlClickEvents",
        {"Url": "tcp://evil.org:80/gate"},
        URL,
        "http://evil.org/gate",
        None,
    ),
    (
        "R4",
        "UrlClickEvents",
        {"Url": "tcp://evil.org:80/gate"},
        URL,
        "tcp://evil.org:80/gate",
        "url",
    ),
    ("R4", "UrlClickEvents", {"Url": "http://evil.org/other"}, URL, "http://evil.org/gate", None),
    (
        "R4",
        "CommonSecurityLog",
        {"RequestURL": "evil.org:443"},
        URL,
        "https://evil.org/gate",
        "url-host",
    ),
    ("R4", "DnsEvents", {"Name": "evil.org"}, URL, "http://evil.org/gate", "url-host"),
    ("R4", "DnsEvents", {"Name": "www.evil.org"}, URL, "http://evil.org/gate", None),
    (
        "R4",
        "DnsEvents",
        {"Name": "drive.google.com"},
        URL,
        "https://drive.google.com/uc?id=1",
        None,
    ),
    (
        "R4",
        "UrlClickEvents",
        {"Url": "https://drive.google.com/uc?id=1"},
        URL,
        "https://drive.google.com/uc?id=1",
        "url",
    ),
    (
        "R4",
        "DeviceNetworkEvents",
        {"RemoteIP": "45.137.22.7", "RemotePort": 80},
        URL,
        "http://45.137.22.7/x.exe",
        "url-host",
    ),
    ("R5", "DeviceFileEvents", {"SHA256": SHA256.upper()}, IndicatorType.SHA256, SHA256, "hash"),
    ("R5", "DeviceFileEvents", {"SHA1": SHA256}, IndicatorType.SHA256, SHA256, None),
    ("R5", "CommonSecurityLog", {"FileHash": SHA256}, IndicatorType.SHA256, SHA256, "hash"),
    ("R8", "DnsEvents", {"Name": None}, DOMAIN, "texornacu.com", None),
    ("R8", "DnsEvents", {"Name": ""}, DOMAIN, "texornacu.com", None),
]
IDS = [f"{rule}-{number}" for number, (rule, *_) in enumerate(TRAPS)]


def _one(type_: IndicatorType, value: str) -> IndicatorSet:
    return IndicatorSet.of(
        [
            Indicator(
                type=type_,
                value=parse(value, type_),
                source="threatfox",
                source_id="1",
                threat_type="botnet_cc",
                malware="win.fox",
                malware_printable="Fox",
                confidence_level=100,
                first_seen=datetime(2026, 5, 24, tzinfo=UTC),
            )
        ]
    )


def _timed(table: str, row: Row) -> Row:
    return {get_table(table).time: datetime(2026, 6, 1, 12), **row}


@pytest.mark.parametrize(("rule", "table", "row", "type_", "value", "expected"), TRAPS, ids=IDS)
def test_every_place_a_rule_runs_reads_the_trap_alike(
    rule: str, table: str, row: Row, type_: IndicatorType, value: str, expected: str | None
) -> None:
    indicators, rows = _one(type_, value), [_timed(table, row)]
    kinds = [] if expected is None else [MatchKind(expected)]

    assert [e.kind for e in by_evaluator(indicators, table, rows, MatchMode.EXACT)] == kinds
    for reading in Reading:
        events = by_engine(indicators, table, rows, MatchMode.EXACT, reading=reading)
        assert [e.kind for e in events] == kinds
    assert [kind for *_, kind, _ in by_exact_kql(indicators, table, rows)] == kinds


def test_the_traps_reach_every_kind_of_match() -> None:
    reached = {expected for *_, expected in TRAPS}

    assert reached == {str(kind) for kind in MatchKind if kind is not MatchKind.TERM} | {None}


@pytest.mark.parametrize(
    ("name", "is_found"),
    [("texornacu.com.evil.org", True), ("not-texornacu.com", True), ("xtexornacu.com", False)],
)
def test_r9_term_mode_says_what_the_pages_say(name: str, is_found: bool) -> None:
    indicators, rows = _one(DOMAIN, "texornacu.com"), [_timed("DnsEvents", {"Name": name})]

    assert bool(by_evaluator(indicators, "DnsEvents", rows, MatchMode.TERM)) is is_found
    by_reading = [
        by_engine(indicators, "DnsEvents", rows, MatchMode.TERM, reading=reading)
        for reading in Reading
    ]
    assert [bool(events) for events in by_reading] == [is_found] * len(Reading)
    assert bool(by_term_kql(indicators, "DnsEvents", rows)) is is_found
