"""Patterns of STIX: what can be said exactly is read, everything else has its reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.content.stix import literal
from foxhunt.errors import ParseError
from foxhunt.feeds.siblings.stix_patterns import Observable, Refused, read_pattern

ADDRESS, PORT = "network-traffic:dst_ref.value = '9.9.9.9'", "network-traffic:dst_port = 443"


def said(pattern: str) -> list[tuple[str, str]]:
    return [
        (str(one.type), one.text) if isinstance(one, Observable) else ("refused", one.why)
        for one in read_pattern(pattern)
    ]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("[domain-name:value = 'a.org']", [("domain", "a.org")]),
        ("[url:value = 'http://a.org/']", [("url", "http://a.org/")]),
        ("[file:hashes.MD5 = 'x']", [("md5_hash", "x")]),
        ("[file:hashes.'SHA-1' = 'x']", [("sha1_hash", "x")]),
        ("[file:hashes.SHA256 = 'x']", [("sha256_hash", "x")]),
        ("[file:hashes.'SHA3-384' = 'x']", [("sha3_384_hash", "x")]),
        (f"[{ADDRESS} AND {PORT}]", [("ip:port", "9.9.9.9:443")]),
        (f"[{PORT} AND {ADDRESS}]", [("ip:port", "9.9.9.9:443")]),
        (
            f"[(network-traffic:dst_ref.type = 'ipv4-addr' AND {ADDRESS}) AND {PORT}]",
            [("ip:port", "9.9.9.9:443")],
        ),
        (
            "[ipv6-addr:value = '2620:fe::fe' AND network-traffic:dst_port = '443']",
            [("ip:port", "[2620:fe::fe]:443")],
        ),
        (
            "[domain-name:value IN ('a.org', 'b.org')]",
            [("domain", "a.org"), ("domain", "b.org")],
        ),
        (
            f"[(ipv4-addr:value = '9.9.9.9' OR ipv4-addr:value = '9.9.9.10') AND {PORT}]",
            [("ip:port", "9.9.9.9:443"), ("ip:port", "9.9.9.10:443")],
        ),
        (
            "([domain-name:value = 'a.org']) OR [url:value = 'x' OR file:hashes.MD5 = 'y']",
            [("domain", "a.org"), ("url", "x"), ("md5_hash", "y")],
        ),
    ],
)
def test_what_an_indicator_can_say_is_read(pattern: str, expected: list[tuple[str, str]]) -> None:
    assert said(pattern) == expected


@pytest.mark.parametrize(
    ("comparison", "why"),
    [
        ("ipv4-addr:value = '9.9.9.9'", "an address without a port"),
        (ADDRESS, "an address without a port"),
        ("url:value LIKE 'http://%'", "url:value: LIKE cannot be said"),
        ("url:value MATCHES '^http'", "MATCHES cannot be said"),
        ("ipv4-addr:value ISSUBSET '9.9.9.0/24'", "ISSUBSET cannot be said"),
        ("domain-name:value != 'a.org'", "!= cannot be said"),
        ("domain-name:value NOT = 'a.org'", "NOT cannot be said"),
        ("domain-name:value NOT IN ('a.org')", "NOT cannot be said"),
        ("EXISTS domain-name:value", "EXISTS cannot be said"),
        ("file:size > 5", "an order cannot be said"),
        ("domain-name:value = true", "a value that is neither text nor number"),
        ("x:y = t'2020-01-01T00:00:00Z'", "a value that is neither text nor number"),
        ("email-addr:value = 'a@b.org'", "no such type of indicator"),
        ("file:hashes.SSDEEP = 'x'", "no such type of indicator"),
        ("file:name = 'a' AND file:hashes.MD5 = 'x'", "an indicator is one value"),
        ("domain-name:value = 'a' AND domain-name:value = 'a'", "an indicator is one value"),
        (f"{ADDRESS} AND {PORT} AND network-traffic:src_port = 1", "an indicator is one value"),
        (f"{ADDRESS} AND network-traffic:src_port = 1", "an indicator is one value"),
        (
            f"network-traffic:dst_ref.type = 'ipv6-addr' AND {ADDRESS} AND {PORT}",
            "an indicator is one value",
        ),
    ],
)
def test_what_no_indicator_can_say_is_refused_with_its_reason(comparison: str, why: str) -> None:
    (refused,) = read_pattern(f"[{comparison}]")

    assert isinstance(refused, Refused)
    assert why in refused.why


def test_one_refused_alternative_costs_no_other() -> None:
    found = read_pattern("[domain-name:value = 'a.org' OR url:value LIKE 'x']")

    assert [type(one) for one in found] == [Observable, Refused]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("[url:value = 'a'] AND [url:value = 'b']", "AND [...] asks for two events"),
        ("[url:value = 'a'] FOLLOWEDBY [url:value = 'b']", "FOLLOWEDBY [...] asks for two"),
        ("[url:value = 'a'] REPEATS 5 TIMES", "REPEATS"),
        ("[url:value = 'a'] WITHIN 5 SECONDS", "WITHIN"),
        (
            "[url:value = 'a'] START t'2020-01-01T00:00:00Z' STOP t'2021-01-01T00:00:00Z'",
            "START ... STOP",
        ),
        ("", "not a STIX pattern"),
        ("[url:value = 'a'", "not a STIX pattern"),
        ("[url:value = 'a'] x", "not a STIX pattern"),
        ("title: a Sigma rule", "not a STIX pattern"),
        ("[" + "(" * 3000, "nested too deeply"),
        ("[url:value = '" + "a" * 30_000 + "']", "longer than 20000 characters"),
        (
            "[" + " AND ".join(["(a:b = 1 OR a:b = 2)"] * 12) + "]",
            "more than 1000 alternatives",
        ),
    ],
)
def test_what_is_no_pattern_or_of_several_events_is_refused(pattern: str, message: str) -> None:
    with pytest.raises(ParseError) as caught:
        read_pattern(pattern)

    assert message in caught.value.message


def test_hundreds_of_values_in_one_pattern_are_all_read() -> None:
    names = [f"a{n}.org" for n in range(150)]

    assert len(read_pattern(f"[{' OR '.join(f'domain-name:value = {literal(n)}' for n in names)}]"))
    found = said(f"[domain-name:value IN ({', '.join(map(literal, names))})]")

    assert [text for _, text in found] == names


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_reads_back_as_it_was_quoted(text: str) -> None:
    """The other way round is `foxhunt.content.stix.literal`."""
    assert said(f"[url:value = {literal(text)}]") == [("url", text)]


@given(st.text(alphabet="[]()'=\\ ANDORabc:.19<>!", max_size=40))
def test_hostile_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    try:
        read_pattern(text)
    except ParseError:
        return
