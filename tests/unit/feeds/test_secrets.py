"""The key is found, and shown nowhere: not in messages, errors, chains, frames or logs."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.errors
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from pytest_httpserver import HTTPServer

from foxhunt.errors import FeedKeyError, HuntError, UsageError
from foxhunt.feeds.connections import KEY_MARK, KeyPlace
from foxhunt.feeds.secrets import KEY_VARIABLE, Secret, redact, shown, threatfox_key
from foxhunt.feeds.transport import Transport, Wanted

from .http_play import HASTE, KEY, SECRET, answer, playing, transport

# With what a URL has to escape.
ODD = Secret("a+b/c%d?e&f=g#h{i}")
VISIBLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8, max_size=40)


class FakeKeyring(KeyringBackend):
    """A keyring that holds one password, or fails."""

    priority = 1.0

    def __init__(self, password: str | None, error: Exception | None = None) -> None:
        self._password, self._error = password, error

    def get_password(self, service: str, username: str) -> str | None:
        if self._error is not None:
            raise self._error
        return self._password if (service, username) == ("foxhunt", "threatfox") else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise keyring.errors.PasswordSetError("foxhunt only reads")


@pytest.fixture(autouse=True)
def _keyring_as_it_was() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(FakeKeyring(None))
    yield
    keyring.set_keyring(before)


def test_the_environment_comes_first() -> None:
    keyring.set_keyring(FakeKeyring("another-key-0002"))

    assert threatfox_key({KEY_VARIABLE: f" {KEY}\n"}) == SECRET


def test_the_keyring_comes_second() -> None:
    keyring.set_keyring(FakeKeyring(KEY))

    assert threatfox_key({KEY_VARIABLE: ""}) == SECRET


@pytest.mark.parametrize("error", [None, keyring.errors.NoKeyringError("no backend")])
def test_no_key_is_no_error(error: Exception | None) -> None:
    keyring.set_keyring(FakeKeyring(None, error))

    assert threatfox_key({}) is None


def test_a_locked_keyring_is_said() -> None:
    keyring.set_keyring(FakeKeyring(None, keyring.errors.KeyringLocked("locked")))

    with pytest.raises(FeedKeyError, match=r"locked.*FOXHUNT_THREATFOX_KEY"):
        threatfox_key({})


@pytest.mark.parametrize("bad", ["short", "two words here", "line\r\nX-Evil: 1", "schlüssel-lang"])
def test_what_cannot_be_a_key_is_refused_without_being_quoted(bad: str) -> None:
    with pytest.raises(UsageError) as caught:
        threatfox_key({KEY_VARIABLE: bad})

    assert bad not in "".join(traceback.format_exception(caught.value))


def test_a_secret_is_not_shown_by_itself() -> None:
    assert KEY not in f"{SECRET} {SECRET!r} {[SECRET]} {Transport(SECRET)!r}"


@given(VISIBLE, st.text(), st.text())
def test_no_text_shows_the_key_once_it_went_through_redact(
    key: str, before: str, after: str
) -> None:
    assert key not in redact(f"{before}{key}{after}", Secret(key)).replace("<key>", "\0")


@pytest.mark.parametrize(
    "spelling", ["a+b/c%d?e&f=g#h{i}", "a%2Bb%2Fc%25d%3Fe%26f%3Dg%23h%7Bi%7D", "A+B/C%D?E&F=G#H{I}"]
)
def test_the_key_is_known_in_the_spellings_of_a_url(spelling: str) -> None:
    assert redact(f"x{spelling}y", ODD) == "x<key>y"


def test_a_key_that_is_cut_is_not_shown_in_part() -> None:
    assert KEY[:5] not in shown("x" * 70 + KEY, SECRET)


def a_refusal_that_repeats_the_key() -> bytes:
    body = f'{{"query_status": "unknown {KEY}", "error": "{KEY}"}}'.encode()
    return answer(body, f"X-Key: {KEY}", status="403 Forbidden")


SERVERS = {
    "a refusal": a_refusal_that_repeats_the_key(),
    "an error page": answer(KEY.encode(), status=f"500 {KEY}"),
    "a redirect elsewhere": answer(
        b"", f"Location: http://{KEY}.evil.example/{KEY}", status="302 Found"
    ),
    "a redirect to no URL": answer(b"", f"Location: http://[{KEY}", status="302 Found"),
    "a redirect in circles": answer(b"", f"Location: /files/{KEY}/full.zip", status="302 Found"),
    "no HTTP": f"HTTP/9 {KEY}\r\n{KEY}\r\n\r\n".encode(),
    "a bad header": f"HTTP/1.1 200 OK\r\n{KEY} {KEY}\r\n\r\n".encode(),
    "an odd encoding": answer(b"", f"Content-Encoding: {KEY}"),
    "a torn answer": answer(b"x", length=100),
    "nothing": b"",
}


@pytest.mark.parametrize("place", [KeyPlace.HEADER, KeyPlace.PATH])
@pytest.mark.parametrize("script", SERVERS.values(), ids=SERVERS.keys())
def test_no_error_log_or_message_shows_the_key(
    script: bytes, place: KeyPlace, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []
    caplog.set_level(logging.DEBUG)

    with playing(script) as server:
        wanted = Wanted(name="test", url=f"{server.url}files/{KEY_MARK}/full.zip", key=place)
        with pytest.raises(HuntError) as caught:
            Transport(SECRET, HASTE, told.append).fetch(wanted, tmp_path / "full.zip")

    assert KEY.encode() in server.requests[0]
    assert any(record.name.startswith("httpcore") for record in caplog.records)
    assert_hidden(caplog.text)
    assert_hidden("\n".join(told))
    for error in chain(caught.value):
        assert_hidden(f"{error} {error!r} {error.args} {vars(error)}")
    whole = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    # This test's own frame holds the server's words; those of foxhunt and below must not.
    whole.stack[:] = whole.stack[1:]
    assert_hidden("".join(whole.format()))


def assert_hidden(text: str) -> None:
    assert KEY.lower() not in text.lower()


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error and all it came from."""
    seen: list[BaseException] = []
    queue: list[BaseException | None] = [error]
    while queue:
        following = queue.pop()
        if following is not None and following not in seen:
            seen.append(following)
            queue += [following.__cause__, following.__context__]
    yield from seen


def test_logs_are_those_of_others_again_after_a_fetch(
    httpserver: HTTPServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    httpserver.expect_request("/").respond_with_data(b"{}")
    transport().fetch(Wanted(name="test", url=httpserver.url_for("/")), tmp_path / "file")

    logging.getLogger("httpx").warning("of %s", "others")

    assert caplog.records[-1].args == ("others",)


def test_nothing_on_disk_holds_the_key(httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_request(f"/{KEY}/full.zip").respond_with_data(b"x", headers={"ETag": '"1"'})
    wanted = Wanted(name="test", url=httpserver.url_for(f"/{KEY_MARK}/full.zip"), key=KeyPlace.PATH)

    transport().fetch(wanted, tmp_path / "full.zip", is_conditional=True)

    assert len(list(tmp_path.iterdir())) == 2
    assert all(KEY.encode() not in path.read_bytes() for path in tmp_path.iterdir())
