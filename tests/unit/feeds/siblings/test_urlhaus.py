"""URLhaus: its three forms say the same, and a tag names the family."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from foxhunt.errors import FeedError
from foxhunt.feeds.siblings import get_sibling
from foxhunt.indicators import Indicator, IndicatorType

from ..sibling_samples import (
    URLHAUS_API,
    URLHAUS_CSV,
    URLHAUS_JSON,
    read_sibling,
    read_with,
)


def by_id(text: str) -> dict[str, Indicator]:
    return {one.source_id: one for one in read_sibling(text).indicators}


def test_a_record_of_the_csv_is_mapped_field_by_field() -> None:
    one = by_id(URLHAUS_CSV)["3900003"]

    assert (one.type, one.value) == (IndicatorType.URL, "http://9.9.9.9:58801/i")
    assert (one.source, one.threat_type) == ("urlhaus", "payload_delivery")
    assert (one.malware, one.malware_printable) == ("mozi", "Mozi")
    assert one.first_seen == datetime(2026, 10, 5, 12, 5, 20, tzinfo=UTC)
    assert one.last_seen == datetime(2026, 10, 5, 12, 5, 20, tzinfo=UTC)
    assert one.confidence_level == 75
    assert one.reference == "https://urlhaus.abuse.ch/url/3900003/"
    assert (one.reporter, one.tags) == ("somebody", ("32-bit", "elf", "mips", "Mozi"))


def test_csv_and_json_say_the_same() -> None:
    assert by_id(URLHAUS_JSON)["3900003"] == by_id(URLHAUS_CSV)["3900003"]


def test_the_api_names_the_same_record() -> None:
    assert by_id(URLHAUS_API)["3900003"].value == by_id(URLHAUS_CSV)["3900003"].value


def test_a_url_without_a_telling_tag_is_of_no_family() -> None:
    one = by_id(URLHAUS_CSV)["3900001"]

    assert (one.malware, one.tags, one.last_seen) == (
        "unknown",
        (),
        datetime(2026, 10, 5, 11, 52, tzinfo=UTC),
    )


@pytest.mark.parametrize("name", ["agenttesla", "SnakeKeylogger"])
def test_family_finds_a_url_by_any_of_its_families(name: str) -> None:
    found = read_sibling(URLHAUS_CSV).indicators.where(families=[name])

    assert [one.source_id for one in found] == ["3900002"]


def test_the_header_of_2019_without_last_online_is_read() -> None:
    text = (
        "# id,dateadded,url,url_status,threat,tags,urlhaus_link,reporter\n"
        '"260692","2019-11-27 01:02:03","http://texornacu.com/a.exe","online",'
        '"malware_download","exe","https://urlhaus.abuse.ch/url/260692/","x"\n'
    )

    assert by_id(text)["260692"].last_seen is None


def test_a_new_column_is_named() -> None:
    text = URLHAUS_CSV.replace("urlhaus_link,reporter", "urlhaus_link,reporter,weight")
    text = text.replace('"somebody"', '"somebody","9"').replace('"anon"', '"anon","9"')
    text = text.replace('"anonymous"', '"anonymous","9"')

    report = read_sibling(text).report

    assert (report.unknown_columns, report.indicators) == (("weight",), 3)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"query_status": "unknown_auth_key"}, "the Auth-Key is not known"),
        ({"query_status": "illegal"}, "not documented"),
        ({"query_status": 7}, "not documented"),
        ({"1": [{"ioc_value": "a.org"}]}, "URLhaus JSON export of 1 records, none with url"),
    ],
)
def test_an_answer_that_is_an_error_is_refused(answer: dict[str, object], message: str) -> None:
    with pytest.raises(FeedError, match=message):
        read_with(get_sibling("urlhaus"), json.dumps(answer))


def test_an_answer_that_knows_nothing_is_empty_and_says_so() -> None:
    read = read_with(get_sibling("urlhaus"), '{"query_status": "no_results"}')

    assert (len(read.indicators), read.report.notes) == (
        0,
        ("URLhaus answered no_results: it knows nothing of the kind",),
    )


def test_two_records_under_one_id_are_two() -> None:
    raw = json.loads(URLHAUS_JSON)
    raw["3900003"] *= 2

    assert sorted(by_id(json.dumps(raw))) == ["3900001", "3900003", "3900003.2"]
