"""One record into an indicator or into quarantine, whatever its spelling."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.feeds import read_record
from foxhunt.feeds.raw import Broken
from foxhunt.indicators import Indicator, IndicatorSet, IndicatorType, Quarantined

from .feed_samples import api_record, csv_row, record, refused, taken

EXPECTED = Indicator(
    type=IndicatorType.DOMAIN,
    value="texornacu.com",
    source="threatfox",
    source_id="1",
    threat_type="botnet_cc",
    malware="unknown_rat",
    malware_printable="Unknown RAT",
    confidence_level=100,
    first_seen=datetime(2026, 5, 24, 6, 12, 33, tzinfo=UTC),
    reporter="somebody",
    tags=("rat", "c2"),
    is_compromised=False,
)


def test_the_three_spellings_of_a_record_are_one_indicator() -> None:
    assert taken(record()) == EXPECTED
    assert taken(api_record(id="1"), None) == EXPECTED
    assert taken(csv_row(ioc_id="1"), None) == EXPECTED


def test_every_field_is_read() -> None:
    found = taken(
        record(
            malware_alias="Vulpes, Reynard",
            last_seen_utc="2026-06-01 00:00:00",
            reference="https://evil.org/?a=\"'",
            tags="a,,b c, ",
            is_compromised=True,
        )
    )

    assert found.malware_alias == ("Vulpes", "Reynard")
    assert found.last_seen == datetime(2026, 6, 1, tzinfo=UTC)
    assert found.reference == "https://evil.org/?a=\"'"
    assert found.tags == ("a", "b c")
    assert found.is_compromised is True


@pytest.mark.parametrize("nothing", [None, "", "None", ...])
def test_what_is_not_given_is_not_given_in_each_spelling(nothing: object) -> None:
    names = ("malware_alias", "last_seen_utc", "reference", "reporter", "tags", "is_compromised")
    optional = dict.fromkeys(names, nothing)

    found = taken(record(**optional, confidence_level=nothing, threat_type=nothing))

    assert (found.malware_alias, found.tags) == ((), ())
    assert {found.last_seen, found.reference, found.reporter, found.is_compromised} == {None}
    assert (found.confidence_level, found.threat_type) == (50, "unknown")


def test_a_family_without_a_printable_name_is_called_by_its_label() -> None:
    assert taken(record(malware_printable="")).malware_printable == "unknown_rat"


@pytest.mark.parametrize("anonymous", ["0", 0, 1, "1", None])
def test_anonymous_in_either_spelling_costs_nothing(anonymous: object) -> None:
    assert taken(record(anonymous=anonymous)) == EXPECTED


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-05-24 06:12:33", datetime(2026, 5, 24, 6, 12, 33, tzinfo=UTC)),
        ("2026-05-24 06:12:33 UTC", datetime(2026, 5, 24, 6, 12, 33, tzinfo=UTC)),
        ("2026-05-24T06:12:33Z", datetime(2026, 5, 24, 6, 12, 33, tzinfo=UTC)),
        ("2026-05-24T06:12:33.5+02:00", datetime(2026, 5, 24, 4, 12, 33, 500_000, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_as_utc(text: str, expected: datetime) -> None:
    assert taken(record(first_seen_utc=text)).first_seen == expected


@pytest.mark.parametrize(
    "text",
    [
        *("2026-13-01 00:00:00", "2026-02-30 00:00:00", "yesterday", "20260524", "2026-05-24"),
        *("0001-01-01 00:00:00", "9999-12-31 23:59:59", "2026-05-24 06:12:33+99:99", "0"),
        *("0000-00-00 00:00:00", "\u0662026-05-24 06:12:33"),
    ],
)
def test_what_is_no_time_is_quarantined(text: str) -> None:
    assert refused(record(first_seen_utc=text)).reason.startswith("H101: not a time")
    assert refused(record(last_seen_utc=text)).reason.startswith("H101: not a time")


@pytest.mark.parametrize(("given", "expected"), [(0, 0), ("75", 75), (100, 100), ("025", 25)])
def test_confidence_is_read_as_number_or_text(given: object, expected: int) -> None:
    assert taken(record(confidence_level=given)).confidence_level == expected


@pytest.mark.parametrize(
    "value", [-1, 101, "101", "-1", 75.5, True, [], {}, "high", "\u0667\u0665", 10**30, "9" * 9999]
)
def test_a_confidence_that_is_none_is_quarantined(value: object) -> None:
    assert refused(record(confidence_level=value)).reason.startswith("H101: confidence_level")


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), ("True", True), ("false", False), (1, True), (0, False), ("0", False)],
)
def test_is_compromised_is_read_in_each_spelling(value: object, expected: bool) -> None:
    assert taken(record(is_compromised=value)).is_compromised is expected


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ioc_value": ...}, "H101: no ioc_value"),
        ({"ioc_value": None}, "H101: no ioc_value"),
        ({"ioc_value": 5}, "H101: ioc_value is no text but a int"),
        ({"ioc_value": ["a"]}, "H101: ioc_value is no text but a list"),
        ({"ioc_value": "x" * 100_000}, "H101: longer than 16384 characters"),
        ({"ioc_type": ...}, "H101: no ioc_type"),
        ({"ioc_type": "ipv6"}, "H101: unknown ioc_type 'ipv6'"),
        ({"malware": ...}, "H101: no malware"),
        ({"malware": "a\nb"}, "H101: malware is not 1 to 200 printable characters"),
        ({"malware": "x" * 201}, "H101: malware is not 1 to 200 printable characters"),
        ({"malware": "  "}, "H101: malware is not 1 to 200 printable characters"),
        ({"malware_printable": "a\u2028b"}, "H101: malware_printable is not 1 to 200"),
        ({"threat_type": "\x00"}, "H101: threat_type is not 1 to 200 printable"),
        ({"first_seen_utc": ...}, "H101: no first_seen_utc"),
        ({"first_seen_utc": 1779602400}, "H101: first_seen_utc is no text but a int"),
        ({"is_compromised": "perhaps"}, "H101: is_compromised is neither true nor false"),
        ({"is_compromised": 2}, "H101: is_compromised is neither true nor false"),
        ({"tags": [1]}, "H101: tags holds something other than text"),
        ({"tags": 5}, "H101: tags is no text but a int"),
        ({"reference": {}}, "H101: reference is no text but a dict"),
        ({"ioc_type": "ip:port", "ioc_value": "10.0.0.1:80"}, "H102: not a public address"),
        ({"ioc_value": "www.example.com"}, "H102: reserved name"),
    ],
)
def test_a_record_with_a_wrong_field_is_quarantined_whole(
    changes: dict[str, object], reason: str
) -> None:
    found = refused(record(**changes))

    assert found.reason.startswith(reason)
    assert found.source_id == "1"


@pytest.mark.parametrize("raw", [None, 5, "text", [], [record()], True, 1.5])
def test_what_is_no_record_is_quarantined(raw: object) -> None:
    assert refused(raw).reason == f"H101: not a record but a {type(raw).__name__}"


def test_broken_text_is_quarantined_with_its_beginning() -> None:
    found = refused(Broken('"a", "b' + "c" * 500, "3 fields, the header has 15"), None)

    assert found.value == '"a", "b' + "c" * 193
    assert found.reason == "H101: 3 fields, the header has 15"


def test_without_an_id_the_same_record_is_the_same_indicator() -> None:
    bare = record(last_seen_utc=...)
    first, again = taken(bare, None), taken(bare | {"last_seen_utc": "2026-07-01 00:00:00"}, None)
    upper = taken(bare | {"ioc_value": "TEXORNACU.com."}, None)

    assert first.source_id.startswith("v:")
    assert first.source_id == again.source_id == upper.source_id
    for other in ({"malware": "win.fox"}, {"first_seen_utc": "2025-01-01 00:00:00"}):
        assert taken(bare | other, None).source_id != first.source_id


def test_without_an_id_a_quarantined_record_has_a_stable_one() -> None:
    bad = record(ioc_value="localhost")

    assert refused(bad, None).source_id.startswith("q:")
    assert refused(bad, None) == refused(dict(reversed(bad.items())), None)
    assert refused(bad, None).source_id != refused(bad | {"tags": ""}, None).source_id


@pytest.mark.parametrize("value", ["17", 17])
def test_an_id_in_the_record_is_used(value: object) -> None:
    assert taken(api_record(id=value), None).source_id == "17"


@pytest.mark.parametrize("value", [[], {}, True, 1.5, "\n", "x" * 201, "a\x1fb", "\ud800", " "])
def test_a_wrong_id_quarantines_its_record(value: object) -> None:
    assert refused(api_record(id=value), None).source_id.startswith("q:")


@pytest.mark.parametrize("key", ["9" * 201, "1\n"])
def test_a_wrong_id_beside_the_record_quarantines_it(key: str) -> None:
    assert refused(record(), key).reason.startswith("H101: id is not 1 to 200")


def test_half_a_character_in_free_text_costs_no_indicator() -> None:
    found = taken(record(tags=["a\udcff"], reporter="\ud83d", reference="x\udc80"))

    assert (found.tags, found.reporter, found.reference) == (("a\ufffd",), "\ufffd", "x\ufffd")


def test_a_record_nested_to_the_limit_is_quarantined() -> None:
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]

    assert refused(record(ioc_value=deep), None).reason.startswith("H101: ioc_value is no text")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    changes=st.dictionaries(st.sampled_from(sorted({**record(), **api_record()})), JSON),
    source_id=st.none() | st.text(max_size=5),
)
def test_any_record_is_an_indicator_or_quarantined_and_can_be_stored(
    changes: dict[str, object], source_id: str | None
) -> None:
    found = read_record(record() | changes, source_id)

    if isinstance(found, Indicator):
        assert list(IndicatorSet.of([found])) == [found]
    else:
        assert isinstance(found, Quarantined)
        "".join((found.source_id, found.value, found.type, found.reason)).encode()
        assert found.reason.startswith(("H101: ", "H102: "))
