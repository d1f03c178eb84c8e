"""ThreatFox's API, played on loopback: every query, every status word, odd answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from foxhunt.errors import (
    AnswerError,
    FeedError,
    FeedKeyError,
    FeedQueryError,
    HuntError,
    NetworkError,
    RateLimitError,
    UsageError,
)
from foxhunt.exclusions import read_fplist
from foxhunt.feeds import FeedRead
from foxhunt.feeds.answers import KnownTag, KnownType, MalwareLabel
from foxhunt.feeds.client import ThreatFox
from foxhunt.feeds.endpoints import Endpoints
from foxhunt.feeds.statuses import EMPTY

from .feed_samples import api_record
from .http_play import HASTE, KEY, answer, playing, transport

OK_ANSWER = {"query_status": "ok", "data": [api_record()]}
SHA256 = "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"

INDICATOR_QUERIES: list[tuple[Callable[[ThreatFox], FeedRead], dict[str, object]]] = [
    (lambda api: api.get_iocs(), {"query": "get_iocs", "days": 3}),
    (lambda api: api.get_iocs(7), {"query": "get_iocs", "days": 7}),
    (
        lambda api: api.search_ioc(" texornacu.com "),
        {"query": "search_ioc", "search_term": "texornacu.com", "exact_match": False},
    ),
    (
        lambda api: api.search_ioc('a"b\\ü', exact=True),
        {"query": "search_ioc", "search_term": 'a"b\\ü', "exact_match": True},
    ),
    (lambda api: api.search_hash(SHA256.upper()), {"query": "search_hash", "hash": SHA256}),
    (lambda api: api.taginfo("c2"), {"query": "taginfo", "tag": "c2", "limit": 100}),
    (
        lambda api: api.malwareinfo("win.fox", 1000),
        {"query": "malwareinfo", "malware": "win.fox", "limit": 1000},
    ),
    (lambda api: api.ioc("41"), {"query": "ioc", "id": "41"}),
]
VOCABULARIES: list[Callable[[ThreatFox], tuple[object, ...]]] = [
    lambda api: api.get_label("fox"),
    lambda api: api.malware_list(),
    lambda api: api.types(),
    lambda api: api.tag_list(),
]


@pytest.fixture
def api(httpserver: HTTPServer) -> ThreatFox:
    endpoints = Endpoints(api=httpserver.url_for("/api/v1/"), hunting=httpserver.url_for("/fp/"))
    return ThreatFox(transport(), endpoints)


def answers(httpserver: HTTPServer, body: object, status: int = 200) -> None:
    httpserver.expect_request("/api/v1/", method="POST").respond_with_json(body, status=status)


def sent(httpserver: HTTPServer) -> dict[str, object]:
    request, _ = httpserver.log[-1]
    assert request.headers["Auth-Key"] == KEY
    body: dict[str, object] = json.loads(request.data)
    return body


@pytest.mark.parametrize(("ask", "expected"), INDICATOR_QUERIES)
def test_a_query_sends_what_is_documented_and_reads_its_indicators(
    httpserver: HTTPServer,
    api: ThreatFox,
    ask: Callable[[ThreatFox], FeedRead],
    expected: dict[str, object],
) -> None:
    answers(httpserver, OK_ANSWER)

    read = ask(api)

    assert sent(httpserver) == expected
    assert [indicator.value for indicator in read.indicators] == ["texornacu.com"]
    assert read.report.name == f"ThreatFox {expected['query']}"


def test_an_ioc_is_a_bare_record(httpserver: HTTPServer, api: ThreatFox) -> None:
    extra = {"comment": "seen", "credits": [{"credits_from": "x", "credits_amount": 5}]}
    answers(httpserver, api_record(**extra))

    read = api.ioc("1892956")

    assert [indicator.source_id for indicator in read.indicators] == ["1892956"]
    assert read.report.unknown_columns == ()


@pytest.mark.parametrize("status", sorted(EMPTY))
@pytest.mark.parametrize("ask", [ask for ask, _ in INDICATOR_QUERIES])
def test_nothing_found_is_an_empty_answer_that_says_so(
    httpserver: HTTPServer, api: ThreatFox, ask: Callable[[ThreatFox], FeedRead], status: str
) -> None:
    answers(httpserver, {"query_status": status, "data": "Your search did not yield any results"})

    read = ask(api)

    assert (len(read.indicators), read.report.read) == (0, 0)
    assert status in read.report.notes[0]


@pytest.mark.parametrize("ask", VOCABULARIES)
def test_an_empty_vocabulary_is_no_error(
    httpserver: HTTPServer, api: ThreatFox, ask: Callable[[ThreatFox], tuple[object, ...]]
) -> None:
    answers(httpserver, {"query_status": "no_result", "data": "nothing"})

    assert ask(api) == ()


STATUS_WORDS: dict[str, tuple[type[HuntError], int]] = {
    "missing_search_term": (FeedQueryError, 1),
    "illegal_search_term": (FeedQueryError, 1),
    "illegal_days": (FeedQueryError, 1),
    "illegal_hash": (FeedQueryError, 1),
    "illegl_hash": (FeedQueryError, 1),
    "illegal_tag": (FeedQueryError, 1),
    "illegal_malware": (FeedQueryError, 1),
    "illegal_ioc_id": (FeedQueryError, 1),
    "unknown_auth_key": (FeedKeyError, 1),
    "no_api_key": (FeedKeyError, 1),
    "user_blacklisted": (FeedKeyError, 1),
    "rate_limited": (RateLimitError, HASTE.attempts),
    "unknown_operation": (AnswerError, 1),
    "http_post_expected": (AnswerError, 1),
    "no_json": (AnswerError, 1),
    "a_word_of_2027": (AnswerError, 1),
}


@pytest.mark.parametrize(("word", "expected"), STATUS_WORDS.items())
@pytest.mark.parametrize("ask", [INDICATOR_QUERIES[0][0], *VOCABULARIES])
def test_every_status_word_is_a_precise_error(
    httpserver: HTTPServer,
    api: ThreatFox,
    ask: Callable[[ThreatFox], object],
    word: str,
    expected: tuple[type[HuntError], int],
) -> None:
    answers(httpserver, {"query_status": word, "data": "A sentence of ThreatFox."})

    with pytest.raises(expected[0], match=f"answered '{word}'") as caught:
        ask(api)

    assert type(caught.value) is expected[0]
    assert len(httpserver.log) == expected[1]


@pytest.mark.parametrize("status", [True, 7, None, ["ok"], {"ok": 1}])
def test_a_status_that_is_no_word_is_an_error(
    httpserver: HTTPServer, api: ThreatFox, status: object
) -> None:
    answers(httpserver, {"query_status": status, "data": []})

    with pytest.raises(AnswerError, match="not documented"):
        api.get_iocs()


HTTP_REFUSALS: list[tuple[int, object, type[HuntError]]] = [
    (401, {"error": "Unauthorized"}, FeedKeyError),
    (402, {"error": "Payment Required"}, FeedKeyError),
    (403, {"query_status": "unknown_auth_key"}, FeedKeyError),
    (429, {"query_status": "rate_limited"}, RateLimitError),
    (500, {}, NetworkError),
]


@pytest.mark.parametrize(("status", "body", "error"), HTTP_REFUSALS)
def test_an_http_refusal_is_a_precise_error(
    httpserver: HTTPServer, api: ThreatFox, status: int, body: object, error: type[HuntError]
) -> None:
    answers(httpserver, body, status)

    with pytest.raises(error, match=f"ThreatFox get_iocs: .* answered {status}"):
        api.get_iocs()


ODD_ANSWERS: dict[str, tuple[bytes, type[HuntError]]] = {
    "a web page": (b"<!doctype html><title>Just a moment...</title>", AnswerError),
    "nothing": (b"", AnswerError),
    "a word": (b"Unauthorized", AnswerError),
    "an error": (b'{"error": "Unauthorized"}', AnswerError),
    "cut off": (b'{"query_status": "ok", "data": [{"id": "1"', NetworkError),
    "broken": (b'{"query_status": "ok", "data": [{"id" "1"}]}', FeedError),
    "a sentence": (b'{"query_status": "ok", "data": "sorry"}', FeedError),
    "no data": (b'{"query_status": "ok"}', FeedError),
    "another shape": (b'{"hello": "world"}', FeedError),
    "too deep": (b"[" * 100_000 + b"]" * 100_000, FeedError),
}


@pytest.mark.parametrize(("body", "error"), ODD_ANSWERS.values(), ids=ODD_ANSWERS.keys())
def test_an_answer_of_another_kind_is_never_an_empty_one(
    httpserver: HTTPServer, api: ThreatFox, body: bytes, error: type[HuntError]
) -> None:
    httpserver.expect_request("/api/v1/").respond_with_data(body)

    with pytest.raises(error):
        api.get_iocs()


@pytest.mark.parametrize("ask", VOCABULARIES)
@pytest.mark.parametrize("body", [body for body, _ in ODD_ANSWERS.values()], ids=ODD_ANSWERS.keys())
def test_a_vocabulary_of_another_kind_is_never_an_empty_one(
    httpserver: HTTPServer, api: ThreatFox, ask: Callable[[ThreatFox], object], body: bytes
) -> None:
    httpserver.expect_request("/api/v1/").respond_with_data(body)

    with pytest.raises((AnswerError, NetworkError)):
        ask(api)


def test_families_are_read_from_a_list_and_from_an_object(
    httpserver: HTTPServer, api: ThreatFox
) -> None:
    fields = {"malware_printable": "Cobalt Strike", "malware_alias": "Agentemis, BEACON,"}
    label = MalwareLabel("win.cobalt_strike", "Cobalt Strike", ("Agentemis", "BEACON"))
    bare = MalwareLabel("unknown", "unknown", ())
    httpserver.expect_ordered_request("/api/v1/").respond_with_json(
        {"query_status": "ok", "data": [{"malware": "win.cobalt_strike", **fields}]}
    )
    httpserver.expect_ordered_request("/api/v1/").respond_with_json(
        {"query_status": "ok", "data": {"win.cobalt_strike": fields, "unknown": {}}}
    )

    assert api.get_label("cobalt", "win") == (label,)
    assert sent(httpserver) == {"query": "get_label", "malware": "cobalt", "platform": "win"}
    assert api.malware_list() == (label, bare)
    assert sent(httpserver) == {"query": "malware_list"}


def test_types_and_tags_are_read(httpserver: HTTPServer, api: ThreatFox) -> None:
    types = {"1": {"ioc_type": "url", "fk_threat_type": "payload_delivery", "description": "A URL"}}
    tags = {"c2": {"first_seen": "2021-03-08 05:11:23", "last_seen": None, "color": "#fff"}}
    for data in (types, tags):
        httpserver.expect_ordered_request("/api/v1/").respond_with_json(
            {"query_status": "ok", "data": data}
        )

    assert api.types() == (KnownType("url", "payload_delivery", "A URL"),)
    assert api.tag_list() == (KnownTag("c2", "2021-03-08 05:11:23", None),)


@pytest.mark.parametrize("data", [["a word"], {"1": "a word"}, [{}], [None]])
@pytest.mark.parametrize("ask", VOCABULARIES)
def test_a_broken_entry_is_said(
    httpserver: HTTPServer, api: ThreatFox, ask: Callable[[ThreatFox], object], data: object
) -> None:
    answers(httpserver, {"query_status": "ok", "data": data})

    with pytest.raises(AnswerError):
        ask(api)


def test_a_field_of_another_kind_is_said(httpserver: HTTPServer, api: ThreatFox) -> None:
    answers(httpserver, {"query_status": "ok", "data": {"1": {"ioc_type": 7}}})

    with pytest.raises(AnswerError, match="ioc_type is no text but a int"):
        api.types()


WRONG: list[Callable[[ThreatFox], object]] = [
    lambda api: api.get_iocs(0),
    lambda api: api.get_iocs(8),
    lambda api: api.ioc("41; DROP"),
    lambda api: api.ioc(""),
    lambda api: api.search_ioc(" "),
    lambda api: api.search_hash("abc"),
    lambda api: api.search_hash("g" * 64),
    lambda api: api.taginfo(""),
    lambda api: api.taginfo("c2", 1001),
    lambda api: api.malwareinfo("\t"),
    lambda api: api.malwareinfo("fox", 0),
    lambda api: api.get_label(""),
    lambda api: api.get_label("fox", ""),
]


@pytest.mark.parametrize("ask", WRONG)
def test_what_the_api_would_refuse_is_not_sent(
    httpserver: HTTPServer, api: ThreatFox, ask: Callable[[ThreatFox], object]
) -> None:
    with pytest.raises(UsageError):
        ask(api)

    assert httpserver.log == []


def test_an_answer_of_many_indicators_is_read_whole(httpserver: HTTPServer, api: ThreatFox) -> None:
    records = [api_record(id=str(number), ioc=f"c{number}.evil.org") for number in range(3000)]
    answers(httpserver, {"query_status": "ok", "data": records})

    assert len(api.get_iocs().indicators) == 3000


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("search_ioc_domain_hit.json", 1),
        ("search_ioc_address_hit.json", 1),
        ("search_ioc_no_result.json", 0),
    ],
)
def test_recorded_answers_read_as_they_do_from_files(
    httpserver: HTTPServer, api: ThreatFox, shared_data: Path, name: str, expected: int
) -> None:
    body = (shared_data / "threatfox" / "api" / name).read_bytes()
    httpserver.expect_request("/api/v1/").respond_with_data(body)

    assert len(api.search_ioc("anything").indicators) == expected


FALSE_POSITIVES = {"7": {"entry_type": "domain", "entry_value": "www.texornacu.com"}}


def test_the_false_positive_list_is_fetched_in_both_forms(
    httpserver: HTTPServer, api: ThreatFox, tmp_path: Path
) -> None:
    csv = b'# "removal_id","entry_type","entry_value"\r\n"7","domain","www.texornacu.com"\r\n'
    httpserver.expect_ordered_request("/fp/").respond_with_json(FALSE_POSITIVES)
    httpserver.expect_ordered_request("/fp/").respond_with_data(csv)
    paths = tmp_path / "fp.json", tmp_path / "fp.csv"

    api.get_fplist(paths[0])
    assert sent(httpserver) == {"query": "get_fplist", "format": "json"}
    api.get_fplist(paths[1], "csv")
    assert sent(httpserver) == {"query": "get_fplist", "format": "csv"}

    for path in paths:
        assert [entry.value for entry in read_fplist([path]).entries] == ["www.texornacu.com"]


@pytest.mark.parametrize("form", ["json", "csv"])
@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"query_status": "unknown_auth_key", "data": "x"}', FeedKeyError),
        (b'{"query_status": "rate_limited"}', RateLimitError),
        (b"<html>blocked</html>", AnswerError),
        (b"", AnswerError),
        (b'{"7": {"entry_value": "no domain at all !"}}', AnswerError),
        (b'{"7": ["entry_value"]}', AnswerError),
        (b"a,b\n1,2\n", AnswerError),
    ],
)
def test_a_list_that_does_not_read_leaves_the_old_one(
    httpserver: HTTPServer,
    api: ThreatFox,
    tmp_path: Path,
    form: str,
    body: bytes,
    error: type[HuntError],
) -> None:
    httpserver.expect_request("/fp/").respond_with_data(body)
    target = tmp_path / "fp"
    target.write_bytes(b"old")

    with pytest.raises(error):
        api.get_fplist(target, "json" if form == "json" else "csv")

    assert target.read_bytes() == b"old"


def test_an_answer_that_is_too_large_is_refused() -> None:
    with playing(answer(b"", length=10**12)) as server:
        api = ThreatFox(transport(), Endpoints(api=server.url))
        with pytest.raises(AnswerError, match="256 MiB"):
            api.get_iocs()
