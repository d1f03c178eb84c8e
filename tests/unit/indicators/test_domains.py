"""R1: names, their canonical form, and who shares them."""

from __future__ import annotations

from importlib import resources

import pytest

from foxhunt.errors import BenignValueError, ParseError
from foxhunt.indicators import canonical_name, is_shared, parents
from foxhunt.indicators.domains import _may_be_public, _public_suffixes, parse_domain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MicrosoftSyst3m.com", "microsoftsyst3m.com"),
        ("evil.org.", "evil.org"),
        ("evil.org...", "evil.org"),
        ("M\u00fcnchen.DE", "xn--mnchen-3ya.de"),
        ("xn--e1acm1a.xn--p1ai", "xn--e1acm1a.xn--p1ai"),
        ("stra\u00dfe.de", "xn--strae-oqa.de"),
        ("\uff45vil\u3002org\uff61", "evil.org"),
        ("_dmarc.evil.org", "_dmarc.evil.org"),
        ("-evil-.org", "-evil-.org"),
        ("hidden.onion", "hidden.onion"),
        ("a." * 125 + "org", "a." * 125 + "org"),
    ],
)
def test_an_indicator_is_read_in_its_canonical_form(text: str, expected: str) -> None:
    assert parse_domain(text) == expected
    assert canonical_name(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "org",
        "evil..org",
        ".evil.org",
        "evil org.com",
        "evil.org:443",
        "evil.org/gate",
        "*.evil.org",
        "203.0.113.7",
        "evil.7",
        "a" * 64 + ".org",
        "a." * 126 + "org",
        "\u2026.org",
        "a\u200db.org",
        "\u00fc" * 300 + ".org",
    ],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse_domain(text)

    assert type(caught.value) is ParseError


@pytest.mark.parametrize(
    "text",
    [
        "evil.example",
        "example.com",
        "a.b.example.org",
        "printer.local",
        "x.internal",
        "x.test",
        "7.113.0.203.in-addr.arpa",
        "www.localhost",
        "nas.lan",
    ],
)
def test_a_reserved_name_is_nobodys_malware(text: str) -> None:
    with pytest.raises(BenignValueError, match="reserved name"):
        parse_domain(text)


def test_a_name_that_only_ends_like_a_reserved_one_is_not_reserved() -> None:
    assert parse_domain("notexample.com") == "notexample.com"
    assert parse_domain("mylocal.org") == "mylocal.org"


@pytest.mark.parametrize("text", ["\u00fc" * 300, "a\u200db.org", "x\ud800y"])
def test_a_log_may_hold_what_is_no_name(text: str) -> None:
    """It keeps its lower-cased spelling, and matches nothing that a feed may list."""
    assert canonical_name(text) == text.lower()


def test_blanks_around_a_logged_name_are_no_part_of_it() -> None:
    assert canonical_name(" evil.org. \n") == "evil.org"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("co.uk", True),
        ("duckdns.org", True),
        ("workers.dev", True),
        ("drive.google.com", True),
        ("pastebin.com", True),
        ("evil.duckdns.org", False),
        ("texornacu.com", False),
        ("evil.nosuchtld", False),
        ("nosuchtld", False),
    ],
)
def test_who_shares_a_name(name: str, expected: bool) -> None:
    assert is_shared(name) is expected


def test_no_public_suffix_is_taken_for_none_before_the_list_is_asked() -> None:
    """Of every rule: its name, the wildcard's implied ones, and what is above and below them."""
    suffixes = _public_suffixes()
    text = resources.files("publicsuffixlist").joinpath("public_suffix_list.dat").read_text("utf-8")
    rules = [line for line in text.splitlines() if line and not line.startswith("//")]
    assert len(rules) > 8_000
    for rule in rules:
        name = canonical_name(rule.lstrip("!").removeprefix("*."))
        for one in (name, name.partition(".")[2], f"a.{name}", f"b.a.{name}"):
            assert _may_be_public(one) or not suffixes.is_public(one), one


def test_the_list_is_not_parsed_for_a_plain_name() -> None:
    assert not _may_be_public("c2.evil.org")
    assert _may_be_public("co.uk")
    assert _may_be_public("anything.ck")
    assert _may_be_public("xn--mnchen-3ya.de")


def test_parents_go_from_the_name_to_its_last_label() -> None:
    assert parents("a.b.org") == ["a.b.org", "b.org", "org"]
    assert parents("org") == ["org"]
