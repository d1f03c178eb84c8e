"""Queries that are put together say what pySigma makes of the whole rule, sign for sign."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sigma.collection import SigmaCollection

from foxhunt.content import Subject, sigma_esql, sigma_splunk
from foxhunt.content.sigma import document
from foxhunt.content.sigma_backends import _ESQL, _NOT_IN_SPL
from foxhunt.content.sigma_detection import SOURCES, Source, texts
from foxhunt.content.sigma_skeleton import Dialect
from foxhunt.errors import ParseError
from foxhunt.indicators import Indicator, IndicatorSet, IndicatorType
from foxhunt.rules import build_rule
from tests import families

DIALECTS = {"splunk": sigma_splunk.dialect, "esql": sigma_esql.dialect}
SOURCE_OF = {source.key: source for source in SOURCES}
ALGORITHMS = ((IndicatorType.MD5, 32), (IndicatorType.SHA1, 40), (IndicatorType.SHA256, 64))


def by_pysigma(dialect: Dialect, source: Source, about: Sequence[Indicator]) -> str:
    subject = Subject(rule=build_rule("Rat", "win.rat", IndicatorSet.of(about)))
    rule = cast(Any, document(subject, source, about))
    (query,) = dialect.backend.convert(SigmaCollection.from_dicts([rule]))
    return str(query)


def assert_alike(source: Source, about: Sequence[Indicator]) -> None:
    """In both languages, for what they can say."""
    shown = [one for one in about if one.type in source.types]
    for name, made in DIALECTS.items():
        if name == "esql" and source.key not in _ESQL.headings:
            continue
        dialect = made()
        kept = [one for one in shown if name != "splunk" or not says_what_spl_cannot(one)]
        if kept:
            assert dialect.query(source, kept) == by_pysigma(dialect, source, kept), name


def says_what_spl_cannot(one: Indicator) -> bool:
    return any(char in text for kind in texts(one) for text in kind for char in _NOT_IN_SPL)


def numbered(type_: IndicatorType, count: int) -> Iterator[Indicator]:
    """Of each kind; shared names and front pages among them."""
    length = dict(ALGORITHMS).get(type_, 0)
    for number in range(count):
        match type_:
            case IndicatorType.DOMAIN:
                value = f"e{number}.org"
            case IndicatorType.URL:
                value = f"http://e{number}.org/" + ("a" * (number % 3))
            case IndicatorType.IP_PORT:
                value = f"45.9.{number % 5}.{number // 5 + 1}:{1 + number % 7}"
            case _:
                value = f"{number:0{length}x}"[:-1] + "f"
        yield families.indicator(type_, value, number)


# Around the borders of what a list is written as, and of chains of chains.
COUNTS = (1, 2, 3, 50, 51, 120)


@pytest.mark.parametrize("key", SOURCE_OF)
@pytest.mark.parametrize("count", COUNTS)
def test_every_source_and_length_of_list(key: str, count: int) -> None:
    source = SOURCE_OF[key]
    for type_ in source.types:
        about = list(numbered(type_, count))
        assert_alike(source, about)
        if type_ is IndicatorType.DOMAIN:
            assert_alike(source, [families.indicator(type_, "duckdns.org"), *about])
            assert_alike(source, [families.indicator(type_, "duckdns.org")])


@pytest.mark.parametrize("key", ["process", "image", "file", "stream"])
def test_hashes_of_several_kinds(key: str) -> None:
    for counts in ((1, 1, 1), (2, 0, 1), (0, 3, 3), (60, 2, 1)):
        about = [
            one
            for (type_, _), count in zip(ALGORITHMS, counts, strict=True)
            for one in numbered(type_, count)
        ]
        assert_alike(SOURCE_OF[key], about)


def test_ports_with_one_address_and_with_many() -> None:
    for values in (
        ["45.9.1.1:80"],
        ["45.9.1.1:80", "45.9.1.2:80"],
        ["45.9.1.1:60001", "45.9.1.2:443"],
        ["45.9.1.1:80", "45.9.1.2:80", "[2a02::1]:2", "45.9.1.2:1"],
        [f"45.9.1.1:{port}" for port in range(1, 130)],
    ):
        about = [
            families.indicator(IndicatorType.IP_PORT, value, number)
            for number, value in enumerate(values)
        ]
        assert_alike(SOURCE_OF["connection"], about)
        assert_alike(SOURCE_OF["firewall"], about)


# What WHATWG leaves in a query as it is, what it does not, and our own marks.
_HOSTILE = st.text(alphabet="ab\"\\*?`'|[]{}$%&#;/ \n\t\x00\u202e\u00e9,()", max_size=20) | st.just(
    'foxhuntmark0a", "foxhuntmark1b 60001'
)


@settings(deadline=None, max_examples=40)
@given(st.lists(_HOSTILE, min_size=1, max_size=4))
def test_hostile_urls(tails: list[str]) -> None:
    about = []
    for number, tail in enumerate(tails):
        try:
            value = f"http://evil.org/a{number}?{tail}"
            about.append(families.indicator(IndicatorType.URL, value, number))
        except ParseError:
            continue
    assert_alike(SOURCE_OF["proxy-url"], about)
