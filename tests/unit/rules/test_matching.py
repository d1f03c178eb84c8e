"""What a match is, value by value: the definition that every engine is compared with."""

from __future__ import annotations

import re

import pytest

from foxhunt.indicators import IndicatorType, canonical_address
from foxhunt.rules import ANSWER_SEPARATORS, MatchKind, has_term, match, term_value
from foxhunt.rules.matching import TYPES_MET, match_term
from foxhunt.tables import Shows
from tests.families import indicator

DOMAIN, URL, IP_PORT = IndicatorType.DOMAIN, IndicatorType.URL, IndicatorType.IP_PORT
MD5, SHA1, SHA256 = IndicatorType.MD5, IndicatorType.SHA1, IndicatorType.SHA256


def kind_of(
    shows: Shows, observed: str, type_: IndicatorType, value: str, port: int | None = None
) -> str | None:
    found = match(shows, observed, port, indicator(type_, value))
    return None if found is None else str(found)


@pytest.mark.parametrize(
    ("observed", "listed", "expected"),
    [
        ("texornacu.com", "texornacu.com", "exact"),
        ("TEXORNACU.com.", "texornacu.com", "exact"),
        (" texornacu.com ", "texornacu.com", "exact"),
        ("c2.texornacu.com", "texornacu.com", "subdomain"),
        ("texornacu.com.evil.org", "texornacu.com", None),
        ("not-texornacu.com", "texornacu.com", None),
        ("texornacu.co", "texornacu.com", None),
        ("com", "texornacu.com", None),
        ("", "texornacu.com", None),
        ("duckdns.org", "duckdns.org", "exact"),
        ("honest.duckdns.org", "duckdns.org", None),
        ("evil.duckdns.org", "evil.duckdns.org", "exact"),
        ("c2.evil.duckdns.org", "evil.duckdns.org", "subdomain"),
        ("m\u00fcnchen.de", "xn--mnchen-3ya.de", "exact"),
    ],
)
def test_r1_a_domain_in_a_column_of_names(observed: str, listed: str, expected: str | None) -> None:
    assert kind_of(Shows.NAME, observed, DOMAIN, listed) == expected


@pytest.mark.parametrize(
    ("observed", "port", "expected"),
    [
        ("45.137.22.7", 443, "ip:port"),
        ("45.137.22.7", 80, "ip"),
        ("45.137.22.7", None, "ip"),
        ("::ffff:45.137.22.7", 443, "ip:port"),
        ("45.137.22.70", 443, None),
        ("evil.org", 443, None),
        ("", 443, None),
    ],
)
def test_r2_an_address_with_its_port(observed: str, port: int | None, expected: str | None) -> None:
    assert kind_of(Shows.ADDRESS, observed, IP_PORT, "45.137.22.7:443", port) == expected


@pytest.mark.parametrize(
    ("observed", "expected"),
    [
        ("45.137.22.7", "resolved-ip"),
        ("10.0.0.1, 45.137.22.7", "resolved-ip"),
        ("10.0.0.1;45.137.22.7;", "resolved-ip"),
        ('["10.0.0.1","45.137.22.7"]', "resolved-ip"),
        ("::ffff:45.137.22.7;", "resolved-ip"),
        ("45.137.22.70,145.137.22.7", None),
        ("type: 5 cdn.evil.org", None),
        ("", None),
    ],
)
def test_r2_a_dns_answer_is_a_weak_sign(observed: str, expected: str | None) -> None:
    assert kind_of(Shows.ANSWERS, observed, IP_PORT, "45.137.22.7:443") == expected


def test_no_separator_of_answers_stands_in_an_address() -> None:
    for address in ("45.137.22.7", "2a02:4780::1"):
        assert re.split(ANSWER_SEPARATORS, address) == [address]
        assert canonical_address(address) == address


@pytest.mark.parametrize(
    ("observed", "listed", "expected"),
    [
        ("https://evil.org/gate", "http://evil.org/gate", "url"),
        ("HTTP://u:p@EVIL.org:80/gate#x", "http://evil.org/gate", "url"),
        ("http://evil.org/gate/x", "http://evil.org/gate", "url-prefix"),
        ("http://evil.org/gate?x", "http://evil.org/gate", "url-prefix"),
        ("http://evil.org/gateway", "http://evil.org/gate", None),
        ("http://evil.org/GATE", "http://evil.org/gate", None),
        ("http://evil.org:8080/gate", "http://evil.org/gate", None),
        ("http://x.evil.org/gate", "http://evil.org/gate", None),
        ("http://evil.org/other", "http://evil.org/gate", None),
        ("http://evil.org/", "http://evil.org/", "url"),
        ("http://evil.org/anything", "http://evil.org/", "url-prefix"),
        ("evil.org", "http://evil.org/gate", "url-host"),
        ("evil.org:443", "http://evil.org/gate", "url-host"),
        ("evil.org:8443", "http://evil.org/gate", "url-host"),
        ("tcp://evil.org:80/gate", "http://evil.org/gate", None),
        ("tcp://evil.org:80/gate", "tcp://evil.org:80/gate", "url"),
        ("tcp://evil.org/gate", "http://evil.org/gate", "url"),
        ("https://drive.google.com/uc?id=1", "https://drive.google.com/uc?id=1", "url"),
        ("https://drive.google.com/uc?id=2", "https://drive.google.com/uc?id=1", None),
        ("https://drive.google.com/x", "https://drive.google.com/", None),
        ("drive.google.com:443", "https://drive.google.com/uc?id=1", None),
        ("/gate", "http://evil.org/gate", None),
    ],
)
def test_r4_a_url_in_a_column_of_urls(observed: str, listed: str, expected: str | None) -> None:
    assert kind_of(Shows.URL, observed, URL, listed) == expected


