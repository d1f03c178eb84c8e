"""A record of a sibling feed in ThreatFox's spelling, and the family that its names are."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from foxhunt.feeds.raw import Broken
from foxhunt.feeds.siblings.told import Told, address_and_port, broken, family, words
from foxhunt.indicators import Indicator, IndicatorSet, Quarantined

RECORD = {
    "ioc_value": "texornacu.com",
    "ioc_type": "domain",
    "first_seen": "2026-05-24 06:12:33",
    **family(["Fox"]),
}


def told(**changes: object) -> Indicator | Quarantined:
    return Told(source="ministry", record=RECORD | changes, at="line 7").read()


def test_a_record_is_its_own_feeds() -> None:
    read = told(id="17")

    assert isinstance(read, Indicator)
    assert (read.source, read.source_id, read.malware) == ("ministry", "17", "fox")
    assert read.first_seen == datetime(2026, 5, 24, 6, 12, 33, tzinfo=UTC)


def test_a_derived_id_is_that_of_threatfox() -> None:
    """One function for all feeds: what a record without an id is called must not differ."""
    read = told()

    assert isinstance(read, Indicator)
    assert read.source_id.startswith("v:")


def test_a_refused_record_says_where_it_stands() -> None:
    read = told(confidence_level="much")

    assert isinstance(read, Quarantined)
    assert read.reason == "H101: line 7: confidence_level is not 0 to 100: 'much'"
    assert (read.value, read.type) == ("texornacu.com", "domain")


def test_what_is_no_record_keeps_its_text() -> None:
    read = Told(source="x", record=Broken("a,b", "2 fields"), type="url").read()

    assert isinstance(read, Quarantined)
    assert (read.value, read.type, read.reason) == ("a,b", "url", "H101: 2 fields")


@pytest.mark.parametrize(
    ("names", "label", "printable", "aliases"),
    [
        ([], "unknown", "Unknown malware", []),
        (["Mozi"], "mozi", "Mozi", []),
        (["Cobalt Strike"], "cobalt_strike", "Cobalt Strike", []),
        (["win.agent_tesla"], "win.agent_tesla", "win.agent_tesla", []),
        (["B", "a"], "a+b", "a, B", ["a", "B"]),
        (["a", "A"], "a", "A", []),
        (["  ", "\x1b[2J", "***"], "unknown", "Unknown malware", []),
        (["x" * 400], "unknown", "Unknown malware", []),
        ([str(n) for n in range(9)], "unknown", "Unknown malware", []),
        (["Лис"], "лис", "Лис", []),
    ],
)
def test_names_become_one_family(
    names: list[str], label: str, printable: str, aliases: list[str]
) -> None:
    assert family(names) == {
        "malware": label,
        "malware_printable": printable,
        "malware_alias": aliases,
    }


def test_each_name_of_a_combination_finds_it_and_nothing_else() -> None:
    made = [
        Told(source="s", source_id=str(n), record=RECORD | family(names)).read()
        for n, names in enumerate([["Fox"], ["Fox", "Owl"], ["Owl"], []])
    ]
    indicators = IndicatorSet.of(one for one in made if isinstance(one, Indicator))

    def found(name: str) -> list[str]:
        return sorted(one.source_id for one in indicators.where(families=[name]))

    assert found("fox") == ["0", "1"]
    assert found("OWL") == ["1", "2"]
    assert found("unknown") == ["3"]


@pytest.mark.parametrize(
    ("address", "port", "joined"),
    [
        ("9.9.9.9", 443, "9.9.9.9:443"),
        (" 9.9.9.9 ", "443", "9.9.9.9:443"),
        ("2620:fe::fe", "443", "[2620:fe::fe]:443"),
        ("[2620:fe::fe]", 443, "[2620:fe::fe]:443"),
        ("9.9.9.9", None, "9.9.9.9"),
        (None, 443, None),
        (17, 443, 17),
    ],
)
def test_address_and_port_are_joined_as_parse_takes_them(
    address: object, port: object, joined: object
) -> None:
    assert address_and_port(address, port) == joined


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("a, b ,,c", ("a", "b", "c")),
        (["a", 1, "", " b "], ("a", "b")),
        ("None", ()),
        (None, ()),
        ({"a": 1}, ()),
    ],
)
def test_words_are_those_of_a_list_or_a_text(raw: object, found: tuple[str, ...]) -> None:
    assert words(raw) == found


def test_what_is_nested_without_end_is_told_without_breaking() -> None:
    nested: object = []
    for _ in range(100_000):
        nested = [nested]

    assert broken(nested).text == "nested too deeply"
