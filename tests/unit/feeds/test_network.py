"""A sync over the network: whole or not at all, and what the next one fetches."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from foxhunt.errors import NetworkError, NoIndicatorsError, StoreError
from foxhunt.feeds import SyncReport
from foxhunt.feeds.endpoints import Endpoints
from foxhunt.feeds.network import planned, sync_network
from foxhunt.feeds.plan import Way
from foxhunt.feeds.transport import Transport
from foxhunt.indicators import IndicatorStore

from .http_play import HASTE

NOW = datetime(2026, 7, 14, 12, tzinfo=UTC)


def export(*names: str) -> bytes:
    """A recent export with a domain each."""
    record = {
        **{"ioc_type": "domain", "threat_type": "botnet_cc", "malware": "win.fox"},
        **{"malware_alias": None, "malware_printable": "Fox", "confidence_level": 100},
        **{"first_seen_utc": "2026-07-13 10:00:00", "last_seen_utc": None, "reference": None},
        **{"tags": None, "anonymous": "0", "reporter": "x", "is_compromised": False},
    }
    value = {str(n): [{**record, "ioc_value": name}] for n, name in enumerate(names, start=1)}
    return json.dumps(value).encode()


def sync(home: Path, server: HTTPServer, now: datetime = NOW) -> SyncReport:
    folder = home / "feeds"
    endpoints = Endpoints.from_environment({"FOXHUNT_THREATFOX_EXPORTS": server.url_for("/")})
    return sync_network(
        IndicatorStore(home),
        folder,
        planned(folder, now, has_key=False),
        transport=Transport(None, HASTE),
        endpoints=endpoints,
        began=now,
    )


def test_what_is_fetched_is_merged_and_the_next_sync_is_a_short_one(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    (tmp_path / "feeds").mkdir()
    an_hour_ago = (NOW - timedelta(hours=1)).isoformat()
    (tmp_path / "feeds" / "last-sync.json").write_text(json.dumps({"began": an_hour_ago}))
    httpserver.expect_request("/json/recent/").respond_with_data(export("evil.org", "bad.org"))

    report = sync(tmp_path, httpserver)

    assert (report.new, report.total) == (2, 2)
    assert {one.value for one in IndicatorStore(tmp_path).load()} == {"evil.org", "bad.org"}
    later = planned(tmp_path / "feeds", NOW + timedelta(hours=20), has_key=False)
    assert (later.ways, later.gap) == ((Way.RECENT,), timedelta(hours=20))


def test_the_first_sync_reads_everything(tmp_path: Path) -> None:
    assert planned(tmp_path / "feeds", NOW, has_key=False).ways == (Way.FULL,)


def test_a_server_that_fails_leaves_the_store_and_the_time_as_they_were(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    (tmp_path / "feeds").mkdir()
    last = tmp_path / "feeds" / "last-sync.json"
    last.write_text(json.dumps({"began": (NOW - timedelta(hours=1)).isoformat()}))
    before = last.read_bytes()
    httpserver.expect_request("/json/recent/").respond_with_data("", status=500)

    with pytest.raises(NetworkError, match="answered 500"):
        sync(tmp_path, httpserver)

    assert last.read_bytes() == before
    with pytest.raises(NoIndicatorsError):
        IndicatorStore(tmp_path).load()


@pytest.mark.parametrize("text", ["{", "[]", '{"began": "yesterday"}', "null"])
def test_a_time_that_cannot_be_read_is_said_not_guessed(tmp_path: Path, text: str) -> None:
    (tmp_path / "last-sync.json").write_text(text)

    with pytest.raises(StoreError, match="delete it"):
        planned(tmp_path, NOW, has_key=False)
