"""What an HTTP status other than 200 means, and how long a server asks to wait."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from foxhunt.errors import AnswerError, FeedKeyError, HuntError, NetworkError, RateLimitError
from foxhunt.feeds.secrets import EXPIRY_VARIABLE, KEY_VARIABLE, Secret, shown

KEY_HINT = (
    f"put a key of https://auth.abuse.ch/, one for all of abuse.ch's APIs, into {KEY_VARIABLE}"
)
NEW_KEY_HINT = (
    f"make a new one at https://auth.abuse.ch/, put it into {KEY_VARIABLE}, and the day it "
    f"expires into {EXPIRY_VARIABLE}"
)
_SECONDS = re.compile(r"[0-9]{1,9}")


def refusal(
    name: str,
    response: httpx.Response,
    body: bytes,
    *,
    has_key: bool,
    secret: Secret | None,
    keyless_hint: str = KEY_HINT,
) -> HuntError:
    """Return the error that ``response`` is, an answer whose status is not 200.

    Args:
        name: What was asked for.
        response: Its body is not read.
        body: The first of its body, decoded.
        has_key: Whether the request carried a key.
        secret: Hidden where the body repeats it.
        keyless_hint: What to do where a key is asked for and the request carried none.
    """
    status, said = response.status_code, _said(body, secret)
    told = f"{name}: {response.url.host} answered {status}{f', {said}' if said else ''}"
    wait = retry_after_seconds(response.headers)
    if status == 401:
        hint = "the key did not arrive: is there a proxy in between?" if has_key else keyless_hint
        return FeedKeyError(f"{told}: it asks for a key", hint=hint)
    if status == 402:
        hint = "look at https://auth.abuse.ch/ what the account may do"
        return FeedKeyError(f"{told}: the account's plan does not cover it", hint=hint)
    if status == 403 and has_key:
        return FeedKeyError(f"{told}: the key is refused", hint=KEY_HINT)
    if status == 429:
        asked = f"; it asks to wait {wait:.0f} seconds" if wait is not None else ""
        hint = "try again later, and less often"
        return RateLimitError(
            f"{told}: too many queries{asked}", hint=hint, retry_after_seconds=wait
        )
    if status == 408 or status >= 500:
        hint = "try again later"
        return NetworkError(f"{told}: it fails", hint=hint, retry_after_seconds=wait)
    return AnswerError(f"{told}: not the answer that is documented", hint=_HINTS.get(status))


_HINTS = {
    403: "a proxy or firewall may have refused it",
    404: "has the feed moved? docs/feeds.md names the variables that say where it is",
    407: "the proxy asks for a login",
}


def _said(body: bytes, secret: Secret | None) -> str:
    """The reason a server gives: abuse.ch's are JSON."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(answer, dict):
        return ""
    reason = answer.get("query_status", answer.get("error"))
    return repr(shown(reason, secret)) if isinstance(reason, str) else ""


def retry_after_seconds(headers: httpx.Headers) -> float | None:
    """Read ``Retry-After``: seconds, or a time (RFC 9110, 10.2.3).

    A time is compared with the server's own ``Date``, since our clock may differ.

    >>> retry_after_seconds(httpx.Headers({"Retry-After": "120"}))
    120.0
    """
    text = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    then = _time(text)
    if then is None:
        return None
    now = _time(headers.get("Date", "")) or datetime.now(UTC)
    return max(0.0, (then - now).total_seconds())


def _time(text: str) -> datetime | None:
    try:
        time = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
