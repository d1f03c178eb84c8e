"""A sync over the network: judged, whole or not at all, written down, and what the next fetches."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from foxhunt.errors import (
    FeedKeyError,
    ImplausibleFeedError,
    NetworkError,
    NoIndicatorsError,
    StoreError,
)
from foxhunt.feeds import SyncReport, describe_sync
from foxhunt.feeds.endpoints import Endpoints
from foxhunt.feeds.health import key_expiry
from foxhunt.feeds.ledger import AlarmKind, SyncEntry, SyncOutcome
from foxhunt.feeds.network import NetworkSync
from foxhunt.feeds.plan import Way
from foxhunt.feeds.transport import Transport
from foxhunt.indicators import IndicatorStore

from .feed_samples import api_record, record
from .http_play import HASTE, KEY, SECRET

NOW = datetime(2026, 7, 14, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
# The server answers with what stands here when it is asked.
Records = dict[str, list[dict[str, Any]]]


def export(*names: str, first: int = 1, **changes: Any) -> Records:
    """A recent export with a domain each, all active an hour ago."""
    fields = {"first_seen_utc": "2026-07-13 10:00:00", "last_seen_utc": "2026-07-14 11:00:00"}
    return {
        str(number): [record(**{**fields, **changes, "ioc_value": name})]
        for number, name in enumerate(names, start=first)
    }


def many(count: int, first: int = 1, **changes: Any) -> Records:
    """An export of so many, in which every column is filled."""
    filled = {"reference": "https://x.example/", "malware_alias": "Fox"}
    names = (f"n{number}.evil.org" for number in range(first, first + count))
    return export(*names, first=first, **{**filled, **changes})


class Play:
    """A ThreatFox on loopback whose exports can be exchanged, and syncs with it."""

    def __init__(self, home: Path, server: HTTPServer, *, has_key: bool = False) -> None:
        self.answers: dict[str, Records] = {}
        endpoints = Endpoints(
            api=server.url_for("/api/"),
            exports=server.url_for("/export/"),
            files=server.url_for("/files/"),
        )
        transport = Transport(SECRET if has_key else None, HASTE)
        self.network = NetworkSync(home, transport, endpoints)
        for name in ("recent", "full"):
            server.expect_request(f"/export/json/{name}/").respond_with_handler(self._answer(name))

    def _answer(self, name: str) -> Callable[[Any], Any]:
        return lambda _: Response(json.dumps(self.answers[name]), mimetype="application/json")

    def sync(self, now: datetime = NOW, **options: Any) -> SyncReport:
        return self.network.run(self.network.planned(now), began=now, **options)

    def last(self) -> SyncEntry:
        return self.network.ledger.latest()[0]


@pytest.fixture
def play(tmp_path: Path, httpserver: HTTPServer) -> Play:
    return Play(tmp_path, httpserver)


def test_what_is_fetched_is_merged_and_the_next_sync_is_a_short_one(play: Play) -> None:
    play.answers = {"full": export("evil.org", "bad.org"), "recent": export("evil.org", "bad.org")}

    report = play.sync()

    assert (report.new, report.total) == (2, 2)
    assert {one.value for one in play.network.store.load()} == {"evil.org", "bad.org"}
    later = play.network.planned(NOW + 20 * HOUR)
    assert (later.ways, later.gap) == ((Way.RECENT,), 20 * HOUR)
    again = play.sync(NOW + HOUR)
    assert (again.new, again.unchanged) == (0, 2)


def test_a_store_that_was_rolled_back_or_moved_away_is_filled_from_where_it_is(
    play: Play, tmp_path: Path
) -> None:
    play.answers = {"full": export("evil.org"), "recent": export("evil.org", "bad.org")}
    first = play.sync()
    play.sync(NOW + HOUR)
    play.network.store.rollback(first.snapshot)

    assert play.network.planned(NOW + 2 * HOUR).gap == 2 * HOUR
    play.sync(NOW + 2 * HOUR)
    assert play.network.planned(NOW + 3 * HOUR).gap == HOUR

    play.network.store.folder.rename(tmp_path / "moved")
    assert play.network.planned(NOW + 3 * HOUR).ways == (Way.FULL,)


def test_the_first_sync_reads_everything(play: Play) -> None:
    assert play.network.planned(NOW).ways == (Way.FULL,)


def test_a_taken_sync_is_written_down_whole(play: Play) -> None:
    play.answers = {"full": export("evil.org", "10.0.0.1")}

    report = play.sync()

    entry = play.last()
    assert (entry.outcome, entry.began, entry.snapshot) == (
        SyncOutcome.TAKEN,
        NOW,
        report.snapshot,
    )
    assert entry.newest == datetime(2026, 7, 14, 11, tzinfo=UTC)
    assert (entry.counts["new"], entry.counts["quarantined"], entry.error) == (1, 1, None)
    assert [(part.way, part.read, part.quarantined) for part in entry.parts] == [("full", 2, 1)]


def test_a_server_that_fails_leaves_store_and_plan_as_they_were_and_is_written_down(
    play: Play, httpserver: HTTPServer, tmp_path: Path
) -> None:
    httpserver.clear()
    httpserver.expect_request("/export/json/full/").respond_with_data("", status=500)

    with pytest.raises(NetworkError, match="answered 500"):
        play.sync()

    with pytest.raises(NoIndicatorsError):
        IndicatorStore(tmp_path).load()
    assert play.network.planned(NOW + HOUR).gap is None
    assert play.last().outcome is SyncOutcome.FAILED
    assert "answered 500" in (play.last().error or "")


def test_a_ledger_that_cannot_be_read_is_said_not_guessed(play: Play, tmp_path: Path) -> None:
    (tmp_path / "state.db").write_text("nothing of the kind, and longer than a header" * 30)

    with pytest.raises(StoreError, match="move it away"):
        play.network.planned(NOW)


def changed_format() -> Records:
    return many(200, severity="high")


def column_gone() -> Records:
    return many(200, reporter=...)


def rejected() -> Records:
    return many(194) | export(*(f"x{n}.local" for n in range(6)), first=900)


def few() -> Records:
    return many(90)


def far_more() -> Records:
    return many(420)


@pytest.mark.parametrize(
    ("bad", "kind", "said"),
    [
        (changed_format, AlarmKind.COLUMNS, "does not know: severity"),
        (column_gone, AlarmKind.COLUMNS, "no record has reporter"),
        (rejected, AlarmKind.REJECTED, r"6 of 200 records \(3\.0%\)"),
        (few, AlarmKind.COUNT, "fell to 90 from about 200"),
        (far_more, AlarmKind.COUNT, "rose to 420 from about 200"),
        (dict, AlarmKind.COUNT, "no record at all"),
    ],
)
def test_what_is_not_plausible_is_not_taken_until_it_is_accepted_once(
    play: Play, bad: Callable[[], Records], kind: AlarmKind, said: str
) -> None:
    play.answers = {"full": many(200), "recent": many(200)}
    play.sync()
    first = play.sync(NOW + HOUR)
    play.answers["recent"] = bad()

    with pytest.raises(ImplausibleFeedError, match=said) as refused:
        play.sync(NOW + 2 * HOUR)

    assert "--accept" in str(refused.value)
    assert play.network.store.snapshots()[0].name == first.snapshot
    entry = play.last()
    assert (entry.outcome, entry.snapshot) == (SyncOutcome.REFUSED, None)
    assert [alarm.kind for alarm in entry.alarms] == [kind]
    assert play.network.planned(NOW + 3 * HOUR).gap == 2 * HOUR, "the refused one closed no gap"

    accepted = play.sync(NOW + 3 * HOUR, accept=True)
    assert [alarm.kind for alarm in accepted.alarms] == [kind]
    assert any("taken in spite of" in line for line in describe_sync(accepted))
    assert play.last().is_accepted
    if bad is not dict:
        again = play.sync(NOW + 4 * HOUR)
        assert again.alarms == (), "what was accepted is what is expected"


def test_a_feed_that_stands_still_is_refused_until_it_is_accepted(play: Play) -> None:
    play.answers = {"full": export("evil.org")}
    later = NOW + timedelta(days=3)

    with pytest.raises(ImplausibleFeedError, match=r"full: the newest indicator is .*, 3 days ago"):
        play.sync(later)

    assert play.network.store.snapshots() == ()
    report = play.sync(later, accept=True)
    assert [(alarm.kind, alarm.is_doubt) for alarm in report.alarms] == [(AlarmKind.STALE, True)]
    assert any(line.startswith("taken in spite of: stale: ") for line in describe_sync(report))
    assert play.last().alarms == report.alarms
    with pytest.raises(ImplausibleFeedError):
        play.sync(later + HOUR)  # that it stands still is never what is expected


def test_an_accepted_feed_that_stood_still_closes_no_gap_beyond_its_newest_indicator(
    play: Play,
) -> None:
    play.answers = {"full": export("evil.org")}
    later = NOW + timedelta(days=3)
    play.sync(later, accept=True)

    # By the time of that sync the recent export would do, and what came between be missed.
    assert play.network.planned(later + HOUR).ways == (Way.FULL,)
    assert play.network.planned(later + HOUR).gap == later + HOUR - (NOW - HOUR)


def test_a_refused_key_ends_the_sync_unless_it_is_accepted(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    play = Play(tmp_path, httpserver, has_key=True)
    play.answers = {"full": export("evil.org"), "recent": {}}
    httpserver.expect_request(f"/files/{KEY}/full.csv.zip").respond_with_data("", status=403)

    with pytest.raises(FeedKeyError, match="the key is refused") as refused:
        play.sync()

    assert "https://auth.abuse.ch/" in (refused.value.hint or "")
    assert "--accept" in (refused.value.hint or "")
    entry = play.last()
    assert (entry.outcome, [alarm.kind for alarm in entry.alarms]) == (
        SyncOutcome.FAILED,
        [AlarmKind.KEY_REFUSED],
    )
    report = play.sync(accept=True)
    assert [(a.kind, a.is_doubt) for a in report.alarms] == [(AlarmKind.KEY_REFUSED, True)]
    assert KEY not in repr(play.network.ledger.latest())


def test_an_expired_key_ends_the_sync_before_anything_is_fetched(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    play = Play(tmp_path, httpserver, has_key=True)
    play.answers = {"full": export("evil.org")}
    httpserver.expect_request(f"/files/{KEY}/full.csv.zip").respond_with_data("", status=404)
    expired = key_expiry({"FOXHUNT_THREATFOX_KEY_EXPIRES": "2026-07-01"}, NOW)

    with pytest.raises(FeedKeyError, match="has expired on 2026-07-01") as refused:
        play.sync(expiry=expired)

    assert "make a new one" in (refused.value.hint or "")
    assert httpserver.log == []
    assert [alarm.kind for alarm in play.last().alarms] == [AlarmKind.KEY_EXPIRES]
    assert play.sync(expiry=expired, accept=True).new == 1
    soon = key_expiry({"FOXHUNT_THREATFOX_KEY_EXPIRES": "2026-07-20"}, NOW)
    play.answers["recent"] = export("evil.org")
    report = play.sync(NOW, expiry=soon)
    assert [(a.kind, a.is_doubt) for a in report.alarms] == [(AlarmKind.KEY_EXPIRES, False)]


def test_two_answers_are_judged_each_by_its_own_history(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    play = Play(tmp_path, httpserver, has_key=True)
    play.answers = {"full": many(900), "recent": many(200)}
    httpserver.expect_request(f"/files/{KEY}/full.csv.zip").respond_with_data("", status=404)
    data = [api_record(id=str(n), ioc=f"n{n}.evil.org") for n in range(1, 31)]
    httpserver.expect_request("/api/").respond_with_json({"query_status": "ok", "data": data})
    play.sync()
    play.sync(NOW + HOUR)

    seen = "2026-07-18 11:00:00"
    play.answers["recent"] = many(200, last_seen_utc=seen)

    report = play.sync(NOW + timedelta(days=4))

    assert report.alarms == ()
    assert [part.way for part in play.last().parts] == ["get_iocs-4", "recent"]


def test_what_left_the_feed_is_told_as_what_it_is(play: Play) -> None:
    old: dict[str, Any] = {"first_seen_utc": "2025-12-01 00:00:00", "last_seen_utc": None}
    play.answers["full"] = export("old.evil.org", **old) | export("back.evil.org", first=2)
    play.sync()
    play.answers["recent"] = export("new.evil.org", first=3)

    recent = play.sync(NOW + HOUR)
    assert recent.departures is not None
    assert (recent.departures.expired, recent.departures.retracted) == (None, 1)
    play.answers["full"] = play.answers["recent"]
    full = play.sync(NOW + timedelta(days=9), accept=True)

    assert full.departures is not None
    assert (full.departures.expired, full.departures.retracted) == (1, 1)
    assert full.departures.examples == ("back.evil.org",)
    lines = describe_sync(full)
    assert "no longer in the feed: 1 expired, 1 retracted (a guess)" in lines
    assert "  retracted (a guess): back[.]evil[.]org" in lines
    assert full.total == 3, "what left the feed stays in the store"
