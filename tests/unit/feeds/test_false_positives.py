"""abuse.ch's list: fetched once a day with a key, and never the reason that a sync fails."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from foxhunt.errors import FeedKeyError
from foxhunt.exclusions import read_fplist
from foxhunt.exclusions.kept_fplist import fplist_path, kept_fplist
from foxhunt.feeds.endpoints import Endpoints
from foxhunt.feeds.false_positives import refresh_fplist

from .http_play import KEY, SECRET, transport

LIST = {"17": {"entry_type": "domain", "entry_value": "good.org", "platform": "ThreatFox"}}


def refresh(home: Path, server: HTTPServer, *, has_key: bool = True) -> str | None:
    endpoints = Endpoints(hunting=server.url_for("/hunting/"))
    return refresh_fplist(home, transport(secret=SECRET if has_key else None), endpoints)


def age(path: Path, hours: float) -> None:
    then = time.time() - hours * 3600
    os.utime(path, (then, then))


def test_the_list_is_fetched_with_the_key_and_kept_where_a_hunt_looks(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    assert kept_fplist(tmp_path) is None
    httpserver.expect_request(
        "/hunting/", method="POST", headers={"Auth-Key": KEY}
    ).respond_with_json(LIST)

    told = refresh(tmp_path, httpserver)

    assert told == "abuse.ch's false positives: 1 kept for `foxhunt hunt`"
    assert json.loads(httpserver.log[0][0].data) == {"query": "get_fplist", "format": "json"}
    kept = kept_fplist(tmp_path)
    assert kept is not None
    assert [entry.value for entry in read_fplist([kept]).entries] == ["good.org"]


@pytest.mark.parametrize(("hours", "requests"), [(0, 0), (23.9, 0), (24.1, 1), (-1, 1)])
def test_a_list_of_today_is_not_fetched_again(
    tmp_path: Path, httpserver: HTTPServer, hours: float, requests: int
) -> None:
    path = fplist_path(tmp_path)
    path.parent.mkdir()
    path.write_text(json.dumps(LIST))
    age(path, hours)
    httpserver.expect_request("/hunting/").respond_with_json(LIST)

    refresh(tmp_path, httpserver)

    assert len(httpserver.log) == requests


def test_without_a_key_nothing_is_asked(tmp_path: Path, httpserver: HTTPServer) -> None:
    assert refresh(tmp_path, httpserver, has_key=False) is None
    assert not httpserver.log


@pytest.mark.parametrize(
    ("body", "status"),
    [("", 500), ("<html>", 200), ('{"query_status": "illegal_format"}', 200)],
)
def test_a_failure_is_a_warning_and_the_list_of_before_stays(
    tmp_path: Path, httpserver: HTTPServer, body: str, status: int
) -> None:
    httpserver.expect_request("/hunting/").respond_with_data(body, status=status)
    told = refresh(tmp_path, httpserver)
    assert told is not None
    assert told.startswith("warning: abuse.ch's false positives were not fetched, none is kept: H")
    assert kept_fplist(tmp_path) is None

    path = fplist_path(tmp_path)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(LIST))
    age(path, 48)
    told = refresh(tmp_path, httpserver)

    assert told is not None
    assert "the one of before stays" in told
    assert json.loads(path.read_text()) == LIST
    assert KEY not in told


@pytest.mark.parametrize(
    ("body", "status"), [("", 401), ("", 403), ('{"query_status": "unknown_auth_key"}', 200)]
)
def test_a_key_that_is_refused_is_an_error_and_the_list_of_before_stays(
    tmp_path: Path, httpserver: HTTPServer, body: str, status: int
) -> None:
    httpserver.expect_request("/hunting/").respond_with_data(body, status=status)
    with pytest.raises(FeedKeyError, match="were not fetched, none is kept: "):
        refresh(tmp_path, httpserver)

    path = fplist_path(tmp_path)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(LIST))
    age(path, 48)
    with pytest.raises(
        FeedKeyError, match="were not fetched, the one of before stays: "
    ) as refused:
        refresh(tmp_path, httpserver)

    assert json.loads(path.read_text()) == LIST
    assert KEY not in str(refused.value)
