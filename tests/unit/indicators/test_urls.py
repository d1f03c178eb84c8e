"""R4: what of a URL is compared, case by case; the laws are in tests/property/test_url_keys.py."""

from __future__ import annotations

import pytest

from foxhunt.errors import BenignValueError, ParseError
from foxhunt.indicators import UrlKey, continues_at_border, url_key
from foxhunt.indicators.urls import parse_url


@pytest.mark.parametrize(
    ("text", "host", "port", "path"),
    [
        ("http://evil.org/gate", "evil.org", "", "/gate"),
        ("HTTP://u:p@EVIL.org:80/gate?a#x", "evil.org", "", "/gate?a"),
        ("https://evil.org:443", "evil.org", "", "/"),
        ("https://evil.org:80/", "evil.org", "80", "/"),
        ("http://evil.org:00080/", "evil.org", "", "/"),
        ("http://evil.org./", "evil.org", "", "/"),
        ("http://M\u00fcnchen.de/\u00fc", "xn--mnchen-3ya.de", "", "/%C3%BC"),
        ("http://evil.org/a/../b/./c", "evil.org", "", "/b/c"),
        ("http://evil.org/A%2e%2E/B", "evil.org", "", "/A%2e%2E/B"),
        ("http://evil.org/?", "evil.org", "", "/"),
        ("http://evil.org?x", "evil.org", "", "/?x"),
        ("http://evil.org\\gate\\", "evil.org", "", "/gate/"),
        ("http:evil.org/x", "evil.org", "", "/x"),
        ("http:///evil.org/x", "evil.org", "", "/x"),
        ("  http://evil.org/x  ", "evil.org", "", "/x"),
        ("http://45.137.22.7:8080/x", "45.137.22.7", "8080", "/x"),
        ("http://0x2d891607/x", "45.137.22.7", "", "/x"),
        ("http://[2A02:4780::1]/x", "2a02:4780::1", "", "/x"),
        ("http://[::ffff:45.137.22.7]/x", "45.137.22.7", "", "/x"),
    ],
)
def test_a_url_is_read_as_browsers_do(text: str, host: str, port: str, path: str) -> None:
    assert url_key(text) == UrlKey(host, port, path)


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("tcp://duckdns.org:80/gate", "80"),
        ("tcp://duckdns.org:443/gate", "443"),
        ("tcp://duckdns.org:21/gate", "21"),
        ("tcp://duckdns.org:00080/gate", "80"),
        ("tcp://duckdns.org:8080/gate", "8080"),
        ("tcp://duckdns.org/gate", ""),
        ("tcp://duckdns.org:/gate", ""),
    ],
)
def test_no_port_is_a_foreign_schemes_own(text: str, port: str) -> None:
    assert url_key(text) == UrlKey("duckdns.org", port, "/gate")


@pytest.mark.parametrize(
    ("text", "host", "port", "path"),
    [
        ("evil.org/gate", "evil.org", "", "/gate"),
        ("//evil.org/gate", "evil.org", "", "/gate"),
        ("evil.org:80/gate", "evil.org", "", "/gate"),
        ("evil.org:443/gate", "evil.org", "", "/gate"),
        ("evil.org:21/gate", "evil.org", "21", "/gate"),
        ("evil.org:8080/gate", "evil.org", "8080", "/gate"),
        ("evil.org", "evil.org", "", None),
        ("evil.org:443", "evil.org", "", None),
        ("evil.org:8443", "evil.org", "8443", None),
        ("//evil.org", "evil.org", "", None),
        ("evil.org/", "evil.org", "", "/"),
        ("evil.org?x", "evil.org", "", "/?x"),
        ("[2a02:4780::1]:443", "2a02:4780::1", "", None),
    ],
)
def test_a_log_may_leave_out_the_scheme(text: str, host: str, port: str, path: str | None) -> None:
    assert url_key(text) == UrlKey(host, port, path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/gate",
        "C:\\Users\\x",
        "\\\\server\\share",
        "mail@evil.org",
        "mailto:a@evil.org",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///c:/x",
        "tcp:///evil.org",
        "about:blank",
        "http://",
        "http:///",
        "http://evil.org:65536/",
        "http://evil org/",
        "http://256.1.1.1/",
        "evil.org:80:90",
        "///x",
        "http://[::1",
        "x" * 16_385,
        "http://%00/",
        "?x",
        "#x",
    ],
)
def test_what_is_no_url_has_no_key(text: str) -> None:
    assert url_key(text) is None


def test_a_key_is_written_as_a_url_without_its_scheme() -> None:
    assert str(UrlKey("evil.org", "8080", "/gate?a")) == "evil.org:8080/gate?a"
    assert str(UrlKey("2a02:4780::1", "", None)) == "[2a02:4780::1]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("HTTPS://Evil.org:443/Gate#x", "https://evil.org/Gate"),
        ("http://evil.org", "http://evil.org/"),
        ("http://evil.org\\", "http://evil.org/"),
        ("http://u:p@evil.org/a b", "http://evil.org/a%20b"),
        ("tcp://evil.org:80", "tcp://evil.org:80/"),
        ("evil.org:443/gate", "http://evil.org/gate"),
        ("evil.org", "http://evil.org/"),
        ("http://[::ffff:45.137.22.7]:8080/x", "http://45.137.22.7:8080/x"),
    ],
)
def test_an_indicator_is_read_in_its_canonical_form(text: str, expected: str) -> None:
    assert parse_url(text) == expected
    assert parse_url(expected) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("/gate", "not a URL with a host"),
        ("http://evil.org:99999/", "not a URL with a host"),
        ("http://single/", "a single label is not a domain"),
        ("x" * 16_385, "longer than 16384 characters"),
        # Each letter takes six characters in the key: one that cannot be read back has no key.
        ("http://evil.org/" + "\u00fc" * 16_000, "longer than 16384 characters when encoded"),
    ],
)
def test_what_is_no_url_is_refused(text: str, message: str) -> None:
    with pytest.raises(ParseError, match=message) as caught:
        parse_url(text)

    assert type(caught.value) is ParseError


@pytest.mark.parametrize(
    "text",
    [
        "http://www.example.com/x",
        "http://10.0.0.1/x",
        "http://2130706433/x",
        "http://[::1]/x",
        "http://printer.local/",
        "http://224.0.0.1/",
    ],
)
def test_a_host_that_is_nobodys_is_nobodys_malware(text: str) -> None:
    with pytest.raises(BenignValueError):
        parse_url(text)


@pytest.mark.parametrize(
    ("observed", "indicator", "expected"),
    [
        ("/gate/x", "/gate", True),
        ("/gate?x", "/gate", True),
        ("/gate&x", "/gate", True),
        ("/gateway", "/gate", False),
        ("/gate", "/gate", False),
        ("/gat", "/gate", False),
        ("/gate/x", "/gate/", True),
        ("/x", "/", True),
        ("/gate?a=1&b=2", "/gate?a=1", True),
        ("/gate?a=12", "/gate?a=1", False),
        ("/GATE/x", "/gate", False),
    ],
)
def test_a_path_goes_on_only_at_a_border(observed: str, indicator: str, expected: bool) -> None:
    assert continues_at_border(observed, indicator) is expected