@pytest.mark.parametrize(
    ("observed", "expected"),
    [
        ("https://texornacu.com/x", "exact"),
        ("https://c2.texornacu.com:8443/x", "subdomain"),
        ("texornacu.com:443", "exact"),
        ("https://good.org/?u=texornacu.com", None),
        ("https://texornacu.com@good.org/", None),
        ("https://u@texornacu.com/", "exact"),
    ],
)
def test_r4_a_domain_is_met_by_the_host_of_a_url(observed: str, expected: str | None) -> None:
    assert kind_of(Shows.URL, observed, DOMAIN, "texornacu.com") == expected


@pytest.mark.parametrize(
    ("shows", "observed", "listed", "expected"),
    [
        (Shows.NAME, "evil.org.", "http://evil.org:8080/gate", "url-host"),
        (Shows.NAME, "www.evil.org", "http://evil.org/gate", None),
        (Shows.NAME, "drive.google.com", "https://drive.google.com/uc?id=1", None),
        (Shows.ADDRESS, "45.137.22.7", "http://45.137.22.7/x", "url-host"),
        (Shows.ADDRESS, "45.137.22.8", "http://45.137.22.7/x", None),
        (Shows.ADDRESS, "2A02:4780:0::1", "http://[2a02:4780::1]/x", "url-host"),
    ],
)
def test_r4_where_only_a_host_is_seen_the_match_is_weak(
    shows: Shows, observed: str, listed: str, expected: str | None
) -> None:
    assert kind_of(shows, observed, URL, listed) == expected


def test_r5_a_hash_is_met_in_the_column_of_its_kind() -> None:
    value = "cd34" * 16

    assert kind_of(Shows.SHA256, f" {value.upper()} ", SHA256, value) == "hash"
    assert kind_of(Shows.HASH, value, SHA256, value) == "hash"
    assert kind_of(Shows.SHA1, value, SHA256, value) is None
    assert kind_of(Shows.SHA256, value[:-1], SHA256, value) is None
    assert kind_of(Shows.HASH, "ab" * 16, MD5, "AB" * 16) == "hash"
    assert kind_of(Shows.HASH, "ab" * 20, SHA1, "AB" * 20) == "hash"


def test_a_column_meets_no_type_it_cannot_show() -> None:
    """An address in a column of names is no domain, and a name in a column of addresses none."""
    assert TYPES_MET[Shows.NAME] == {DOMAIN, URL}
    assert kind_of(Shows.NAME, "45.137.22.7", IP_PORT, "45.137.22.7:443") is None
    assert kind_of(Shows.ADDRESS, "texornacu.com", DOMAIN, "texornacu.com") is None
    assert kind_of(Shows.ANSWERS, "45.137.22.7", URL, "http://45.137.22.7/x") is None


def test_every_huntable_type_is_met_somewhere_and_no_other() -> None:
    met = {type_ for types in TYPES_MET.values() for type_ in types}

    assert met == {type_ for type_ in IndicatorType if type_.is_huntable}


def test_strong_matches_rank_before_weak_ones() -> None:
    strong = [kind for kind in MatchKind if kind.is_strong]
    weak = [kind for kind in MatchKind if not kind.is_strong]

    assert {str(kind) for kind in strong} == {
        *("exact", "subdomain", "ip:port", "url", "url-prefix", "hash"),
    }
    assert {str(kind) for kind in weak} == {"ip", "resolved-ip", "url-host", "term"}
    assert max(kind.rank for kind in strong) < min(kind.rank for kind in weak)


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("texornacu.com", "texornacu.com", True),
        ("TEXORNACU.COM", "texornacu.com", True),
        ("texornacu.com.evil.org", "texornacu.com", True),
        ("not-texornacu.com", "texornacu.com", True),
        ("xtexornacu.com", "texornacu.com", False),
        ("texornacu.community", "texornacu.com", False),
        ("xtexornacu.com texornacu.com", "texornacu.com", True),
        ("http://evil.org/gate/x", "http://evil.org/gate/", True),
        ("http://evil.org/gatex", "http://evil.org/gate", False),
        ("", "texornacu.com", False),
    ],
)
def test_r9_a_term_stands_between_what_is_not_alphanumeric(
    text: str, value: str, expected: bool
) -> None:
    """Kusto docs, string operators, 2024-09: terms are runs of alphanumerics."""
    assert has_term(text, value) is expected


def test_r9_term_mode_is_what_the_pages_say_faults_included() -> None:
    upper = indicator(SHA256, "cd34" * 16).value.upper()

    def found(shows: Shows, observed: str, type_: IndicatorType, value: str) -> bool:
        return match_term(shows, observed, indicator(type_, value)) is MatchKind.TERM

    assert found(Shows.NAME, "texornacu.com.evil.org", DOMAIN, "texornacu.com")
    assert found(Shows.ADDRESS, "45.137.22.7", IP_PORT, "45.137.22.7:443")
    assert not found(Shows.ADDRESS, "::ffff:45.137.22.7", IP_PORT, "45.137.22.7:443")
    assert not found(Shows.SHA256, upper, SHA256, upper)
    assert found(Shows.SHA256, upper.lower(), SHA256, upper)


def test_r9_the_pages_list_addresses_without_ports() -> None:
    assert term_value(indicator(IP_PORT, "45.137.22.7:443")) == "45.137.22.7"
    assert term_value(indicator(IP_PORT, "[2a02:4780::1]:443")) == "2a02:4780::1"
    assert term_value(indicator(URL, "hxxp://evil[.]org/")) == "http://evil.org/"
