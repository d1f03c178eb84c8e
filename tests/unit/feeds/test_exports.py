"""Exports, played on loopback: the file that is kept is whole, or the old one."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from foxhunt.errors import AnswerError, FeedKeyError, HuntError, NetworkError
from foxhunt.feeds.endpoints import Endpoints
from foxhunt.feeds.exports import EXPORTS, fetch_export, read_export
from foxhunt.feeds.reading import FeedRead

from .feed_samples import COLUMNS_2026, record
from .http_play import HASTE, KEY, answer, only_file, playing, transport

JSON = json.dumps({"41": [record()], "42": [record(ioc_value="evil.org")]}).encode()
_ROW = {"ioc_id": "41", "fk_malware": "unknown_rat", **record()}
CSV = (
    "# ThreatFox IOCs: recent additions - CSV format\r\n#\r\n"
    "# "
    + ",".join(f'"{name}"' for name in COLUMNS_2026)
    + "\r\n"
    + ", ".join(f'"{_ROW[name]}"' for name in COLUMNS_2026)
    + "\r\n# Number of entries: 1\r\n"
).encode()


def zipped(name: str, body: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, body)
    return file.getvalue()


BODIES = {
    "recent": JSON,
    "recent-csv": CSV,
    "recent-ip-port": CSV,
    "recent-domains": CSV,
    "recent-urls": CSV,
    "full": zipped("full.json", JSON),
    "full-csv": zipped("full.csv", CSV),
    "full-keyed": zipped("full.csv", CSV),
}
PATHS = {
    "recent": "/export/json/recent/",
    "recent-csv": "/export/csv/recent/",
    "recent-ip-port": "/export/csv/ip-port/recent/",
    "recent-domains": "/export/csv/domains/recent/",
    "recent-urls": "/export/csv/urls/recent/",
    "full": "/export/json/full/",
    "full-csv": "/export/csv/full/",
    "full-keyed": f"/v2/files/exports/{KEY}/full.csv.zip",
}


def endpoints_of(httpserver: HTTPServer) -> Endpoints:
    return Endpoints(
        exports=httpserver.url_for("/export/"), files=httpserver.url_for("/v2/files/exports/")
    )


def fetch(httpserver: HTTPServer, folder: Path, name: str = "recent") -> FeedRead:
    fetched = fetch_export(transport(), endpoints_of(httpserver), name, folder)
    return read_export(name, fetched.path)


def test_every_export_is_tested() -> None:
    assert set(EXPORTS) == set(BODIES) == set(PATHS)
    assert len({export.file for export in EXPORTS.values()}) == len(EXPORTS)


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_is_asked_for_where_it_is_and_reads(
    httpserver: HTTPServer, tmp_path: Path, name: str
) -> None:
    httpserver.expect_request(PATHS[name], method="GET").respond_with_data(BODIES[name])

    read = fetch(httpserver, tmp_path, name)

    request, _ = httpserver.log[-1]
    assert "texornacu.com" in {indicator.value for indicator in read.indicators}
    assert read.report.notes == ()
    assert "Auth-Key" not in request.headers
    assert KEY not in read.report.name
    assert only_file(tmp_path).name == EXPORTS[name].file


def test_an_unchanged_export_is_read_from_the_disk(httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_ordered_request(PATHS["recent"]).respond_with_data(
        JSON, headers={"ETag": '"1"'}
    )
    httpserver.expect_ordered_request(PATHS["recent"]).respond_with_data(b"", status=304)

    first = fetch(httpserver, tmp_path)
    second = fetch(httpserver, tmp_path)

    assert len(first.indicators) == len(second.indicators) == 2


def test_an_export_can_be_fetched_again_whatever_is_there(
    httpserver: HTTPServer, tmp_path: Path
) -> None:
    httpserver.expect_request(PATHS["recent"]).respond_with_data(JSON, headers={"ETag": '"1"'})
    fetch(httpserver, tmp_path)

    fetch_export(transport(), endpoints_of(httpserver), "recent", tmp_path, again=True)

    request, _ = httpserver.log[-1]
    assert "If-None-Match" not in request.headers


def test_an_export_without_its_key_is_not_asked_for(httpserver: HTTPServer, tmp_path: Path) -> None:
    with pytest.raises(FeedKeyError):
        fetch_export(transport(secret=None), endpoints_of(httpserver), "full-keyed", tmp_path)

    assert httpserver.log == []


CUT = {
    "json in a record": ("recent", JSON[:-30]),
    "json after a record": ("recent", JSON[: JSON.index(b"]") + 1]),
    "json in the first line": ("recent", b'{"41"'),
    "csv in a row": ("recent-csv", CSV[:-40]),
    "csv after its rows": ("recent-csv", CSV[: CSV.index(b"# Number")]),
    "csv in its last number": ("recent-csv", CSV[: CSV.index(b" 1\r\n", -10)]),
    "zip without its directory": ("full", BODIES["full"][:-60]),
    "zip of four bytes": ("full-keyed", b"PK\x03\x04"),
}


@pytest.mark.parametrize(("name", "body"), CUT.values(), ids=CUT.keys())
def test_a_file_cut_off_without_a_word_is_found_out_and_tried_again(
    tmp_path: Path, name: str, body: bytes
) -> None:
    """The server closes the connection and never said how long its answer is."""
    target = tmp_path / EXPORTS[name].file
    target.write_bytes(b"old")

    with playing(answer(body, length=-1)) as server:
        endpoints = Endpoints(exports=server.url, files=server.url)
        with pytest.raises(NetworkError, match="cut off"):
            fetch_export(transport(), endpoints, name, tmp_path)

    assert server.connections == HASTE.attempts
    assert only_file(tmp_path).read_bytes() == b"old"


OTHER = {
    "a web page": b"\xef\xbb\xbf\n<!DOCTYPE html><title>Just a moment...</title>",
    "nothing": b"",
    "white space": b"\r\n\r\n",
    "a refused key": b'{"query_status": "unknown_auth_key", "data": "x"}',
    "an error": b'{"error": "Unauthorized"}',
}


@pytest.mark.parametrize("name", ["recent", "recent-csv", "full-keyed"])
@pytest.mark.parametrize("body", OTHER.values(), ids=OTHER.keys())
def test_what_is_no_export_is_refused_at_once(
    httpserver: HTTPServer, tmp_path: Path, name: str, body: bytes
) -> None:
    httpserver.expect_request(PATHS[name]).respond_with_data(body)

    with pytest.raises((AnswerError, FeedKeyError)):
        fetch(httpserver, tmp_path, name)

    assert len(httpserver.log) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("body", [b"{}", b"[]", b"{ }\n", JSON + b"\n", b"\xef\xbb\xbf" + JSON])
def test_an_end_is_known_in_any_spelling(
    httpserver: HTTPServer, tmp_path: Path, body: bytes
) -> None:
    httpserver.expect_request(PATHS["recent"]).respond_with_data(body)

    assert len(fetch(httpserver, tmp_path).indicators) == (2 if len(body) > 5 else 0)


def test_a_mirror_may_keep_its_files_compressed(httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_request(PATHS["recent"]).respond_with_data(gzip.compress(JSON))

    assert len(fetch(httpserver, tmp_path).indicators) == 2


def test_a_compressed_file_that_is_cut_is_refused_when_it_is_read(
    httpserver: HTTPServer, tmp_path: Path
) -> None:
    httpserver.expect_request(PATHS["recent"]).respond_with_data(gzip.compress(JSON)[:-9])

    with pytest.raises(HuntError, match="cut off"):
        fetch(httpserver, tmp_path)


@pytest.mark.parametrize("recent", ["recent_20260714T0824Z_33f5452e.json.gz"])
def test_a_recorded_export_is_whole_and_the_same_over_the_network(
    httpserver: HTTPServer, tmp_path: Path, shared_data: Path, recent: str
) -> None:
    body = gzip.decompress((shared_data / "threatfox" / "recent" / recent).read_bytes())
    httpserver.expect_request(PATHS["recent"]).respond_with_data(
        gzip.compress(body), headers={"Content-Encoding": "gzip"}
    )

    read = fetch(httpserver, tmp_path)

    assert only_file(tmp_path).read_bytes() == body
    assert (read.report.read, read.report.indicators) == (4485, 4482)


def test_a_recorded_csv_is_whole(httpserver: HTTPServer, tmp_path: Path, shared_data: Path) -> None:
    body = (shared_data / "threatfox" / "csv" / "threatfox_recent_20260315.csv").read_bytes()
    httpserver.expect_request(PATHS["recent-csv"]).respond_with_data(body)

    assert fetch(httpserver, tmp_path, "recent-csv").report.read == 1763
