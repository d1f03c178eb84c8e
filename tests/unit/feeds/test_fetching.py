"""A plan carried out against a server on loopback, into the store."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from foxhunt.errors import FeedKeyError, NetworkError
from foxhunt.feeds import sync_reads
from foxhunt.feeds.endpoints import Endpoints
from foxhunt.feeds.fetching import Answered, fetch_plan
from foxhunt.feeds.plan import Way, plan_sync
from foxhunt.indicators import IndicatorStore

from .feed_samples import api_record, record
from .http_play import KEY, transport

NOW = datetime(2026, 7, 14, 8, 24, 11, tzinfo=UTC)
RECENT = {"41": [record()]}
API = {"query_status": "ok", "data": [api_record(id="42", ioc="evil.org")]}


def carry_out(
    httpserver: HTTPServer, folder: Path, gap: timedelta, *, goes_without_key: bool = False
) -> tuple[Answered, ...]:
    endpoints = Endpoints(
        api=httpserver.url_for("/api/"),
        exports=httpserver.url_for("/export/"),
        files=httpserver.url_for("/files/"),
    )
    plan = plan_sync(NOW, NOW - gap, has_key=True)
    return fetch_plan(plan, transport(), endpoints, folder, goes_without_key=goes_without_key)


def test_a_short_gap_costs_one_request(httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_request("/export/json/recent/").respond_with_json(RECENT)

    answers = carry_out(httpserver, tmp_path, timedelta(hours=1))

    assert [answer.read.report.name for answer in answers] == ["ThreatFox export recent"]
    assert len(httpserver.log) == 1


def test_a_gap_of_days_is_closed_by_both_ways_into_one_snapshot(
    httpserver: HTTPServer, tmp_path: Path
) -> None:
    httpserver.expect_request("/api/", method="POST").respond_with_json(API)
    httpserver.expect_request("/export/json/recent/").respond_with_json(RECENT)

    answers = carry_out(httpserver, tmp_path / "feeds", timedelta(days=4))
    reads = [answer.read for answer in answers]
    report = sync_reads(IndicatorStore(tmp_path / "home"), reads)

    assert json.loads(httpserver.log[0][0].data) == {"query": "get_iocs", "days": 5}
    assert (report.new, report.total) == (2, 2)
    assert [answer.label for answer in answers] == ["get_iocs-5", "recent"]


def test_a_long_gap_takes_the_full_dump(httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_request(f"/files/{KEY}/full.csv.zip").respond_with_json(RECENT)

    (answer,) = carry_out(httpserver, tmp_path, timedelta(days=40))

    assert (answer.way, answer.label) == (Way.FULL_KEYED, "full-keyed")
    assert (len(answer.read.indicators), answer.refused) == (1, None)


@pytest.mark.parametrize(
    ("status", "is_key"), [(404, False), (401, True), (402, True), (403, True)]
)
def test_where_the_keyed_dump_is_not_to_be_had_the_other_is_taken_and_said(
    httpserver: HTTPServer, tmp_path: Path, status: int, is_key: bool
) -> None:
    httpserver.expect_request(f"/files/{KEY}/full.csv.zip").respond_with_data("", status=status)
    httpserver.expect_request("/export/json/full/").respond_with_json(RECENT)

    (answer,) = carry_out(httpserver, tmp_path, timedelta(days=40), goes_without_key=is_key)

    assert (answer.way, answer.label) == (Way.FULL, "full")
    (note,) = answer.read.report.notes
    assert "instead of ThreatFox export full-keyed" in note
    assert str(status) in note
    assert KEY not in note
    assert (answer.refused is not None) is is_key


@pytest.mark.parametrize("days", [4, 40])
def test_a_key_that_is_refused_ends_the_sync_unless_it_may_go_without(
    httpserver: HTTPServer, tmp_path: Path, days: int
) -> None:
    for path in ("/api/", f"/files/{KEY}/full.csv.zip"):
        httpserver.expect_request(path).respond_with_data("", status=403)
    for name in ("full", "recent"):
        httpserver.expect_request(f"/export/json/{name}/").respond_with_json(RECENT)
    gap = timedelta(days=days)

    with pytest.raises(FeedKeyError, match="the key is refused"):
        carry_out(httpserver, tmp_path, gap)

    first, *_ = carry_out(httpserver, tmp_path, gap, goes_without_key=True)
    assert (first.way, first.refused is not None) == (Way.FULL, True)


def test_a_keyed_dump_that_fails_in_passing_is_not_replaced(
    httpserver: HTTPServer, tmp_path: Path
) -> None:
    httpserver.expect_request(f"/files/{KEY}/full.csv.zip").respond_with_data("", status=503)

    with pytest.raises(NetworkError, match="503"):
        carry_out(httpserver, tmp_path, timedelta(days=40))


def test_one_way_that_fails_fails_the_plan(httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_request("/api/", method="POST").respond_with_json(API)
    httpserver.expect_request("/export/json/recent/").respond_with_data(b"", status=500)

    with pytest.raises(NetworkError, match="recent"):
        carry_out(httpserver, tmp_path, timedelta(days=4))
