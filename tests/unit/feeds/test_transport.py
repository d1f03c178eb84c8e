"""Statuses, waits, conditions, redirects: what is asked again, what is not, and what is sent."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request

from foxhunt.errors import (
    AnswerError,
    FeedKeyError,
    HuntError,
    NetworkError,
    RateLimitError,
    StoreError,
)
from foxhunt.feeds.connections import KEY_MARK, KeyPlace
from foxhunt.feeds.transport import Transport, Wanted

from .http_play import HASTE, KEY, SECRET, answer, only_file, playing, transport, wanted

BODY = b'{"1": []}'


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """The file to fetch into, in a folder that is not there yet."""
    return tmp_path / "feeds" / "recent.json"


def asked(httpserver: HTTPServer) -> list[Request]:
    return [request for request, _ in httpserver.log]


def test_a_get_says_who_asks_and_takes_gzip_alone(httpserver: HTTPServer, target: Path) -> None:
    httpserver.expect_request("/recent").respond_with_data(BODY)

    fetched = transport().fetch(wanted(httpserver.url_for("/recent")), target)

    (request,) = asked(httpserver)
    assert (fetched.path, fetched.is_new, target.read_bytes()) == (target, True, BODY)
    assert request.headers["User-Agent"].startswith("foxhunt/")
    assert request.headers["Accept-Encoding"] == "gzip"
    assert "Auth-Key" not in request.headers


def test_a_new_file_is_as_readable_as_any(httpserver: HTTPServer, target: Path) -> None:
    httpserver.expect_request("/recent").respond_with_data(BODY)
    usual = target.parent.parent / "usual"
    usual.touch()

    transport().fetch(wanted(httpserver.url_for("/recent")), target)

    assert target.stat().st_mode == usual.stat().st_mode


def test_a_query_is_posted_as_json_with_the_key_in_its_header(
    httpserver: HTTPServer, target: Path
) -> None:
    httpserver.expect_request("/api/", method="POST").respond_with_data(BODY)
    query = {"query": "search_ioc", "search_term": 'ü"\n', "exact_match": True}

    transport().fetch(
        Wanted(name="test", url=httpserver.url_for("/api/"), query=query, key=KeyPlace.HEADER),
        target,
    )

    (request,) = asked(httpserver)
    assert request.headers["Auth-Key"] == KEY
    assert request.content_type == "application/json"
    assert json.loads(request.data) == query


def test_a_key_in_the_path_is_put_there_alone(httpserver: HTTPServer, target: Path) -> None:
    httpserver.expect_request(f"/files/{KEY}/full.csv.zip").respond_with_data(BODY)

    url = httpserver.url_for(f"/files/{KEY_MARK}/full.csv.zip")
    transport().fetch(Wanted(name="test", url=url, key=KeyPlace.PATH), target)

    assert "Auth-Key" not in asked(httpserver)[0].headers


def test_without_a_key_nothing_that_needs_one_is_sent(httpserver: HTTPServer, target: Path) -> None:
    with pytest.raises(FeedKeyError, match="FOXHUNT_THREATFOX_KEY"):
        transport(secret=None).fetch(
            Wanted(name="test", url=httpserver.url_for("/"), key=KeyPlace.HEADER), target
        )

    assert asked(httpserver) == []


STATUSES = [
    (400, AnswerError, 1),
    (401, FeedKeyError, 1),
    (402, FeedKeyError, 1),
    (403, FeedKeyError, 1),
    (404, AnswerError, 1),
    (407, AnswerError, 1),
    (408, NetworkError, 3),
    (429, RateLimitError, 3),
    (500, NetworkError, 3),
    (502, NetworkError, 3),
    (503, NetworkError, 3),
    (204, AnswerError, 1),
    (206, AnswerError, 1),
    (304, AnswerError, 1),
]


@pytest.mark.parametrize(("status", "error", "attempts"), STATUSES)
def test_a_status_is_an_error_and_tried_again_only_if_it_may_pass(
    httpserver: HTTPServer, target: Path, status: int, error: type[HuntError], attempts: int
) -> None:
    httpserver.expect_request("/").respond_with_data(b"", status=status)

    with pytest.raises(error, match=f"answered {status}") as caught:
        transport().fetch(
            Wanted(name="test", url=httpserver.url_for("/"), key=KeyPlace.HEADER), target
        )

    assert type(caught.value) is error
    assert len(asked(httpserver)) == attempts
    assert not target.exists()


def test_a_refusal_says_the_server_s_word(httpserver: HTTPServer, target: Path) -> None:
    httpserver.expect_request("/").respond_with_json(
        {"query_status": "unknown_auth_key"}, status=403
    )

    with pytest.raises(FeedKeyError, match="unknown_auth_key") as caught:
        transport().fetch(
            Wanted(name="test", url=httpserver.url_for("/"), key=KeyPlace.HEADER), target
        )

    assert "https://auth.abuse.ch/" in str(caught.value)


def test_a_403_to_a_request_without_a_key_does_not_blame_the_key(
    httpserver: HTTPServer, target: Path
) -> None:
    httpserver.expect_request("/").respond_with_data(b"<html>blocked</html>", status=403)

    with pytest.raises(AnswerError, match="proxy or firewall"):
        transport().fetch(wanted(httpserver.url_for("/")), target)


def test_what_fails_in_passing_is_told_and_then_fetched(
    httpserver: HTTPServer, target: Path
) -> None:
    told: list[str] = []
    for status in (500, 429):
        httpserver.expect_ordered_request("/").respond_with_data(b"", status=status)
    httpserver.expect_ordered_request("/").respond_with_data(BODY)

    Transport(SECRET, HASTE, told.append).fetch(wanted(httpserver.url_for("/")), target)

    assert target.read_bytes() == BODY
    assert [line.partition(" answered ")[2][:3] for line in told] == ["500", "429"]
    assert all(line.endswith("trying again") for line in told)


def test_nothing_is_told_to_be_tried_again_when_it_is_not(
    httpserver: HTTPServer, target: Path
) -> None:
    told: list[str] = []
    httpserver.expect_request("/").respond_with_data(b"", status=500)

    with pytest.raises(NetworkError):
        Transport(SECRET, HASTE, told.append).fetch(wanted(httpserver.url_for("/")), target)

    assert len(told) == HASTE.attempts - 1


def test_a_server_s_wait_is_kept(httpserver: HTTPServer, target: Path) -> None:
    httpserver.expect_ordered_request("/").respond_with_data(
        b"", status=429, headers={"Retry-After": "1"}
    )
    httpserver.expect_ordered_request("/").respond_with_data(BODY)
    patience = replace(HASTE, retry_after_max_seconds=5)
    begun = time.monotonic()

    transport(patience).fetch(wanted(httpserver.url_for("/")), target)

    assert time.monotonic() - begun >= 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_is_too_long_ends_the_attempts_and_is_told(
    httpserver: HTTPServer, target: Path, status: int
) -> None:
    httpserver.expect_request("/").respond_with_data(
        b"", status=status, headers={"Retry-After": "3600"}
    )
    patience = replace(HASTE, retry_after_max_seconds=120)

    with pytest.raises(NetworkError) as caught:
        transport(patience).fetch(wanted(httpserver.url_for("/")), target)

    assert caught.value.retry_after_seconds == 3600
    assert len(asked(httpserver)) == 1


def test_a_wait_beyond_the_deadline_is_not_begun(httpserver: HTTPServer, target: Path) -> None:
    httpserver.expect_request("/").respond_with_data(b"", status=503)
    patience = replace(HASTE, wait_initial_seconds=20, wait_max_seconds=20)

    with pytest.raises(NetworkError, match="503"):
        transport(patience).fetch(wanted(httpserver.url_for("/")), target)

    assert len(asked(httpserver)) == 1


def test_a_network_error_of_the_check_is_tried_again(httpserver: HTTPServer, target: Path) -> None:
    httpserver.expect_ordered_request("/").respond_with_data(b"half")
    httpserver.expect_ordered_request("/").respond_with_data(BODY)

    def check(path: Path) -> None:
        if path.read_bytes() != BODY:
            raise NetworkError("cut off")

    transport().fetch(wanted(httpserver.url_for("/")), target, check=check)

    assert target.read_bytes() == BODY


def conditional(httpserver: HTTPServer, target: Path, path: str = "/") -> bool:
    fetched = transport().fetch(wanted(httpserver.url_for(path)), target, is_conditional=True)
    return fetched.is_new


def test_an_unchanged_file_is_not_sent_again(httpserver: HTTPServer, target: Path) -> None:
    headers = {"ETag": '"e1"', "Last-Modified": "Tue, 14 Jul 2026 08:24:11 GMT"}
    httpserver.expect_ordered_request("/").respond_with_data(BODY, headers=headers)
    httpserver.expect_ordered_request("/").respond_with_data(b"", status=304)

    assert conditional(httpserver, target)
    assert not conditional(httpserver, target)

    first, second = asked(httpserver)
    assert "If-None-Match" not in first.headers
    assert second.headers["If-None-Match"] == '"e1"'
    assert second.headers["If-Modified-Since"] == "Tue, 14 Jul 2026 08:24:11 GMT"
    assert target.read_bytes() == BODY


def test_a_changed_file_replaces_the_old_one(httpserver: HTTPServer, target: Path) -> None:
    for tag in ("1", "2"):
        httpserver.expect_ordered_request("/").respond_with_data(
            tag.encode(), headers={"ETag": f'"{tag}"'}
        )

    assert conditional(httpserver, target)
    assert conditional(httpserver, target)

    assert target.read_bytes() == b"2"


@pytest.mark.parametrize("change", ["gone", "edited", "another URL", "broken state", "no state"])
def test_what_is_not_what_was_fetched_is_asked_for_without_condition(
    httpserver: HTTPServer, target: Path, change: str
) -> None:
    for path in ("/", "/other"):
        httpserver.expect_request(path).respond_with_data(BODY, headers={"ETag": '"e1"'})
    conditional(httpserver, target)
    state = target.with_name(".recent.json.state")
    assert state.is_file()
    if change == "gone":
        target.unlink()
    elif change == "edited":
        target.write_bytes(b"longer than it was")
    elif change == "broken state":
        state.write_text('{"url": [')
    elif change == "no state":
        state.unlink()

    conditional(httpserver, target, "/other" if change == "another URL" else "/")

    assert "If-None-Match" not in asked(httpserver)[-1].headers
    assert target.read_bytes() == BODY


def test_an_interrupted_replacement_leaves_no_state_of_another_file(
    httpserver: HTTPServer, target: Path
) -> None:
    httpserver.expect_ordered_request("/").respond_with_data(BODY, headers={"ETag": '"e1"'})
    httpserver.expect_ordered_request("/").respond_with_data(b"new, no validators")
    conditional(httpserver, target)

    conditional(httpserver, target)

    assert only_file(target.parent) == target


def test_a_redirect_on_the_same_server_is_followed_with_the_query(
    httpserver: HTTPServer, target: Path
) -> None:
    httpserver.expect_request("/api").respond_with_data(
        b"", status=308, headers={"Location": "/api/"}
    )
    httpserver.expect_request("/api/", method="POST").respond_with_data(BODY)
    query = {"query": "types"}

    transport().fetch(
        Wanted(name="t", url=httpserver.url_for("/api"), query=query, key=KeyPlace.HEADER), target
    )

    assert json.loads(asked(httpserver)[-1].data) == query
    assert asked(httpserver)[-1].headers["Auth-Key"] == KEY


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_refused_and_never_asked(
    httpserver: HTTPServer, target: Path, status: int
) -> None:
    with playing(answer(BODY)) as other:
        location = f"{other.url}take?k={KEY}"
        httpserver.expect_request("/").respond_with_data(
            b"", status=status, headers={"Location": location}
        )

        with pytest.raises(AnswerError, match="redirects to http") as caught:
            transport().fetch(
                Wanted(name="t", url=httpserver.url_for("/"), key=KeyPlace.HEADER), target
            )

    assert other.requests == []
    assert len(asked(httpserver)) == 1
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "location", ["https://{host}/", "http://[::1", "//evil.example/", "file:///etc/passwd"]
)
def test_a_redirect_elsewhere_in_any_spelling_is_refused(
    httpserver: HTTPServer, target: Path, location: str
) -> None:
    location = location.format(host=f"{httpserver.host}:{httpserver.port}")
    httpserver.expect_request("/").respond_with_data(
        b"", status=302, headers={"Location": location}
    )

    with pytest.raises(HuntError):
        transport().fetch(wanted(httpserver.url_for("/")), target)

    assert {request.path for request in asked(httpserver)} == {"/"}
    assert not target.exists()


def test_a_redirected_post_is_not_made_a_get(httpserver: HTTPServer, target: Path) -> None:
    httpserver.expect_request("/").respond_with_data(b"", status=302, headers={"Location": "/b"})

    with pytest.raises(AnswerError, match="POST"):
        transport().fetch(Wanted(name="t", url=httpserver.url_for("/"), query={}), target)


def test_redirects_in_circles_end(httpserver: HTTPServer, target: Path) -> None:
    httpserver.expect_request("/").respond_with_data(b"", status=302, headers={"Location": "/"})

    with pytest.raises(AnswerError, match="circles"):
        transport().fetch(wanted(httpserver.url_for("/")), target)

    assert len(asked(httpserver)) == 4


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_lost(
    httpserver: HTTPServer, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    httpserver.expect_request("/").respond_with_data(BODY)

    with pytest.raises(StoreError, match="cannot write"):
        transport().fetch(wanted(httpserver.url_for("/")), tmp_path / "file" / "recent.json")


def test_two_at_once_leave_one_whole_file(httpserver: HTTPServer, target: Path) -> None:
    inner = Transport(SECRET, HASTE)

    httpserver.expect_request("/inner").respond_with_data(b"inner")
    httpserver.expect_request("/").respond_with_data(b"outer")

    def check(path: Path) -> None:
        inner.fetch(wanted(httpserver.url_for("/inner")), target)
        assert target.read_bytes() == b"inner"

    transport().fetch(wanted(httpserver.url_for("/")), target, check=check)

    assert only_file(target.parent).read_bytes() == b"outer"
