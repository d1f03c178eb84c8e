"""R2: addresses are compared as addresses, and a port belongs to them."""

from __future__ import annotations

import ipaddress

import pytest

from foxhunt.errors import BenignValueError, ParseError
from foxhunt.indicators import canonical_address, parse_ip_port
from foxhunt.indicators.addresses import format_ip_port


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("45.137.22.7", "45.137.22.7"),
        (" 45.137.22.7 ", "45.137.22.7"),
        ("::ffff:45.137.22.7", "45.137.22.7"),
        ("::FFFF:2d89:1607", "45.137.22.7"),
        ("2A02:4780:0:0::1", "2a02:4780::1"),
        ("[2a02:4780::1]", "2a02:4780::1"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_spellings_of_an_address_are_one_address(text: str, expected: str) -> None:
    assert canonical_address(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "evil.org",
        "45.137.22",
        "45.137.22.7:443",
        "045.137.22.7",
        "45.137.22.256",
        "::g",
        "\u0664\u0665.137.22.7",
        "45.137.22.7/24",
        "2a02:4780::1::",
        "0x2d.0x89.0x16.7",
    ],
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert canonical_address(text) is None


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        ("45.137.22.7:443", "45.137.22.7", 443),
        ("45.137.22.7:1", "45.137.22.7", 1),
        ("45.137.22.7:65535", "45.137.22.7", 65535),
        ("45.137.22.7:00443", "45.137.22.7", 443),
        ("[2a02:4780::1]:443", "2a02:4780::1", 443),
        ("[::ffff:45.137.22.7]:443", "45.137.22.7", 443),
    ],
)
def test_an_indicator_is_split(text: str, address: str, port: int) -> None:
    assert parse_ip_port(text) == (ipaddress.ip_address(address), port)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("45.137.22.7", "no port 1..65535 after the last ':'"),
        ("45.137.22.7:", "no port"),
        ("45.137.22.7:0", "no port"),
        ("45.137.22.7:65536", "no port"),
        ("45.137.22.7:443 ", "no port"),
        ("45.137.22.7:+443", "no port"),
        ("45.137.22.7:\u0664\u0664\u0663", "no port"),
        ("45.137.22.7:\u00b2", "no port"),
        ("2a02:4780::1:443", "ambiguous IPv6"),
        ("[2a02:4780::1]", "no port"),
        ("[45.137.22.7]:443", "brackets are for IPv6 only"),
        ("evil.org:443", "not an IP address"),
        ("045.137.22.7:443", "not an IP address"),
        ("[2a02:4780::1%eth0]:443", "scoped address"),
        ("[]:443", "not an IP address"),
        (":443", "not an IP address"),
    ],
)
def test_what_is_no_address_and_port_is_refused(text: str, message: str) -> None:
    with pytest.raises(ParseError, match=message.replace(".", r"\.")) as caught:
        parse_ip_port(text)

    assert type(caught.value) is ParseError


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.1:443",
        "100.110.56.1:8080",
        "127.0.0.1:80",
        "169.254.1.1:80",
        "192.168.1.1:443",
        "203.0.113.7:443",
        "224.0.0.1:80",
        "239.1.2.3:80",
        "0.0.0.0:80",
        "255.255.255.255:80",
        "[::1]:80",
        "[fe80::1]:80",
        "[fd00::1]:80",
        "[ff02::1]:80",
        "[2001:db8::1]:80",
        "[::ffff:10.0.0.1]:443",
    ],
)
def test_an_address_that_is_not_on_the_internet_is_nobodys_malware(text: str) -> None:
    """ThreatFox did list one of the shared space, 100.110.56.1 (July 2026)."""
    with pytest.raises(BenignValueError, match="not a public address"):
        parse_ip_port(text)


def test_an_ambiguous_address_is_refused_with_its_remedy() -> None:
    with pytest.raises(ParseError) as caught:
        parse_ip_port("2a02:4780::1:443")

    assert caught.value.hint == "write it as [address]:port"


def test_the_canonical_text_of_both_families() -> None:
    assert format_ip_port(ipaddress.ip_address("45.137.22.7"), 443) == "45.137.22.7:443"
    assert format_ip_port(ipaddress.ip_address("2a02:4780::1"), 443) == "[2a02:4780::1]:443"
