"""What people type is understood in any spelling, and nothing else is made of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxhunt.errors import UsageError
from foxhunt.indicators import IndicatorType, UrlKey
from foxhunt.indicators.asked import host_of, understood
from foxhunt.indicators.conditions import IsValue, On
from foxhunt.indicators.lookup import SetReader

from .lookup_samples import every_kind

HASH = "5f0c3a9e1b2d4c6f5f0c3a9e1b2d4c6f"


@pytest.mark.parametrize(
    ("text", "type_", "value"),
    [
        ("Evil[.]ORG.", IndicatorType.DOMAIN, "evil.org"),
        ("hxxps://evil[.]org/a", IndicatorType.URL, "https://evil.org/a"),
        ("evil.org/a", IndicatorType.URL, "http://evil.org/a"),
        ("45[.]137.22.7[:]443", IndicatorType.IP_PORT, "45.137.22.7:443"),
        (HASH.upper(), IndicatorType.MD5, HASH),
    ],
)
def test_each_spelling_is_the_canonical_value(text: str, type_: IndicatorType, value: str) -> None:
    assert (type_, value) in understood(text).values


@pytest.mark.parametrize("text", ["evil.org", "evil.org:443", "45.137.22.7"])
def test_a_host_alone_is_no_url(text: str) -> None:
    asked = understood(text)

    assert asked.url is None
    assert not asked.is_of(IndicatorType.URL)


def test_a_url_is_known_by_its_key() -> None:
    assert understood("hxxp://Evil.org:8080/a#b").url == UrlKey("evil.org", "8080", "/a")


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("c2.evil[.]org", "c2.evil.org"),
        ("https://m\u00fcnchen.de/x", "xn--mnchen-3ya.de"),
        ("45.137.22.7:443", "45.137.22.7"),
        ("2A02:4780::1", "2a02:4780::1"),
        ("[2a02:4780::1]:443", "2a02:4780::1"),
        (HASH, None),
        ("spam@evil.org", None),
        ("localhost", None),
        ("www.example.com", None),
        ("a\nb", None),
    ],
)
def test_the_host_is_the_one_that_it_is_on(text: str, host: str | None) -> None:
    assert understood(text).host == host


def test_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="H100: the value is empty"):
        understood("  ")


@settings(max_examples=60)
@given(st.text() | st.text("a.:/[]@%?#-\\\u3002\udcff0\x00"))
def test_any_text_is_looked_for_or_empty(text: str) -> None:
    try:
        asked = understood(text)
    except UsageError:
        return
    looked = SetReader(every_kind())
    assert looked.find([IsValue(asked)]).count == 0
    assert looked.refused(text) == ()
    if asked.host is not None:
        looked.find([On(asked.host, has_parents=True)])


@pytest.mark.parametrize("text", [HASH, "rat", "spam@evil.org"])
def test_what_names_no_host_has_nothing_below_it(text: str) -> None:
    with pytest.raises(UsageError, match="names no domain and no address"):
        host_of(text)
