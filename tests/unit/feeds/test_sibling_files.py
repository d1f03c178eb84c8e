"""Feeds beside ThreatFox over the network: whole or not at all, judged, no other feed's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from foxhunt.errors import (
    AnswerError,
    FeedKeyError,
    ImplausibleFeedError,
    NetworkError,
    UsageError,
)
from foxhunt.feeds import SyncReport
from foxhunt.feeds.endpoints import Endpoints
from foxhunt.feeds.ledger import AlarmKind, SyncOutcome
from foxhunt.feeds.network import NetworkSync
from foxhunt.feeds.sibling_files import SIBLING_FILES, keyless_hint, sibling_url
from foxhunt.feeds.transport import Transport
from foxhunt.indicators import IndicatorStore
from tests.unit.cli.running import foxhunt

from . import sibling_samples as samples
from .http_play import HASTE, SECRET

NOW = datetime(2026, 10, 6, tzinfo=UTC)
FILES = {
    "urlhaus": samples.URLHAUS_CSV,
    "malwarebazaar": samples.MALWAREBAZAAR_CSV,
    "feodotracker": samples.FEODO_CSV,
    "sslbl": samples.SSLBL_IP_CSV,
}


def sync(
    home: Path, feed: str, url: str, *, accept: bool = False, now: datetime = NOW
) -> SyncReport:
    network = NetworkSync(home, Transport(SECRET, HASTE), Endpoints())
    return network.run_sibling(feed, url, began=now, accept=accept)


@pytest.mark.parametrize("feed", FILES)
def test_each_feed_is_fetched_into_the_store(
    tmp_path: Path, httpserver: HTTPServer, feed: str
) -> None:
    asked: list[Request] = []

    def answer(request: Request) -> Response:
        asked.append(request)
        return Response(FILES[feed], mimetype="text/csv")

    httpserver.expect_request("/file").respond_with_handler(answer)
    report = sync(tmp_path, feed, httpserver.url_for("/file"))

    assert report.new == report.total > 0
    assert {one.source for one in IndicatorStore(tmp_path).load()} == {feed}
    assert "Auth-Key" not in asked[0].headers, "what needs no key does not get it"


def test_accepting_is_no_way_out_where_there_is_no_way_without_a_key(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/file").respond_with_data("", status=401)

    with pytest.raises(FeedKeyError) as refused:
        sync(tmp_path, "urlhaus", httpserver.url_for("/file"))

    assert "--accept" not in (refused.value.hint or "")


def test_a_file_that_asks_for_a_key_is_not_mended_by_threatfox_s(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/file").respond_with_data("", status=401)
    with pytest.raises(FeedKeyError) as of_mirror:
        sync(tmp_path, "sslbl", httpserver.url_for("/file"))
    of_abusech = keyless_hint("sslbl", SIBLING_FILES["sslbl"])

    assert "the server that FOXHUNT_SSLBL_URL names wants a key of its own" in str(of_mirror.value)
    said = "abuse.ch has one key for all its APIs, but FOXHUNT_THREATFOX_KEY is not sent to this"
    assert said in of_abusech
    for text in (str(of_mirror.value), of_abusech):
        assert "put a key" not in text
        assert "`foxhunt sync --file`" in text


def test_every_feed_has_an_address_of_abuse_ch() -> None:
    assert SIBLING_FILES.keys() == FILES.keys()
    for feed, url in SIBLING_FILES.items():
        assert sibling_url(feed, {}) == url
        assert url.startswith("https://") and ".abuse.ch/" in url


def test_a_mirror_is_named_in_the_environment() -> None:
    mirror = "https://mirror.example/feeds/urlhaus.csv"

    assert sibling_url("urlhaus", {"FOXHUNT_URLHAUS_URL": mirror}) == mirror
    with pytest.raises(UsageError, match="FOXHUNT_URLHAUS_URL is not https"):
        sibling_url("urlhaus", {"FOXHUNT_URLHAUS_URL": "http://mirror.example/x"})
    with pytest.raises(UsageError, match="no feed 'urlhouse' to fetch"):
        sibling_url("urlhouse", {})


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("<html>blocked</html>", AnswerError),
        ("", AnswerError),
        (samples.URLHAUS_CSV[:-30], NetworkError),
        (samples.FEODO_CSV, AnswerError),
    ],
)
def test_what_is_not_the_whole_file_leaves_the_store_as_it_was(
    tmp_path: Path, httpserver: HTTPServer, body: str, error: type[Exception]
) -> None:
    httpserver.expect_request("/file").respond_with_data(body, content_type="text/csv")
    with pytest.raises(error):
        sync(tmp_path, "urlhaus", httpserver.url_for("/file"))

    assert IndicatorStore(tmp_path).snapshots() == ()


def test_a_feed_is_judged_by_what_it_was(tmp_path: Path, httpserver: HTTPServer) -> None:
    head, _, rows = samples.URLHAUS_CSV.partition('"3900003"')
    row = '"3900003"' + rows.splitlines()[0]
    many = head + "".join(row.replace("3900003", str(n)) + "\r\n" for n in range(300))
    url = httpserver.url_for("/file")
    httpserver.expect_ordered_request("/file").respond_with_data(many)
    for _ in range(2):
        httpserver.expect_ordered_request("/file").respond_with_data(samples.URLHAUS_CSV)
    sync(tmp_path, "urlhaus", url)

    with pytest.raises(
        ImplausibleFeedError, match="the number of records fell to 3 from about 300"
    ):
        sync(tmp_path, "urlhaus", url)
    assert sync(tmp_path, "urlhaus", url, accept=True).alarms

    ledger = NetworkSync(tmp_path, Transport(None), Endpoints()).ledger
    outcomes = [(entry.feed, entry.outcome) for entry in ledger.latest()]
    assert outcomes == [
        ("urlhaus", SyncOutcome.TAKEN),
        ("urlhaus", SyncOutcome.REFUSED),
        ("urlhaus", SyncOutcome.TAKEN),
    ]
    assert ledger.last_taken() is None, "nothing of ThreatFox was fetched yet"


@pytest.mark.parametrize(
    ("feed", "is_refused"),
    [("urlhaus", True), ("malwarebazaar", True), ("feodotracker", False), ("sslbl", False)],
)
def test_a_feed_that_stands_still_is_refused_if_it_never_rests(
    tmp_path: Path, httpserver: HTTPServer, feed: str, is_refused: bool
) -> None:
    httpserver.expect_request("/file").respond_with_data(FILES[feed])
    url, later = httpserver.url_for("/file"), NOW + timedelta(days=30)
    if is_refused:
        with pytest.raises(ImplausibleFeedError, match="the newest indicator is of"):
            sync(tmp_path, feed, url, now=later)

    report = sync(tmp_path, feed, url, now=later, accept=is_refused)

    assert [(a.kind, a.is_doubt) for a in report.alarms] == [(AlarmKind.STALE, is_refused)]


def test_the_command_fetches_feed_after_feed(tmp_path: Path, httpserver: HTTPServer) -> None:
    variables = {}
    for feed, text in FILES.items():
        httpserver.expect_request(f"/{feed}").respond_with_data(text, content_type="text/csv")
        variables[f"FOXHUNT_{feed.upper()}_URL"] = httpserver.url_for(f"/{feed}")
    options = [word for feed in FILES for word in ("--feed", feed)]

    ran = foxhunt("sync", *options, "--accept", home=tmp_path, variables=variables)
    unknown = foxhunt("sync", "--feed", "urlhouse", home=tmp_path, variables=variables)

    assert (ran.code, ran.out.count(" new, ")) == (0, len(FILES))
    assert (unknown.code, "no feed 'urlhouse'" in unknown.err) == (2, True)


def test_a_feed_that_is_refused_does_not_keep_the_others_out(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    variables = {}
    for feed in ("urlhaus", "malwarebazaar", "feodotracker"):
        httpserver.expect_request(f"/{feed}").respond_with_data(FILES[feed])
        variables[f"FOXHUNT_{feed.upper()}_URL"] = httpserver.url_for(f"/{feed}")
    options = ("--feed", "urlhaus", "--feed", "malwarebazaar", "--feed", "feodotracker")

    ran = foxhunt("sync", *options, home=tmp_path, variables=variables)

    assert (ran.code, ran.out.count(" new, "), ran.err.count("H315")) == (3, 1, 2)
    assert {one.source for one in IndicatorStore(tmp_path / "store").load()} == {"feodotracker"}
