"""MISP: attributes of events and objects, families by galaxy or comment, what is left out."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from foxhunt.errors import FeedError
from foxhunt.feeds import FeedRead
from foxhunt.feeds.siblings import get_sibling, sibling_for
from foxhunt.indicators import Indicator, IndicatorSet, Quarantined

from ..sibling_samples import (
    MD5,
    MISP_EVENT,
    SHA1,
    SHA256,
    attribute,
    event,
    read_sibling,
    read_with,
)


def read(*attributes: object, **changes: object) -> FeedRead:
    return read_sibling(json.dumps(event(*attributes, **changes)))


def only(*attributes: object, **changes: object) -> Indicator:
    (one,) = read(*attributes, **changes).indicators
    return one


def refused(*attributes: object) -> Quarantined:
    (one,) = read(*attributes).report.quarantined
    return one


def tag(name: str) -> list[dict[str, str]]:
    return [{"name": name, "colour": "#000000"}]


def test_an_attribute_of_threatfox_own_feed_is_mapped_field_by_field() -> None:
    said = "AsyncRAT botnet C2 server (confidence level: 75%)"
    one = only(attribute("ip-dst|port", "9.9.9.9|443", comment=said, Tag=tag("c2")))

    assert (str(one.type), one.value, one.source) == ("ip:port", "9.9.9.9:443", "misp")
    assert one.source_id == "00000000-0000-4000-8000-000000000001"
    assert (one.malware, one.malware_printable) == ("asyncrat", "AsyncRAT")
    assert (one.threat_type, one.confidence_level) == ("botnet_cc", 75)
    assert (one.first_seen, one.last_seen) == (datetime(2026, 5, 24, tzinfo=UTC), None)
    assert (one.reporter, one.tags) == ("abuse.ch", ("c2", "tlp:white"))


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("domain", "Texornacu.com", ("domain", "texornacu.com")),
        ("hostname", "a.texornacu.com", ("domain", "a.texornacu.com")),
        ("domain|ip", "texornacu.com|9.9.9.9", ("domain", "texornacu.com")),
        ("url", "http://texornacu.com/a|b", ("url", "http://texornacu.com/a|b")),
        ("ip-dst|port", "2620:fe::fe|443", ("ip:port", "[2620:fe::fe]:443")),
        ("md5", MD5.upper(), ("md5_hash", MD5)),
        ("sha1", SHA1, ("sha1_hash", SHA1)),
        ("sha256", SHA256, ("sha256_hash", SHA256)),
        ("filename|sha256", f"a|b.exe|{SHA256}", ("sha256_hash", SHA256)),
        ("filename|md5", f"|{MD5}", ("md5_hash", MD5)),
        ("malware-sample", f"a.exe|{MD5}", ("md5_hash", MD5)),
        ("sha3-384", "ab" * 48, ("sha3_384_hash", "ab" * 48)),
    ],
)
def test_each_type_of_attribute_is_read(kind: str, value: str, expected: tuple[str, str]) -> None:
    one = only(attribute(kind, value))

    assert (str(one.type), one.value) == expected


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("ip-dst", "9.9.9.9", "an address without a port"),
        ("ip-src|port", "9.9.9.9|4711", "the port of a source says nothing"),
        ("hostname|port", "a.org|443", "a name with a port"),
        ("ip-dst|port", "9.9.9.9", "no port 1..65535"),
        ("email-src", "a@b.org", "no type of indicator is a MISP attribute of type 'email-src'"),
        ("filename|ssdeep", "a|x", "of type 'filename|ssdeep'"),
        ("domain", "localhost", "localhost"),
    ],
)
def test_what_no_indicator_can_say_is_quarantined_with_its_reason(
    kind: str, value: str, reason: str
) -> None:
    one = refused(attribute(kind, value))

    assert reason in one.reason
    assert value.startswith(one.value.partition(":")[0])


@pytest.mark.parametrize("raw", [17, None, [], {"uuid": 1}, {"type": [], "value": {}}])
def test_a_broken_attribute_costs_no_other(raw: object) -> None:
    found = read(attribute("domain", "texornacu.com"), raw)

    assert (found.report.read, found.report.indicators) == (2, 1)


def test_what_is_not_for_detection_is_counted_by_its_type() -> None:
    found = read(
        attribute("domain", "texornacu.com"),
        attribute("domain", "b.org", 2, to_ids=False),
        attribute("link", "https://a.org/", 3, to_ids="0"),
        attribute("domain", "c.org", 4, deleted=True),
    )

    assert (found.report.read, found.report.indicators) == (1, 1)
    assert found.report.notes == ("attributes not for detection or deleted: 2 domain, 1 link",)


def test_what_is_deleted_or_no_longer_for_detection_is_taken_back_until_it_is_again() -> None:
    names = ("a.org", "b.org", "c.org")
    parts = [attribute("domain", name, number) for number, name in enumerate(names, start=1)]
    before = read(*parts[:2], Object=[{"name": "x", "Attribute": parts[2:]}]).indicators
    after = read(
        parts[0] | {"to_ids": False},
        parts[1] | {"deleted": "1"},
        Object=[{"name": "x", "deleted": True, "Attribute": parts[2:]}],
    ).indicators

    merged = before.merged(after)

    assert (len(before), len(merged)) == (3, 0)
    assert {q.value: q.reason for q in merged.quarantined} == {
        "a.org": "H340: no longer for detection by the event's maker",
        "b.org": "H340: deleted by the event's maker",
        "c.org": "H340: deleted with its object by the event's maker",
    }
    later = [one | {"timestamp": "1785000000"} for one in parts]
    again = merged.merged(read(*later).indicators)
    assert (len(again), again.quarantined) == (3, ())


def test_an_event_that_is_older_than_what_was_taken_back_brings_nothing_back() -> None:
    def told(at: str, **changes: bool) -> IndicatorSet:
        return read(attribute("domain", "a.org", timestamp=at, **changes)).indicators

    gone = told("1780000001").merged(told("1780000005", deleted=True))

    assert len(gone.merged(told("1780000004"))) == 0
    assert len(gone.merged(told("1780000006"))) == 1
    assert len(gone.merged(told("never"))) == 1, "of an unknown age it is not known to be older"
    whole = {
        "deleted": True,
        "timestamp": "1780000009",
        "Attribute": [attribute("domain", "a.org")],
    }
    with_object = told("1780000001").merged(read(Object=[whole]).indicators)
    assert len(with_object.merged(told("1780000008"))) == 0, "the object's own time counts"


@pytest.mark.parametrize(
    ("own", "of_event", "comment", "label"),
    [
        ('misp-galaxy:malpedia="AsyncRAT"', "", "", "asyncrat"),
        ('misp-galaxy:malpedia="win.asyncrat"', "", "", "win.asyncrat"),
        ('misp-galaxy:mitre-malware="Amadey - S1025"', "", "", "amadey"),
        ("", 'misp-galaxy:malpedia="Fox"', "", "fox"),
        ('misp-galaxy:malpedia="Owl"', 'misp-galaxy:malpedia="Fox"', "", "owl"),
        ("", 'misp-galaxy:malpedia="Fox"', "Owl botnet C2 server (confidence level: 75%)", "owl"),
        ('misp-galaxy:threat-actor="Sofacy"', "tlp:red", "seen by us", "unknown"),
        ("", "", "", "unknown"),
    ],
)
def test_the_nearest_name_gives_the_family(
    own: str, of_event: str, comment: str, label: str
) -> None:
    one = only(attribute("domain", "a.org", Tag=tag(own), comment=comment), Tag=tag(of_event))

    assert one.malware == label


def test_a_galaxy_names_the_family_as_a_tag_does() -> None:
    cluster = {"value": "AsyncRAT", "tag_name": 'misp-galaxy:malpedia="AsyncRAT"'}
    galaxy = [{"type": "malpedia", "GalaxyCluster": [cluster, 17]}, None]

    assert only(attribute("domain", "a.org"), Galaxy=galaxy).malware == "asyncrat"


def test_two_families_of_one_attribute_are_found_by_each() -> None:
    tags = tag('misp-galaxy:malpedia="Fox"') + tag('misp-galaxy:malpedia="Owl"')
    found = read(attribute("domain", "a.org", Tag=tags)).indicators

    assert (len(found.where(families=["fox"])), len(found.where(families=["owl"]))) == (1, 1)


@pytest.mark.parametrize(
    ("changes", "confidence"),
    [
        ({}, 50),
        ({"Tag": tag('misp:confidence-level="usually-confident"')}, 75),
        ({"Tag": tag('misp:confidence-level="unconfident"')}, 0),
        ({"Tag": tag('misp:confidence-level="confidence-cannot-be-evaluated"')}, 50),
        ({"comment": "something else (confidence level: 25%)"}, 25),
    ],
)
def test_confidence_is_what_the_publisher_says(changes: dict[str, Any], confidence: int) -> None:
    assert only(attribute("domain", "a.org", **changes)).confidence_level == confidence


def test_a_confidence_that_is_none_is_quarantined() -> None:
    assert (
        "confidence_level"
        in refused(
            attribute("domain", "a.org", comment="Fox botnet C2 server (confidence level: 400%)")
        ).reason
    )


def test_times_of_an_attribute_come_before_the_day_of_its_event() -> None:
    one = only(
        attribute(
            "domain",
            "a.org",
            first_seen="2026-04-01T12:00:00.000000+02:00",
            last_seen="2026-04-02T00:00:00+00:00",
        )
    )

    assert one.first_seen == datetime(2026, 4, 1, 10, tzinfo=UTC)
    assert one.last_seen == datetime(2026, 4, 2, tzinfo=UTC)


def test_an_attribute_without_any_day_has_its_timestamp() -> None:
    assert only(attribute("domain", "a.org"), date=...).first_seen == datetime(
        2026, 5, 28, 20, 26, 40, tzinfo=UTC
    )
    assert "no first_seen_utc" in refused_without_time().reason


def refused_without_time() -> Quarantined:
    (one,) = read(attribute("domain", "a.org", timestamp=...), date=...).report.quarantined
    return one


def test_attributes_of_objects_are_read() -> None:
    parts = [attribute("md5", MD5), attribute("filename", "a.exe", 2, to_ids=False)]
    found = read(Object=[{"name": "file", "Attribute": parts}, {"deleted": True}, 17])

    assert [one.value for one in found.indicators] == [MD5]
    assert (found.report.read, found.report.notes) == (
        2,
        ("attributes not for detection or deleted: 1 filename, 1 object",),
    )


def test_an_object_of_address_and_ports_is_an_indicator_a_port() -> None:
    parts = [
        attribute("ip-dst", "9.9.9.9", object_relation="ip"),
        attribute("port", "443", 2, object_relation="dst-port", to_ids=False),
        attribute("port", "8443", 3, object_relation="dst-port", to_ids=False),
        attribute("domain", "texornacu.com", 4, object_relation="domain"),
    ]
    found = read(Object=[{"name": "ip-port", "Attribute": parts}])

    assert {one.value: one.source_id[-4:] for one in found.indicators} == {
        "9.9.9.9:443": "0001",
        "9.9.9.9:8443": "01.2",
        "texornacu.com": "0004",
    }
    assert found.report.read == 3


def test_an_object_of_an_address_alone_is_quarantined() -> None:
    parts = [attribute("ip-dst", "9.9.9.9", object_relation="ip")]

    assert read(Object=[{"name": "ip-port", "Attribute": parts}]).report.indicators == 0


def test_events_are_read_whatever_they_are_wrapped_in() -> None:
    one = json.loads(MISP_EVENT)
    search = {"response": {"Attribute": [attribute("domain", "texornacu.com", Event={"id": "1"})]}}

    for document, records in (
        (one, 4),
        ([one, one], 8),
        ({"response": [one]}, 4),
        ({"response": [one, one]}, 8),
        (search, 1),
    ):
        assert read_sibling(json.dumps(document)).report.read == records


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"Event": 17}', '{"response": []}', "[[[[[[[[1]]]]]]]]"]
)
def test_what_holds_no_event_is_refused(text: str) -> None:
    reader = get_sibling("misp")
    if text.startswith("[["):
        assert read_with(reader, text).report.indicators == 0
        return
    with pytest.raises(FeedError, match="no MISP event"):
        read_with(reader, text)


def test_the_list_of_a_feeds_events_is_none_of_them() -> None:
    assert sibling_for(b'{"33333333-3333-4333-8333-333333333333": {"info": "x"}}') is None
