"""STIX bundles: families by relationship, validity, what was taken back, and our own output."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from foxhunt.content.stix import to_stix
from foxhunt.errors import FeedError
from foxhunt.feeds import read_record
from foxhunt.feeds.siblings import get_sibling, sibling_for
from foxhunt.findings import ValidityPolicy
from foxhunt.indicators import Indicator, IndicatorSet, Quarantined

from ..feed_samples import record
from ..sibling_samples import (
    MD5,
    SHA1,
    SHA256,
    STIX_BUNDLE,
    bundle,
    identity,
    indicates,
    indicator,
    malware,
    read_sibling,
    read_with,
)

DOMAIN = "[domain-name:value = 'texornacu.com']"


def only(*objects: object) -> Indicator:
    (one,) = read_sibling(bundle(*objects)).indicators
    return one


def quarantined(*objects: object) -> Quarantined:
    read = read_sibling(bundle(*objects))
    assert len(read.indicators) == 0
    (one,) = read.report.quarantined
    return one


def test_an_indicator_is_mapped_field_by_field() -> None:
    one = only(
        identity(),
        indicator(DOMAIN, labels=["c2", "fox"], external_references=[{"url": "https://a.org/"}]),
        malware("AsyncRAT", aliases=["AsyncRAT", "Async RAT"]),
        indicates(1),
    )

    assert (str(one.type), one.value) == ("domain", "texornacu.com")
    assert (one.source, one.source_id) == ("Ministry of Foxes", indicator("")["id"])
    assert (one.malware, one.malware_printable) == ("asyncrat", "AsyncRAT")
    assert one.malware_alias == ("Async RAT",)
    assert (one.confidence_level, one.threat_type) == (85, "unknown")
    assert one.first_seen == datetime(2026, 5, 24, 6, 12, 33, 123456, tzinfo=UTC)
    assert one.last_seen == datetime(2026, 6, 1, tzinfo=UTC)
    assert (one.tags, one.reference) == (("c2", "fox"), "https://a.org/")


def test_a_relationship_may_stand_before_what_it_relates() -> None:
    assert read_sibling(STIX_BUNDLE).indicators.where(families=["async rat"])[0].value == (
        "texornacu.com"
    )


def test_a_malpedia_label_is_taken_where_a_reference_gives_one() -> None:
    reference = {"source_name": "Malpedia", "external_id": "win.asyncrat"}
    one = only(
        indicator(DOMAIN), indicates(1), malware("AsyncRAT", external_references=[reference])
    )

    assert (one.malware, one.malware_printable) == ("win.asyncrat", "AsyncRAT")


def test_an_indicator_of_two_families_is_found_by_each() -> None:
    text = bundle(
        indicator(DOMAIN), malware("Fox"), malware("Owl", 2), indicates(1, 1), indicates(1, 2)
    )

    for name in ("fox", "owl"):
        assert len(read_sibling(text).indicators.where(families=[name])) == 1


def test_without_identity_confidence_and_family_it_is_an_unknown_of_stix() -> None:
    one = only(indicator(DOMAIN, created_by_ref=..., confidence=...))

    assert (one.source, one.confidence_level, one.malware) == ("stix", 50, "unknown")


@pytest.mark.parametrize("name", ["ThreatFox", "urlhaus", "", "\x1b[2J", "x" * 300])
def test_a_strangers_identity_never_passes_for_another_feed(name: str) -> None:
    assert only(identity(name), indicator(DOMAIN)).source == "stix"


def test_valid_until_ends_the_validity_of_the_indicator() -> None:
    until = datetime(2027, 3, 1, tzinfo=UTC)

    one = only(indicator(DOMAIN, valid_until="2027-03-01T00:00:00Z"))

    assert ValidityPolicy().covers(one, until)
    assert not ValidityPolicy().covers(one, until + timedelta(seconds=1))


def test_an_end_before_foxhunts_own_is_told_and_not_hidden() -> None:
    read = read_sibling(bundle(indicator(DOMAIN, valid_until="2026-05-31T00:00:00Z")))

    assert len(read.indicators) == 1
    assert "1 indicators count for longer than their valid_until says" in read.report.notes[0]


def test_an_end_at_the_end_of_time_costs_no_record() -> None:
    assert only(indicator(DOMAIN, valid_until="9999-12-31T23:59:59Z")).last_seen is not None


def test_what_is_revoked_is_taken_back_in_every_version() -> None:
    pattern = f"{DOMAIN} OR [domain-name:value = 'b.org']"
    taken = read_sibling(bundle(identity(), indicator(pattern))).indicators
    later = read_sibling(bundle(identity(), indicator(pattern), indicator(pattern, revoked=True)))

    assert (later.report.read, len(later.indicators)) == (0, 0)
    assert "indicators that are revoked: 1" in later.report.notes
    merged = taken.merged(later.indicators)
    assert (len(taken), len(merged)) == (2, 0)
    assert {(q.value, q.type, q.source) for q in merged.quarantined} == {
        ("texornacu.com", "domain", "Ministry of Foxes"),
        ("b.org", "domain", "Ministry of Foxes"),
    }
    assert {q.reason for q in merged.quarantined} == {"H340: revoked: its publisher took it back"}


def test_a_bundle_that_is_older_than_the_revocation_brings_nothing_back() -> None:
    def told(day: int, **changes: bool) -> IndicatorSet:
        made = indicator(DOMAIN, modified=f"2026-06-{day:02}T08:00:00.000Z", **changes)
        return read_sibling(bundle(identity(), made)).indicators

    gone = told(1).merged(told(10, revoked=True))

    assert len(gone.merged(told(9))) == 0
    assert len(gone.merged(told(10))) == 0, "a version of the same moment is not a newer one"
    assert len(gone.merged(told(11))) == 1
    assert len(gone.merged(told(20, revoked=True)).merged(told(11))) == 0, "revoked once more"


def test_nobody_takes_back_what_another_one_published() -> None:
    taken = read_sibling(bundle(identity(), indicator(DOMAIN))).indicators
    stranger = read_sibling(bundle(indicator(DOMAIN, revoked=True))).indicators

    assert len(taken.merged(stranger)) == 1


def test_a_relationship_that_was_revoked_names_no_family() -> None:
    one = only(indicator(DOMAIN), malware("Fox"), indicates(1) | {"revoked": True})

    assert one.malware == "unknown"


def test_an_indicator_without_id_is_not_revoked_by_another_one() -> None:
    read = read_sibling(bundle(indicator(DOMAIN, id=...), indicator(DOMAIN, id=..., revoked=True)))

    assert (len(read.indicators), len(read.report.quarantined)) == (1, 1)
    assert read.indicators[0].source_id.startswith("v:")


def test_a_pattern_of_another_language_is_quarantined() -> None:
    one = quarantined(indicator("rule x { condition: true }", pattern_type="yara"))

    assert one.reason == "H101: a pattern of type 'yara', not stix"
    assert one.value == "rule x { condition: true }"


def test_each_alternative_is_a_record_with_an_id_of_its_own() -> None:
    read = read_sibling(bundle(indicator(f"[file:hashes.MD5 = '{MD5}' OR url:value LIKE 'x']")))

    assert [one.source_id for one in read.indicators] == [indicator("")["id"]]
    assert [q.source_id for q in read.report.quarantined] == [f"{indicator('')['id']}.2"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"pattern": 17}, "no pattern"),
        ({"pattern": ...}, "no pattern"),
        ({"valid_from": "yesterday"}, "not a time: 'yesterday'"),
        ({"valid_from": 17}, "valid_from is no text but a int"),
        ({"valid_from": ..., "created": ...}, "no first_seen_utc"),
        ({"confidence": 300}, "confidence_level is not 0 to 100"),
        ({"pattern": "[domain-name:value = 'localhost']"}, "localhost"),
    ],
)
def test_a_broken_indicator_is_quarantined_with_its_reason(
    changes: dict[str, object], reason: str
) -> None:
    broken = {k: v for k, v in (indicator(DOMAIN) | changes).items() if v is not ...}

    assert reason in quarantined(broken).reason


def test_other_objects_are_counted_by_their_type() -> None:
    assert read_sibling(STIX_BUNDLE).report.notes == (
        "objects that are no indicators: 1 identity, 1 malware, 1 relationship",
    )


def test_stix_2_0_and_taxii_are_read_too() -> None:
    old = indicator(DOMAIN, spec_version=..., pattern_type=..., labels=["malicious-activity"])
    envelope = {"more": False, "objects": [indicator(DOMAIN)]}

    assert only(old).value == "texornacu.com"
    assert read_sibling(json.dumps(envelope)).report.indicators == 1


@pytest.mark.parametrize("text", ["[]", '{"objects": 1}', '{"type": "report"}', "{}"])
def test_what_is_no_bundle_is_refused(text: str) -> None:
    with pytest.raises(FeedError):
        read_with(get_sibling("stix"), text)


def test_a_value_that_looks_like_a_bundle_makes_none() -> None:
    """The beginning of a ThreatFox record with hostile tags."""
    assert sibling_for(b'{"1": [{"ioc_value": "\\"type\\": \\"bundle\\""') is None


OURS = [
    record(),
    record(ioc_value='http://texornacu.com/a\'b\\c?x="y"', ioc_type="url"),
    record(ioc_value="9.9.9.9:443", ioc_type="ip:port", last_seen_utc="2026-06-09 10:11:12"),
    record(ioc_value="[2620:fe::fe]:443", ioc_type="ip:port"),
    record(ioc_value=MD5, ioc_type="md5_hash", threat_type="payload"),
    record(ioc_value=SHA1, ioc_type="sha1_hash", confidence_level=25),
    record(ioc_value=SHA256, ioc_type="sha256_hash", last_seen_utc="2026-06-09 10:11:12"),
    record(ioc_value="b.duckdns.org", reference="https://a.org/report", tags=None),
    record(malware="win.cobalt_strike", malware_printable="Cobalt: Strike domain"),
]


@pytest.mark.parametrize("raw", OURS, ids=lambda raw: str(raw["ioc_value"])[:30])
def test_what_foxhunt_writes_it_reads_back(raw: dict[str, object]) -> None:
    """All but what STIX has no place for: who reported it, aliases, whether it is compromised."""
    ours = read_record(raw, "1892956")
    assert isinstance(ours, Indicator)

    back = only(to_stix(ours))

    said_not = {"source": "stix", "reporter": None, "is_compromised": None}
    assert back == replace(ours, source_id=str(to_stix(ours)["id"]), **said_not)  # type: ignore[arg-type]  # fields of several types
    policy = ValidityPolicy()
    for days in (-31, 0, 89, 91, 179, 181, 400):
        time = ours.first_seen + timedelta(days=days)
        assert policy.covers(back, time) == policy.covers(ours, time)


def test_the_bodies_for_sentinel_are_read_too() -> None:
    ours = read_record(record(), "1")
    assert isinstance(ours, Indicator)
    body = {"sourcesystem": "foxhunt-threatfox", "stixobjects": [to_stix(ours)]}

    assert read_sibling(json.dumps(body)).indicators[0].value == ours.value
