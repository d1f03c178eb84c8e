"""STIX: judged by OASIS's own library and its pattern validator; values read back."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
import stix2
from hypothesis import given
from hypothesis import strategies as st
from stix2patterns.v21.pattern import Pattern

from foxhunt.backends.kql_indicators import SOURCE_SYSTEM
from foxhunt.content import ContentFile, Revoked, Subject, get_content
from foxhunt.content.stix import literal, pattern_of, to_stix
from foxhunt.errors import UnsupportedError
from foxhunt.indicators import IndicatorSet, IndicatorType, parse_ip_port
from foxhunt.rules import build_rule
from tests import families
from tests.golden_files import check

SETS = {
    "unknown_rat": families.unknown_rat,
    "every_type": families.every_type,
    "hostile": families.hostile,
}


def files_of(indicators: IndicatorSet) -> dict[str, ContentFile]:
    rule = build_rule("Rat", "win.rat", indicators)
    return {file.name: file for file in get_content("stix")(Subject(rule=rule))}


def test_golden_files() -> None:
    for file in files_of(families.unknown_rat()).values():
        check(f"content/stix/{file.name}", file.text)


@pytest.mark.parametrize("name", SETS)
def test_the_bundle_is_stix_and_each_pattern_is_one(name: str) -> None:
    indicators = SETS[name]()
    bundle = stix2.parse(files_of(indicators)["stix-bundle.json"].text, allow_custom=False)

    assert len(bundle.objects) == sum(pattern_of(one) is not None for one in indicators)
    for one in bundle.objects:
        assert Pattern(one.pattern)
        assert one.spec_version == "2.1"


def read_values(pattern: str) -> list[object]:
    """The constants of a pattern, by OASIS's parser."""
    data = Pattern(pattern).inspect().comparisons
    texts = [value for comparisons in data.values() for _, _, value in comparisons]
    return [_constant(text) for text in texts]


def _constant(text: str) -> object:
    if text.startswith("'"):
        return text[1:-1].replace("\\'", "'").replace("\\\\", "\\")
    return int(text)


@pytest.mark.parametrize("name", SETS)
def test_values_are_read_back_as_they_went_in(name: str) -> None:
    for one in SETS[name]():
        pattern = pattern_of(one)
        if pattern is None:
            continue
        expected: list[object] = [one.value]
        if one.type is IndicatorType.IP_PORT:
            address, port = parse_ip_port(one.value)
            expected = [str(address), port]
        assert read_values(pattern) == expected


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_literal_is_one_constant(text: str) -> None:
    pattern = f"[url:value = {literal(text)}]"

    assert len(read_values(pattern)) == 1


def many(count: int) -> IndicatorSet:
    return IndicatorSet.of(
        families.indicator(IndicatorType.DOMAIN, f"d{number}.org", number)
        for number in range(count)
    )


def test_requests_hold_a_hundred_objects_each_once() -> None:
    uploads = [
        json.loads(file.text)
        for name, file in files_of(many(250)).items()
        if name.startswith("stix-upload-")
    ]

    assert [len(body["stixobjects"]) for body in uploads] == [100, 100, 50]
    assert {body["sourcesystem"] for body in uploads} == {SOURCE_SYSTEM}
    ids = [one["id"] for body in uploads for one in body["stixobjects"]]
    assert len(set(ids)) == 250


def test_a_new_indicator_changes_the_last_request_alone() -> None:
    newest = max(one.first_seen for one in many(250))
    late = families.indicator(IndicatorType.DOMAIN, "late.org", 999, first_seen=newest)
    before, after = files_of(many(250)), files_of(IndicatorSet.of([*many(250), late]))

    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"stix-bundle.json", "stix-upload-003.json"}


def test_what_was_taken_back_is_revoked() -> None:
    one, other = list(families.unknown_rat())[:2]
    rule = build_rule("Unknown RAT", "unknown_rat", IndicatorSet.of([other]))
    gone = Revoked(one, datetime(2026, 7, 1, tzinfo=UTC))

    (bundle, _) = get_content("stix")(Subject(rule=rule, revoked=(gone,)))

    found = {item["id"]: item for item in json.loads(bundle.text)["objects"]}
    taken = found[to_stix(one)["id"]]
    assert taken["revoked"] is True
    # Who has the object already takes the version that was changed last.
    assert taken["modified"] == "2026-07-01T00:00:00.000Z" > str(to_stix(one)["modified"])
    assert "revoked" not in found[to_stix(other)["id"]]
    stix2.parse(taken)


@pytest.mark.parametrize("at", [None, datetime(2026, 6, 1, tzinfo=UTC)])
def test_a_revoked_version_is_newer_than_the_one_it_takes_back(at: datetime | None) -> None:
    last = datetime(2026, 8, 1, tzinfo=UTC)
    one = families.indicator(IndicatorType.DOMAIN, "evil.org", last_seen=last)

    taken = to_stix(one, is_revoked=True, changed_at=at)

    assert str(taken["modified"]) > str(to_stix(one)["modified"])


def test_what_is_revoked_is_told_where_nothing_else_is_left_to_say() -> None:
    (one, *_) = families.unknown_rat()
    mail = families.indicator(IndicatorType.ENVELOPE_FROM, "bill@evil.org")
    for left in ([], [mail]):
        rule = build_rule("Unknown RAT", "win.unknown_rat", IndicatorSet.of(left))

        (bundle, _) = get_content("stix")(Subject(rule=rule, revoked=(Revoked(one, None),)))

        (taken,) = json.loads(bundle.text)["objects"]
        assert taken["revoked"] is True


def test_a_family_without_a_pattern_is_refused() -> None:
    mail = families.indicator(IndicatorType.ENVELOPE_FROM, "bill@evil.org")

    with pytest.raises(UnsupportedError, match="nothing of Rat can be said"):
        files_of(IndicatorSet.of([mail]))
