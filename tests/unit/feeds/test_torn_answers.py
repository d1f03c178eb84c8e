"""A server that breaks off, lies about lengths, drips or floods leaves no file, or the old one."""

from __future__ import annotations

import gzip
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest

from foxhunt.errors import AnswerError, HuntError, NetworkError

from .http_play import HASTE, answer, drip, only_file, playing, transport, wanted

BODY = b'{"1": [{"ioc_value": "texornacu.com"}]}'
GZIPPED = gzip.compress(BODY)


def chunked(*pieces: bytes, is_ended: bool = True, encoding: str = "") -> bytes:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
    head += f"Content-Encoding: {encoding}\r\n".encode() if encoding else b""
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return head + b"\r\n" + body + (b"0\r\n\r\n" if is_ended else b"")


TORN = {
    "no answer at all": b"",
    "half a status line": b"HTTP/1.1 2",
    "half the headers": b"HTTP/1.1 200 OK\r\nContent-Le",
    "no HTTP": b"\x00\x01\x02 what is this\r\n\r\n",
    "less than the length told": answer(BODY, length=len(BODY) + 10),
    "two lengths": answer(BODY, "Content-Length: 3"),
    "no last chunk": chunked(BODY, is_ended=False),
    "a chunk that is cut": chunked(BODY, is_ended=False)[:-20],
    "gzip that is cut, in whole chunks": chunked(GZIPPED[:-6], encoding="gzip"),
    "gzip that is cut, with its length": answer(GZIPPED[:20], "Content-Encoding: gzip"),
    "gzip that is damaged": answer(b"\x1f\x8b\x08" + b"\xff" * 40, "Content-Encoding: gzip"),
    "gzip that is none": answer(BODY, "Content-Encoding: gzip"),
}


@pytest.mark.parametrize("script", TORN.values(), ids=TORN.keys())
def test_a_torn_answer_is_tried_again_and_then_refused(script: bytes, tmp_path: Path) -> None:
    target = tmp_path / "recent.json"
    target.write_bytes(b"old")

    with playing(script) as server, pytest.raises(NetworkError):
        transport().fetch(wanted(server.url), target)

    assert len(server.requests) == HASTE.attempts
    assert only_file(tmp_path).read_bytes() == b"old"


@pytest.mark.parametrize("script", TORN.values(), ids=TORN.keys())
def test_a_whole_answer_after_a_torn_one_is_taken(script: bytes, tmp_path: Path) -> None:
    with playing(script, answer(BODY)) as server:
        transport().fetch(wanted(server.url), tmp_path / "recent.json")

    assert len(server.requests) == 2
    assert only_file(tmp_path).read_bytes() == BODY


WHOLE = {
    "length told": answer(BODY),
    "no length, closed at the end": answer(BODY, length=-1),
    "chunked": chunked(BODY[:7], BODY[7:]),
    "gzip": answer(GZIPPED, "Content-Encoding: gzip"),
    "gzip, chunked": chunked(GZIPPED[:9], GZIPPED[9:], encoding="gzip"),
    "gzip in two members": answer(
        gzip.compress(BODY[:7]) + gzip.compress(BODY[7:]), "Content-Encoding: x-gzip"
    ),
    "identity": answer(BODY, "Content-Encoding: identity"),
}


@pytest.mark.parametrize("script", WHOLE.values(), ids=WHOLE.keys())
def test_a_whole_answer_is_stored_decoded(script: bytes, tmp_path: Path) -> None:
    with playing(script) as server:
        fetched = transport().fetch(wanted(server.url), tmp_path / "recent.json")

    assert fetched.is_new
    assert only_file(tmp_path).read_bytes() == BODY


FLOODS = {
    "a length too large": answer(b"", length=2**20 + 1),
    "a length of 30 digits": answer(b"", f"Content-Length: {10**18}", length=-1),
    "more than the limit, length not told": answer(b"x" * (2**20 + 1), length=-1),
    "a gzip bomb": answer(gzip.compress(b"\0" * 2**24), "Content-Encoding: gzip"),
    "an encoding not asked for": answer(BODY, "Content-Encoding: br"),
}


@pytest.mark.parametrize("script", FLOODS.values(), ids=FLOODS.keys())
def test_a_flood_is_refused_at_once(script: bytes, tmp_path: Path) -> None:
    with playing(script) as server, pytest.raises(AnswerError):
        transport().fetch(wanted(server.url, size_bytes=2**20), tmp_path / "recent.json")

    assert len(server.requests) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "first",
    [b"", b"HTTP/1.1 200 OK\r\nX-Slow: ", answer(b"", length=500), answer(b"", length=-1)],
    ids=["before the answer", "in a header", "in the body", "in a body without length"],
)
def test_a_dripping_server_is_left_at_the_deadline(first: bytes, tmp_path: Path) -> None:
    patience = replace(HASTE, total_seconds=0.3)
    begun = time.monotonic()

    with playing(drip(first)) as server:
        with pytest.raises(NetworkError, match=r"no whole answer within 0\.3 seconds"):
            transport(patience).fetch(wanted(server.url), tmp_path / "recent.json")
        assert time.monotonic() - begun < 2

    assert len(server.requests) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_silent_server_is_left_after_the_time_for_a_read(tmp_path: Path) -> None:
    patience = replace(HASTE, attempts=2, read_seconds=0.1)

    with (
        playing(lambda connection: time.sleep(0.3)) as server,
        pytest.raises(NetworkError, match=r"silent for 0\.1 seconds"),
    ):
        transport(patience).fetch(wanted(server.url), tmp_path / "recent.json")


def test_nobody_listening_is_an_error_that_names_the_host(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(NetworkError, match=r"127\.0\.0\.1 cannot be reached"):
        transport().fetch(wanted(f"http://127.0.0.1:{port}/"), tmp_path / "recent.json")


def test_a_check_that_refuses_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "recent.json"
    target.write_bytes(b"old")

    def check(path: Path) -> None:
        assert path.read_bytes() == BODY
        raise AnswerError("not this one")

    with playing(answer(BODY)) as server, pytest.raises(HuntError, match="not this one"):
        transport().fetch(wanted(server.url), target, check=check)

    assert only_file(tmp_path).read_bytes() == b"old"
