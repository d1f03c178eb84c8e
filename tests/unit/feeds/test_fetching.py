"""A plan carried out against a server on loopback, into the store."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from foxhunt.errors import NetworkError
from foxhunt.feeds import sync_reads
from foxhunt.feeds.endpoints import Endpoints
from foxhunt.feeds.fetching import fetch_plan
from foxhunt.feeds.plan import plan_sync
from foxhunt.feeds.reading import FeedRead
from foxhunt.indicators import IndicatorStore

from .feed_samples import api_record, record
from .http_play import KEY, transport

NOW = datetime(2026, 7, 14, 8, 24, 11, tzinfo=UTC)
RECENT = {"41": [record()]}
API = {"query_status": "ok", "data": [api_record(id="42", ioc="evil.org")]}


def carry_out(httpserver: HTTPServer, folder: Path, gap: timedelta) -> tuple[FeedRead, ...]:
    endpoints = Endpoints(
        api=httpserver.url_for("/api/"),
        exports=httpserver.url_for("/export/"),
        files=httpserver.url_for("/files/"),
    )
    plan = plan_sync(NOW, NOW - gap, has_key=True)
    return fetch_plan(plan, transport(), endpoints, folder)


def test_a_short_gap_costs_one_request(httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_request("/export/json/recent/").respond_with_json(RECENT)

    reads = carry_out(httpserver, tmp_path, timedelta(hours=1))

    assert [read.report.name for read in reads] == ["ThreatFox export recent"]
    assert len(httpserver.log) == 1


def test_a_gap_of_days_is_closed_by_both_ways_into_one_snapshot(
    httpserver: HTTPServer, tmp_path: Path
) -> None:
    httpserver.expect_request("/api/", method="POST").respond_with_json(API)
    httpserver.expect_request("/export/json/recent/").respond_with_json(RECENT)

    reads = carry_out(httpserver, tmp_path / "feeds", timedelta(days=4))
    report = sync_reads(IndicatorStore(tmp_path / "home"), reads)

    assert json.loads(httpserver.log[0][0].data) == {"query": "get_iocs", "days": 5}
    assert (report.new, report.total) == (2, 2)


def test_a_long_gap_takes_the_full_dump(httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_request(f"/files/{KEY}/full.csv.zip").respond_with_json(RECENT)

    (read,) = carry_out(httpserver, tmp_path, timedelta(days=40))

    assert len(read.indicators) == 1


def test_one_way_that_fails_fails_the_plan(httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_request("/api/", method="POST").respond_with_json(API)
    httpserver.expect_request("/export/json/recent/").respond_with_data(b"", status=500)

    with pytest.raises(NetworkError, match="recent"):
        carry_out(httpserver, tmp_path, timedelta(days=4))
