"""Files into sets: which format a file is, what counts, in what order files win."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from foxhunt.errors import FeedError
from foxhunt.feeds import read_file, read_indicators

from .feed_samples import (
    api_record,
    csv_export,
    csv_row,
    export,
    read_bytes,
    record,
    write,
)


def test_the_same_feed_as_json_and_csv_is_the_same_set() -> None:
    as_json, as_csv = read_bytes(export(record())), read_bytes(csv_export(csv_row(ioc_id="1")))

    assert as_json.indicators.table.equals(as_csv.indicators.table)
    assert (as_json.report.format, as_csv.report.format) == ("JSON export", "CSV export")


def test_a_byte_order_mark_does_not_matter() -> None:
    for data in (export(record()), csv_export(csv_row())):
        assert len(read_bytes(b"\xef\xbb\xbf" + data).indicators) == 1


def test_one_refused_record_costs_no_other() -> None:
    read = read_bytes(export(record(), record(ioc_value="localhost"), record(ioc_value="b.org")))

    assert [i.value for i in read.indicators] == ["b.org", "texornacu.com"]
    assert [q.source_id for q in read.report.quarantined] == ["2"]


def test_unknown_columns_are_named_and_known_ones_are_not() -> None:
    odd = {"severity": 1, "a\x1bb": 2}

    assert read_bytes(export(record(**odd))).report.unknown_columns == ("a\x1bb", "severity")
    assert read_bytes(export(record())).report.unknown_columns == ()
    assert read_bytes(export(api_record())).report.unknown_columns == ()


def test_a_new_unknown_column_in_each_record_floods_no_report() -> None:
    records = [record(**{f"x{number:03}": 1}) for number in range(200)]

    report = read_bytes(export(*records)).report

    assert len(report.unknown_columns) == 50
    assert report.notes == ("200 unknown columns, 50 of them named",)


@pytest.mark.parametrize("data", [b"{}", b"[]", b'{"query_status": "ok", "data": []}'])
def test_a_feed_without_records_is_empty_and_says_so(data: bytes) -> None:
    read = read_bytes(data)

    assert len(read.indicators) == 0
    assert read.report.notes == ("it holds no records",)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "an empty file"),
        (b" \r\n\t ", "an empty file"),
        (b"<!DOCTYPE html><html>", "a web page, not data (was the download refused?)"),
        ("{}".encode("utf-16"), "UTF-16 text (save it as UTF-8)"),
        (b'[{"a": 1}, {"b": 2}]', "JSON list of 2 records, none with an ioc or ioc_value"),
        (b"[1, 2, 3]", "JSON list of 3 records, none with an ioc or ioc_value"),
        (b"just text", "neither JSON nor a CSV of ThreatFox"),
        (b"\x00\x01\x02\x03", "neither JSON nor a CSV of ThreatFox"),
        (b'{"1": [{"ioc_value": "\xff\xfe', "not JSON, or cut off"),
    ],
)
def test_what_is_no_feed_is_refused_by_its_name(data: bytes, message: str) -> None:
    with pytest.raises(FeedError) as caught:
        read_bytes(data, "feed.json")

    assert str(caught.value).startswith("feed.json: H201: ")
    assert message in str(caught.value)


def test_files_merge_in_any_order_and_the_record_last_active_stays(tmp_path: Path) -> None:
    old = write(tmp_path, "old.json", export(record(last_seen_utc="2026-06-01 00:00:00")))
    new = write(
        tmp_path,
        "new.json.gz",
        gzip.compress(export(record(last_seen_utc="2026-06-02 00:00:00", reporter="x"))),
    )

    for paths in ([old, new], [new, old]):
        indicators, reports = read_indicators(paths)
        assert [i.reporter for i in indicators] == ["x"]
        assert [report.name for report in reports] == paths


def test_a_refused_file_among_several_refuses_all(tmp_path: Path) -> None:
    good = write(tmp_path, "good.json", export(record()))
    bad = write(tmp_path, "bad.json", b"<html>")

    with pytest.raises(FeedError, match=r"bad\.json: H201"):
        read_indicators([good, bad])


def test_no_file_is_no_indicator() -> None:
    indicators, reports = read_indicators([])

    assert (len(indicators), reports) == (0, ())


def test_a_records_own_duplicates_are_counted_and_the_latest_stays() -> None:
    both = b'{"1": [%s], "1": [%s]}' % (
        export(record(last_seen_utc="2026-06-09 00:00:00"))[7:-2],
        export(record(last_seen_utc="2026-06-01 00:00:00"))[7:-2],
    )

    read = read_bytes(both)

    assert (read.report.read, read.report.indicators, len(read.indicators)) == (2, 2, 1)
    assert str(read.indicators[0].last_seen).startswith("2026-06-09")


def test_a_file_is_called_what_the_user_called_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "feed.json", export(record()))
    monkeypatch.chdir(tmp_path)

    assert read_file("feed.json").report.name == "feed.json"
    assert read_file("./feed.json").report.name == "./feed.json"
