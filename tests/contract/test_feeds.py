"""What every feed promises: ThreatFox, its siblings, and a CSV that a user describes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from foxhunt.errors import FeedError, ParseError
from foxhunt.feeds import read_feed
from foxhunt.feeds.siblings import (
    CsvMapping,
    Reader,
    get_sibling,
    mapped_reader,
    sibling_for,
    sibling_names,
)
from foxhunt.indicators import IndicatorStore, IndicatorType, parse
from tests.unit.feeds import feed_samples as fox
from tests.unit.feeds import sibling_samples as samples

HOSTILE = (
    'a"b',
    "a'b\\",
    "a\nb.org",
    "a\r\nb.org",
    "a\x00b.org",
    "{{ a }}.org",
    "*/ a.org",
    "\u202egro.a",
    "\u2028a.org",
    "ünïcödé.org",
    "a,b;c|d",
    "# a.org",
    "x" * 20_000,
    "None",
    "",
    "= cmd|' /C calc'!A0",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One feed under test.

    Attributes:
        reader: What reads its files.
        texts: Files as published.
        records: How many records each of them has.
        sources: Whose the indicators are.
        kind: Type of the value that ``hostile`` puts in.
        hostile: A file of one sound record and one with that value.
        broken: A file of two sound records with something between them that is none.
    """

    reader: Reader
    texts: tuple[str, ...]
    records: tuple[int, ...]
    sources: frozenset[str]
    kind: IndicatorType
    hostile: Callable[[str], str]
    broken: str


def _csv_line(fields: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL).writerow(fields)
    return line.getvalue()


def _with_line(text: str, line: str) -> str:
    """A CSV file with a line before its first record."""
    lines = text.splitlines(keepends=True)
    at = next(n for n, one in enumerate(lines) if one.lstrip('"')[:1].isdigit())
    return "".join([*lines[:at], line, *lines[at:]])


def _urlhaus(url: str) -> str:
    day, link = "2026-10-05 12:05:20", "https://urlhaus.abuse.ch/url/7/"
    line = _csv_line(["7", day, url, "online", day, "malware_download", "None", link, "x"])
    return _with_line(samples.URLHAUS_CSV, line)


def _bazaar(value: str) -> str:
    line = _csv_line(["2026-10-05 00:42:15", value, "n/a", "n/a", "r", *["n/a"] * 9])
    return _with_line(samples.MALWAREBAZAAR_CSV, line).replace("entries: 2", "entries: 3")


def _feodo(address: str) -> str:
    line = _csv_line(["2022-06-04 21:24:53", address, "443", "online", "2026-03-07", "Fox"])
    return _with_line(samples.FEODO_CSV, line)


def _sslbl(address: str) -> str:
    return _with_line(samples.SSLBL_IP_CSV, _csv_line(["2024-12-30 06:17:52", address, "443"]))


def _stix(name: str) -> str:
    quoted = name.replace("\\", "\\\\").replace("'", "\\'")
    return samples.bundle(
        samples.indicator("[domain-name:value = 'texornacu.com']"),
        samples.indicator(f"[domain-name:value = '{quoted}']", 2),
    )


def _misp(name: str) -> str:
    good, bad = samples.attribute("domain", "texornacu.com"), samples.attribute("domain", name, 2)
    return json.dumps(samples.event(good, bad))


def _mapped(name: str) -> str:
    line = io.StringIO()
    fields = ["24.05.2026 06:12", "fqdn", name, "", "", ""]
    csv.writer(line, delimiter=";", quoting=csv.QUOTE_ALL).writerow(fields)
    return _with_line(samples.MAPPED_CSV, line.getvalue())


_MAPPING = CsvMapping(
    source="ministry",
    separator=";",
    time_format="%d.%m.%Y %H:%M",
    columns={
        "value": "what",
        "type": "kind",
        "first_seen": "seen",
        "malware": "family",
        "confidence_level": "score",
        "tags": "words",
    },
    types={"fqdn": "domain", "socket": "ip:port"},
)

