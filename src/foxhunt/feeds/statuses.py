"""The words of ``query_status``: what abuse.ch's APIs answer besides data.

The list is of ThreatFox's API documentation and of the clients that were read for it, 2026-09.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from foxhunt.errors import (
    AnswerError,
    FeedKeyError,
    FeedQueryError,
    HuntError,
    NetworkError,
    RateLimitError,
)
from foxhunt.feeds.refusals import KEY_HINT
from foxhunt.feeds.secrets import Secret, shown

OK = "ok"
# The question was in order, and the answer is: nothing.
EMPTY: Mapping[str, str] = {
    "no_result": "it knows no such indicator",
    "no_results": "it knows no such indicator",
    "unknown_ioc_id": "there is no indicator with the id",
}
_KEY: Mapping[str, str] = {
    "unknown_auth_key": "the Auth-Key is not known",
    "no_api_key": "the query was sent without an Auth-Key",
    "user_blacklisted": "the account is blocked",
}
_QUERY: Mapping[str, str] = {
    "missing_search_term": "the query named nothing to search for",
    "illegal_search_term": "the search term is not allowed",
    "illegal_days": "days must be 1 to 7",
    "illegal_hash": "no MD5 or SHA-256 hash",
    "illegl_hash": "no MD5 or SHA-256 hash",  # the API's own spelling
    "illegal_tag": "the tag is not allowed",
    "illegal_malware": "the malware family is not allowed",
    "illegal_ioc_id": "the id is not a number",
}
_RATE_LIMITED = "rate_limited"
# foxhunt's own mistake, or that of something in between.
_OURS: Mapping[str, str] = {
    "unknown_operation": "the API has no such query",
    "http_post_expected": "the query did not arrive as POST",
    "no_json": "the query did not arrive as JSON",
}
# An answer without data is one sentence; one of more bytes than this has some.
_MAX_SENTENCE_BYTES = 64 * 1024
_TAIL_BYTES = 64


def meaning(status: str) -> str:
    """What a status says that is not `OK`, in a few words."""
    known = {**EMPTY, **_KEY, **_QUERY, **_OURS, _RATE_LIMITED: "too many queries"}
    return known.get(status, "not documented")


def status_error(name: str, status: str, secret: Secret | None = None) -> HuntError:
    """Return the error that ``status`` is, a word that is neither `OK` nor in `EMPTY`."""
    told = f"{name}: abuse.ch answered {shown(status, secret)!r}"
    told = f"{told}: {meaning(status)}"
    if status in _KEY:
        return FeedKeyError(told, hint=KEY_HINT)
    if status in _QUERY:
        return FeedQueryError(told)
    if status == _RATE_LIMITED:
        return RateLimitError(told, hint="try again later, and less often")
    return AnswerError(
        told, hint="is there a proxy or mirror in between?" if status in _OURS else None
    )


def read_status(path: Path, name: str, secret: Secret | None = None) -> str:
    """Return the status of an answer in a file, `OK` or one in `EMPTY`.

    An answer without one (the query ``ioc``, the false-positive list) is `OK`. Whether the
    data are what they should be is for who reads them.

    Args:
        path: The whole answer.
        name: What messages call it.
        secret: Hidden where the answer repeats it.

    Raises:
        NetworkError: It is cut off: no JSON text ends so.
        RateLimitError, FeedKeyError, FeedQueryError, AnswerError: What the status says.
        AnswerError: It is no JSON.
    """
    with path.open("rb") as file:
        head = file.read(_MAX_SENTENCE_BYTES + 1)
        size_bytes = path.stat().st_size
        file.seek(max(0, size_bytes - _TAIL_BYTES))
        tail = file.read().rstrip()
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if start not in (b"{", b"["):
        what = {b"": "nothing", b"<": "a web page"}.get(start, "no JSON")
        raise AnswerError(
            f"{name}: the server answered {what}", hint="was the query refused on its way?"
        )
    if not tail.endswith((b"}", b"]")):
        raise NetworkError(f"{name}: the answer is cut off", hint="try again later")
    if len(head) > _MAX_SENTENCE_BYTES:
        return OK
    return _status(head, name, secret)


def _status(text: bytes, name: str, secret: Secret | None) -> str:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        # Left to the reader of the data, who says where it breaks.
        return OK
    if not isinstance(answer, dict):
        return OK
    status, error = answer.get("query_status", OK), answer.get("error")
    if "query_status" not in answer and isinstance(error, str):
        raise AnswerError(f"{name}: the server answered an error: {shown(error, secret)!r}")
    if not isinstance(status, str):
        status = json.dumps(status)
    if status == OK or status in EMPTY:
        return status
    raise status_error(name, status, secret)
