"""What a Sigma rule compares: checked against R1 and R4 by the plain matcher."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sigma.types import SigmaString

from foxhunt.content.sigma_detection import escaped, parts, size, texts
from foxhunt.indicators import IndicatorType
from tests.families import indicator


@given(st.text(min_size=1))
def test_an_escaped_text_has_no_wildcard_and_reads_back(text: str) -> None:
    value = SigmaString(escaped(text))

    assert not value.contains_special()
    assert "".join(part for part in value.s if isinstance(part, str)) == text


def finds_name(indicator_name: str, logged: str) -> bool:
    whole, ends = texts(indicator(IndicatorType.DOMAIN, indicator_name))
    name = logged.lower()
    return name in whole or name.endswith(ends)


@pytest.mark.parametrize(
    ("name", "logged", "is_found"),
    [
        ("evil.org", "evil.org", True),
        ("evil.org", "EVIL.org", True),
        ("evil.org", "a.evil.org", True),
        ("evil.org", "not-evil.org", False),
        ("evil.org", "evil.org.good.net", False),
        ("duckdns.org", "duckdns.org", True),
        ("duckdns.org", "mine.duckdns.org", False),
    ],
)
def test_names_are_found_at_the_border_of_a_label(name: str, logged: str, is_found: bool) -> None:
    assert finds_name(name, logged) is is_found


def finds_url(url: str, logged: str) -> bool:
    whole, begins = texts(indicator(IndicatorType.URL, url))
    return logged in whole or logged.startswith(begins)


@pytest.mark.parametrize(
    ("url", "logged", "is_found"),
    [
        ("http://evil.org/gate", "http://evil.org/gate", True),
        ("http://evil.org/gate", "https://evil.org/gate", True),
        ("http://evil.org/gate", "evil.org/gate", True),
        ("http://evil.org/gate", "http://evil.org/gate/x", True),
        ("http://evil.org/gate", "http://evil.org/gate?x=1", True),
        ("http://evil.org/gate", "http://evil.org/gate#x", True),
        ("http://evil.org/gate", "http://evil.org/gateway", False),
        ("http://evil.org/gate", "http://evil.org/", False),
        ("http://evil.org:8080/gate", "http://evil.org/gate", False),
        ("http://evil.org:80/gate", "http://evil.org/gate", True),
        ("http://evil.org/", "http://evil.org", True),
        ("http://evil.org/", "http://evil.org?x", True),
        ("http://evil.org/", "http://evil.org/any", True),
        ("http://evil.org/", "http://evil.org.good.net/", False),
        ("http://evil.org/", "http://evil.org:8080/", False),
        ("http://evil.org/", "evil.org", False),
        ("http://evil.org/a/", "http://evil.org/a/b", True),
        ("http://evil.org/a?b&", "http://evil.org/a?b&c", True),
        ("https://pastebin.com/", "https://pastebin.com/", True),
        ("https://pastebin.com/", "https://pastebin.com/raw/x", False),
        ("https://pastebin.com/raw/x", "https://pastebin.com/raw/x/y", True),
    ],
)
def test_urls_are_found_as_r4_says(url: str, logged: str, is_found: bool) -> None:
    assert finds_url(url, logged) is is_found


@given(st.lists(st.integers(1, 60), min_size=1, max_size=30), st.integers(1, 500))
def test_parts_keep_every_indicator_and_stay_within_bounds(lengths: list[int], most: int) -> None:
    about = [
        indicator(IndicatorType.DOMAIN, f"{'x' * length}.org", number)
        for number, length in enumerate(lengths)
    ]
    runs = list(parts(about, most))

    assert [one for run in runs for one in run] == about
    assert all(len(run) == 1 or sum(map(size, run)) <= most for run in runs)