FEEDS = {
    "threatfox": Feed(
        reader=read_feed,
        texts=(
            fox.export(fox.record(), fox.record(ioc_value="b.org")).decode(),
            fox.csv_export(fox.csv_row()).decode(),
        ),
        records=(2, 1),
        sources=frozenset({"threatfox"}),
        kind=IndicatorType.DOMAIN,
        hostile=lambda name: fox.export(fox.record(), fox.record(ioc_value=name)).decode(),
        broken=json.dumps({"1": [fox.record()], "2": [17], "3": [fox.record(ioc_value="b.org")]}),
    ),
    "urlhaus": Feed(
        reader=get_sibling("urlhaus"),
        texts=(samples.URLHAUS_CSV, samples.URLHAUS_JSON, samples.URLHAUS_API),
        records=(3, 2, 1),
        sources=frozenset({"urlhaus"}),
        kind=IndicatorType.URL,
        hostile=_urlhaus,
        broken=_with_line(samples.URLHAUS_CSV, '"7","an open quote, "\r\n'),
    ),
    "malwarebazaar": Feed(
        reader=get_sibling("malwarebazaar"),
        texts=(samples.MALWAREBAZAAR_CSV, samples.MALWAREBAZAAR_API),
        records=(6, 3),
        sources=frozenset({"malwarebazaar"}),
        kind=IndicatorType.SHA256,
        hostile=_bazaar,
        broken=_with_line(samples.MALWAREBAZAAR_CSV, '"7", "too", "few"\r\n'),
    ),
    "feodotracker": Feed(
        reader=get_sibling("feodotracker"),
        texts=(
            samples.FEODO_CSV,
            samples.FEODO_AGGRESSIVE_CSV,
            samples.FEODO_2020_CSV,
            samples.FEODO_JSON,
        ),
        records=(2, 1, 1, 1),
        sources=frozenset({"feodotracker"}),
        kind=IndicatorType.IP_PORT,
        hostile=_feodo,
        broken=json.dumps([*json.loads(samples.FEODO_JSON), None, *json.loads(samples.FEODO_JSON)]),
    ),
    "sslbl": Feed(
        reader=get_sibling("sslbl"),
        texts=(samples.SSLBL_IP_CSV,),
        records=(2,),
        sources=frozenset({"sslbl"}),
        kind=IndicatorType.IP_PORT,
        hostile=_sslbl,
        broken=_with_line(samples.SSLBL_IP_CSV, "2024-12-29\r\n"),
    ),
    "stix": Feed(
        reader=get_sibling("stix"),
        texts=(samples.STIX_BUNDLE,),
        records=(5,),
        sources=frozenset({"stix", "Ministry of Foxes"}),
        kind=IndicatorType.DOMAIN,
        hostile=_stix,
        broken=samples.bundle(
            samples.indicator("[domain-name:value = 'texornacu.com']"),
            17,
            samples.indicator("[domain-name:value = 'b.org']", 2),
        ),
    ),
    "misp": Feed(
        reader=get_sibling("misp"),
        texts=(samples.MISP_EVENT,),
        records=(4,),
        sources=frozenset({"misp"}),
        kind=IndicatorType.DOMAIN,
        hostile=_misp,
        broken=json.dumps(
            samples.event(
                samples.attribute("domain", "texornacu.com"),
                None,
                samples.attribute("domain", "b.org", 2),
            )
        ),
    ),
    "mapped": Feed(
        reader=mapped_reader(_MAPPING),
        texts=(samples.MAPPED_CSV,),
        records=(3,),
        sources=frozenset({"ministry"}),
        kind=IndicatorType.DOMAIN,
        hostile=_mapped,
        broken=_with_line(samples.MAPPED_CSV, "too;few\n"),
    ),
}
NOT_SIBLINGS = {"threatfox", "mapped"}

every_feed = pytest.mark.parametrize("name", FEEDS)


def test_every_sibling_is_under_test() -> None:
    assert set(FEEDS) - NOT_SIBLINGS == set(sibling_names())


@every_feed
def test_every_record_is_counted_once(name: str) -> None:
    feed = FEEDS[name]

    for text, records in zip(feed.texts, feed.records, strict=True):
        report = samples.read_with(feed.reader, text).report
        assert report.read == records
        assert report.indicators > 0
        assert report.name == "feed"
        assert report.format


@every_feed
def test_every_column_that_is_published_is_known(name: str) -> None:
    for text in FEEDS[name].texts:
        assert samples.read_with(FEEDS[name].reader, text).report.unknown_columns == ()


