"""What `foxhunt show` tells, word for word, of friendly and of hostile values."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from foxhunt.cli.showing import Local, Shown, as_json, as_text
from foxhunt.errors import NetworkError
from foxhunt.feeds.asking import Answer
from foxhunt.indicators import IndicatorSet, IndicatorType, defang
from foxhunt.indicators.asked import understood
from foxhunt.indicators.conditions import IsValue
from foxhunt.indicators.lookup import SetReader
from foxhunt.indicators.related import related
from foxhunt.indicators.validity import ValidityPolicy
from foxhunt.reports import load_schema
from tests import golden_files

from ..indicators.indicator_samples import indicator, refused
from ..indicators.lookup_samples import HASH, every_kind

NOW = datetime(2026, 12, 1, tzinfo=UTC)
NAME = "20260714T082411.120345Z-5f0c3a9e1b2d4c6f"
HOSTILE = '\x1b[31m"\\{{7*7}}*/\u202egro.live\n'


def told(text: str, indicators: IndicatorSet | None = None, **more: Any) -> Shown:  # Any: as Shown
    looked = SetReader(every_kind() if indicators is None else indicators)
    asked = understood(text)
    local = Local(
        name=NAME,
        total=len(looked),
        indicators=looked.find([IsValue(asked)]).indicators(),
        related=related(looked, asked, 3),
        quarantined=looked.refused(text),
    )
    fields: dict[str, Any] = {"asked": asked, "now": NOW, "local": local}  # Any: likewise
    return Shown(**(fields | more))


ANSWER = Answer(
    queries=("search_ioc exactly c2.evil.org",),
    indicators=IndicatorSet.of(
        [indicator("2", value="c2.evil.org"), indicator("44", value="c2.evil.org")]
    ),
    others=2,
    quarantined=(refused("90"),),
)
SAMPLE = Answer(queries=(f"search_hash {HASH}",), indicators=ANSWER.indicators)
CASES = {
    "domain": told("hxxps://c2[.]evil.org"),
    "name": told("C2.EVIL.org."),
    "refused": told("evil[.]org"),
    "address": told("45.137.22.7"),
    "hash": told(HASH.upper(), sample=SAMPLE),
    "unknown": told("nowhere.net"),
    "online": told("c2.evil.org", online=ANSWER),
    "online_only": told("c2.evil.org", local=None, online=ANSWER),
    "online_nothing": told(
        "nowhere.net",
        online=Answer(queries=("search_ioc exactly nowhere.net",), indicators=IndicatorSet.of(())),
    ),
    "offline": told("c2.evil.org", online=NetworkError("search_ioc: no connection")),
}


@pytest.mark.parametrize("case", CASES)
def test_show_as_text(case: str) -> None:
    golden_files.check(f"lookups/{case}.txt", as_text(CASES[case], ValidityPolicy()))


@pytest.mark.parametrize("case", [*CASES, "hostile"])
def test_every_answer_is_what_the_schema_says(case: str) -> None:
    text = as_json(CASES.get(case) or hostile(), ValidityPolicy())

    assert text.isascii()
    Draft202012Validator(load_schema("show-1")).validate(json.loads(text))


@pytest.mark.parametrize("case", ["name", "offline"])
def test_show_as_json(case: str) -> None:
    golden_files.check(f"lookups/{case}.json", as_json(CASES[case], ValidityPolicy()))


def hostile() -> Shown:
    names = ("malware", "malware_printable", "threat_type", "reporter", "reference", "source_id")
    fields = dict.fromkeys(names, HOSTILE + "http://evil.org/")
    one = indicator(
        value="evil.org", malware_alias=(HOSTILE,), tags=(HOSTILE, "x" * 5_000), **fields
    )
    below = indicator(
        "2",
        type=IndicatorType.URL,
        value="http://a.evil.org/" + "a" * 9_000,
        malware_printable=HOSTILE,
    )
    kept = refused(HOSTILE, "evil.org")
    return told("evil.org", IndicatorSet.of([one, below], [kept]))


def test_nothing_of_a_feed_steers_the_terminal_or_is_a_link() -> None:
    text = as_text(hostile(), ValidityPolicy())

    assert all(char.isprintable() or char == "\n" for char in text)
    assert "http://" not in text
    assert max(map(len, text.splitlines())) < 2_500
    assert text.count("\n") < 40, "a value never makes a line of its own"


def test_json_gives_hostile_values_back_as_they_are() -> None:
    (found,) = json.loads(as_json(hostile(), ValidityPolicy()))["store"]["found"]

    assert found["reporter"] == HOSTILE + "http://evil.org/"
    assert found["tags"] == [HOSTILE, "x" * 5_000]


def test_what_was_typed_is_shown_defanged() -> None:
    text = as_text(told("http://evil.org/\u202e"), ValidityPolicy())

    assert text.startswith(defang("http://evil.org/") + "<U+202E> is none of 16 indicators")
