"""ThreatFox is asked in the form that it answers, and what it answers is compared again."""

from __future__ import annotations

import json

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from foxhunt.errors import NetworkError, UsageError
from foxhunt.feeds.asking import ask, ask_sample
from foxhunt.feeds.client import ThreatFox
from foxhunt.feeds.endpoints import Endpoints
from foxhunt.indicators.asked import understood

from .feed_samples import api_record
from .http_play import transport

HASH = "5f0c3a9e1b2d4c6f5f0c3a9e1b2d4c6f"
# Id, value and type of what this ThreatFox knows.
KNOWN = [
    ("1", "evil.org", "domain"),
    ("2", "c2.evil.org", "domain"),
    ("3", "http://c2.evil.org/gate", "url"),
    ("4", "45.137.22.7:443", "ip:port"),
    ("5", "45.137.22.7:8080", "ip:port"),
    ("6", "http://45.137.22.7/a", "url"),
    ("7", "http://evil.org/45.137.22.7", "url"),
    ("8", "m\u00fcnchen.de", "domain"),
    ("9", HASH, "md5_hash"),
    ("10", "45.137.22.70:443", "ip:port"),
    ("11", "10.0.0.1:45137", "ip:port"),
]


def play(request: Request) -> Response:
    """Search as ThreatFox does: exactly without regard to case, else by whole parts."""
    asked = json.loads(request.data)
    if asked["query"] == "search_hash":
        found = [one for one in KNOWN if one[0] in ("1", "4", "11")]
    elif asked["exact_match"]:
        found = [one for one in KNOWN if one[1].lower() == asked["search_term"].lower()]
    else:
        found = [one for one in KNOWN if asked["search_term"] in one[1]]
    records = [api_record(id=i, ioc=value, ioc_type=type_) for i, value, type_ in found]
    body = {"query_status": "ok", "data": records}
    if not records:
        body = {"query_status": "no_result", "data": "Your search did not yield any results"}
    return Response(json.dumps(body), content_type="application/json")


@pytest.fixture
def api(httpserver: HTTPServer) -> ThreatFox:
    httpserver.expect_request("/api/", method="POST").respond_with_handler(play)
    return ThreatFox(transport(), Endpoints(api=httpserver.url_for("/api/")))


@pytest.mark.parametrize(
    ("text", "ids", "queries", "others"),
    [
        ("Evil[.]org.", ["1"], ["search_ioc exactly evil.org"], 0),
        ("45.137.22.7:443", ["4"], ["search_ioc exactly 45.137.22.7:443"], 0),
        # Exactly it would find nothing; this finds a longer address and URLs too.
        ("45[.]137.22.7", ["4", "5"], ["search_ioc for all with 45.137.22.7"], 3),
        (HASH.upper(), ["9"], [f"search_ioc exactly {HASH}"], 0),
        ("http://c2.evil.org/gate", ["3"], ["search_ioc exactly http://c2.evil.org/gate"], 0),
        (
            "https://c2.evil.org/gate",
            ["3"],
            [
                "search_ioc exactly https://c2.evil.org/gate",
                "search_ioc for all with c2.evil.org",
            ],
            1,
        ),
        (
            "M\u00fcnchen.de",
            ["8"],
            ["search_ioc exactly xn--mnchen-3ya.de", "search_ioc exactly m\u00fcnchen.de"],
            0,
        ),
        ("nowhere.org", [], ["search_ioc exactly nowhere.org"], 0),
    ],
)
def test_only_the_value_itself_is_an_answer(
    api: ThreatFox, text: str, ids: list[str], queries: list[str], others: int
) -> None:
    answer = ask(api, understood(text))

    assert [one.source_id for one in answer.indicators] == ids
    assert answer.queries == tuple(queries)
    assert answer.others == others


def test_a_record_that_is_no_indicator_is_told(api: ThreatFox) -> None:
    answer = ask(api, understood("10.0.0.1:45137"))

    assert len(answer.indicators) == 0
    assert [(q.source_id, q.value) for q in answer.quarantined] == [("11", "10.0.0.1:45137")]


def test_a_sample_leads_to_what_it_talks_to(api: ThreatFox) -> None:
    answer = ask_sample(api, understood(HASH.upper()))

    assert [one.value for one in answer.indicators] == ["evil.org", "45.137.22.7:443"]
    assert answer.queries == (f"search_hash {HASH}",)
    assert len(answer.quarantined) == 1


@pytest.mark.parametrize("text", ["evil.org", "ab" * 48])
def test_what_is_no_samples_hash_is_not_sent(
    httpserver: HTTPServer, api: ThreatFox, text: str
) -> None:
    with pytest.raises(UsageError, match="is no MD5, SHA-1 or SHA-256 of a sample"):
        ask_sample(api, understood(text))
    assert not httpserver.log


def test_a_server_that_fails_is_no_empty_answer(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/").respond_with_data("", status=500)
    api = ThreatFox(transport(), Endpoints(api=httpserver.url_for("/api/")))

    with pytest.raises(NetworkError, match="answered 500"):
        ask(api, understood("evil.org"))
