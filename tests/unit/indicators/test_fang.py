"""Refanging: every style users of peer tools paste, and nothing that was never defanged."""

from __future__ import annotations

import pytest

from foxhunt.indicators import defang, refang


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("evil[.]org", "evil.org"),
        ("evil(.)org", "evil.org"),
        ("evil{.}org", "evil.org"),
        ("evil[dot]org", "evil.org"),
        ("evil (DOT) org", "evil.org"),
        ("evil [.] sub [.] org", "evil.sub.org"),
        ("evil[[.]]org", "evil.org"),
        ("evil[ [.] ]org", "evil.org"),
        ("a[.] [.]b", "a..b"),
        (r"evil\.org", "evil.org"),
        ("  evil.org\n", "evil.org"),
        ("203.0.113[.]7", "203.0.113.7"),
        ("203[.]0[.]113[.]7[:]443", "203.0.113.7:443"),
        ("mail[at]evil[dot]org", "mail@evil.org"),
        ("mail[@]evil.org", "mail@evil.org"),
    ],
)
def test_brackets_and_words_come_off_a_host(text: str, expected: str) -> None:
    assert refang(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hxxp://evil.org/a", "http://evil.org/a"),
        ("hXXps://evil.org/a", "https://evil.org/a"),
        ("h**p://evil.org/", "http://evil.org/"),
        ("h__ps://evil.org/", "https://evil.org/"),
        ("meow://evil.org/", "http://evil.org/"),
        ("fxp://evil.org/", "ftp://evil.org/"),
        ("hxxp[:]//evil.org/", "http://evil.org/"),
        ("hxxp[://]evil.org/", "http://evil.org/"),
        ("hxxps[:][/][/]evil[.]org[/]a", "https://evil.org/a"),
        (r"hxxp:\\evil.org/", "http://evil.org/"),
        ("hxxp [:] //evil.org/", "http://evil.org/"),
        ("tcp://evil[.]org:80/", "tcp://evil.org:80/"),
    ],
)
def test_a_scheme_is_mended(text: str, expected: str) -> None:
    assert refang(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "evil.org",
        "HTTP://evil.org/",
        "[2001:db8::1]:443",
        "http://[2001:db8::1]/",
        "http://evil.org/?q=a[.]b",
        "http://evil.org/x[dot]y",
        "http://evil.org/(.)",
        r"http://evil.org\.x",
        "httpx://evil.org/",
        "",
    ],
)
def test_text_that_was_never_defanged_stays(text: str) -> None:
    assert refang(text) == text


def test_dots_after_the_host_are_mended_only_when_all_of_them_are_defanged() -> None:
    """CyberChef defangs every dot of a URL; a lone ``[.]`` in a path is the attacker's own."""
    assert refang("hxxp://evil[.]org/a[.]php?b=c[.]d") == "http://evil.org/a.php?b=c.d"
    assert refang("hxxp://evil[.]org/a[.]php?b=c.d") == "http://evil.org/a[.]php?b=c.d"


def test_brackets_of_an_ipv6_address_stay() -> None:
    assert refang("[2001[:]db8[:][:]]:443") == "[2001:db8::]:443"


@pytest.mark.parametrize("blanks_and_brackets", [" ", "[", "[ ", "]", "[.", "\\", "[\\", "(/"])
def test_a_long_run_is_read_once(blanks_and_brackets: str) -> None:
    """Ten times as long as any value; a pattern that tries from each place would not end."""
    text = "a" + blanks_and_brackets * 160_000 + "b"

    assert refang(text).startswith("a")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("evil.org", "evil[.]org"),
        ("HTTPS://evil.org/a.b", "hxxpS://evil[.]org/a.b"),
        ("ftp://evil.org/", "ftp://evil[.]org/"),
        ("httpx://evil.org/", "httpx://evil[.]org/"),
        ("203.0.113.7:443", "203[.]0[.]113[.]7:443"),
        ("http://[2001:db8::1]:80/", "hxxp://[2001[:]db8[:][:]1]:80/"),
        ("http://evil.org/a[.]b", "hxxp://evil[.]org/a[[.]]b"),
        ("d41d8cd98f00b204e9800998ecf8427e", "d41d8cd98f00b204e9800998ecf8427e"),
    ],
)
def test_what_is_shown_is_no_link(value: str, shown: str) -> None:
    assert defang(value) == shown