@every_feed
def test_indicators_are_told_apart_by_who_says_them(name: str) -> None:
    feed = FEEDS[name]
    reads = [samples.read_with(feed.reader, text) for text in feed.texts]

    indicators = [one for read in reads for one in read.indicators]

    assert {one.source for one in indicators} == feed.sources
    assert all(one.source_id and one.malware and one.malware_printable for one in indicators)


@every_feed
def test_times_are_aware_and_utc(name: str) -> None:
    for text in FEEDS[name].texts:
        for one in samples.read_with(FEEDS[name].reader, text).indicators:
            assert one.first_seen.utcoffset() == timedelta(0)
            assert one.last_seen is None or one.last_seen.utcoffset() == timedelta(0)


@every_feed
def test_a_file_that_is_read_again_is_nothing_new(name: str, tmp_path: Path) -> None:
    for number, text in enumerate(FEEDS[name].texts):
        store = IndicatorStore(tmp_path / str(number))
        once = samples.read_with(FEEDS[name].reader, text).indicators
        again = samples.read_with(FEEDS[name].reader, text).indicators
        assert once.table.equals(again.table)
        assert once.quarantined == again.quarantined
        store.merge(once)
        assert store.merge(again).difference.unchanged == len(again)


@every_feed
def test_a_broken_record_takes_no_other_with_it(name: str) -> None:
    read = samples.read_with(FEEDS[name].reader, FEEDS[name].broken)

    assert read.report.indicators >= 2
    assert len(read.report.quarantined) >= 1
    assert any(
        "not a record" in q.reason or "fields" in q.reason or "CSV" in q.reason
        for q in read.report.quarantined
    )


@every_feed
def test_a_hostile_value_survives_or_is_quarantined(name: str) -> None:
    feed = FEEDS[name]
    usual = {one.value for one in samples.read_with(feed.reader, feed.hostile("")).indicators}

    for value in HOSTILE:
        read = samples.read_with(feed.reader, feed.hostile(value))
        found = {one.value for one in read.indicators}
        assert usual <= found, value
        assert found - usual <= _canonical(value, feed.kind), value
        assert found - usual or read.report.quarantined, value
        for record in read.report.quarantined:
            # What is refused is stored, too.
            assert "".join((record.source_id, record.value, record.type, record.reason)).encode()
            assert len(record.value) <= 200


def _canonical(value: str, kind: IndicatorType) -> set[str]:
    try:
        return {parse(value, kind)}
    except ParseError:
        return set()


@every_feed
@pytest.mark.parametrize(
    "text",
    [
        "",
        "<!DOCTYPE html><html>",
        "just text",
        "{}x",
        "[1, 2",
        '{"a": 1}',
        "a,b\n1,2\n",
        "\x00\x01",
    ],
)
def test_what_is_no_feed_is_refused(name: str, text: str) -> None:
    with pytest.raises(FeedError) as caught:
        FEEDS[name].reader(samples.stream(text), "some.file")

    assert str(caught.value).startswith("some.file: H201: ")


# The reader of ThreatFox's files is the door that leads to the others.
@pytest.mark.parametrize("name", sorted(set(FEEDS) - {"threatfox"}))
def test_the_files_of_other_feeds_are_refused(name: str) -> None:
    for other, feed in FEEDS.items():
        if other == name:
            continue
        for text in feed.texts:
            # Feodo Tracker's CSV of 2020 has the columns of SSLBL's, and one more.
            if (name, text) == ("sslbl", samples.FEODO_2020_CSV):
                continue
            with pytest.raises(FeedError):
                FEEDS[name].reader(samples.stream(text), "some.file")


@every_feed
def test_a_file_is_known_by_what_is_in_it(name: str) -> None:
    for text in FEEDS[name].texts:
        reader = sibling_for(text.encode()[:4096])
        if name in NOT_SIBLINGS:
            assert reader is None
        else:
            assert reader is not None
            assert samples.read_with(reader, text).report.read > 0
            found = {one.source for one in samples.read_with(reader, text).indicators}
            assert found <= FEEDS[name].sources


@every_feed
def test_a_byte_order_mark_and_bytes_that_are_no_text_cost_no_file(name: str) -> None:
    data = b"\xef\xbb\xbf" + FEEDS[name].texts[0].encode()

    read = samples.read_with(FEEDS[name].reader, data.replace(b"somebody", b"some\xffbody"))

    assert read.report.indicators > 0
